using System.Diagnostics.Tracing;
using System.Numerics;
using System.Runtime.InteropServices;
using Rnn.Cells;
using Rnn.Kernels;

namespace Rnn.Tests.Architecture;

/// <summary>
/// Compiles the pointwise sweeps of every built-in cell and prints what the JIT would not inline into them, a line each:
/// <c>failed CELL KERNEL INLINEE: REASON</c>. It is the entry point of this assembly, so that a test can run it in a process where
/// nothing has been compiled yet: each method is compiled once only. A cell that is too large to inline comes first: it shows that the
/// events arrive.
/// </summary>
internal static class InliningProbe
{
    /// <summary>The command line's word for this probe.</summary>
    internal const string Word = "inlining";

    internal static int Main(string[] args)
    {
        if (args is [WidthProbe.Word])
        {
            WidthProbe.Run();
            return 0;
        }

        if (args is not [Word])
        {
            Console.Error.WriteLine($"These are tests: run them by 'dotnet test'. The programs in here are '{Word}' and '{WidthProbe.Word}'.");
            return 2;
        }

        using var listener = new Listener();
        Report(CellKernels<float>.Create<OversizeCell>(), listener);
        foreach (var name in CellCatalog.Names)
        {
            Report(CellCatalog.Create<float>(name), listener);
            Report(CellCatalog.Create<double>(name), listener);
        }

        return 0;
    }

    private static void Report<T>(CellKernels<T> cell, Listener listener)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Run(cell);

        // Forward with and without keeping, backward; whole vectors, and the last partial one unless a vector has one lane.
        var sweeps = Phases(cell.Layout).Count() * 3 * (Simd.VectorBits == 0 ? 1 : 2);
        var seen = listener.Take(sweeps, out var failures);
        Console.WriteLine($"{(seen == sweeps ? "whole" : "lost")} {cell.Layout.Name} {typeof(T).Name} of {Simd.VectorBits} bits: {seen} of {sweeps} sweeps compiled");
        foreach (var failure in failures.Distinct())
        {
            Console.WriteLine($"failed {cell.Layout.Name} {typeof(T).Name} {failure}");
        }
    }

    // Those of the plain step, and those with layer normalisation.
    private static IEnumerable<int> Phases(CellLayout layout) => Enumerable.Range(0, layout.Phases).Union(layout.NormalizedPhases);

    // One row of a whole vector and a partial one.
    private static unsafe void Run<T>(CellKernels<T> cell)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var units = (64 / sizeof(T)) + 1;
        var memory = (T*)NativeMemory.AllocZeroed((nuint)(64 * 16 * units), (nuint)sizeof(T));
        var used = 0;
        var block = new CellBlock<T>
        {
            Rows = 1,
            Units = units,
            Gates = Next(),
            Saved = Next(),
            Intermediates = Next(),
            IntermediateGradient = Next(),
            OutputGradient = Next(),
            UnitWeights = Next().Start,
        };
        for (var state = 0; state < CellBlock<T>.MaxStates; state++)
        {
            block.Previous[state] = Next();
            block.Next[state] = Next();
            block.Gradient[state] = Next();
        }

        foreach (var phase in Phases(cell.Layout))
        {
            cell.Forward(phase, block, saves: false);
            cell.Forward(phase, block, saves: true);
            cell.Backward(phase, block);
        }

        NativeMemory.Free(memory);

        Rows<T> Next() => new(memory + (16 * units * used++), 0);
    }

    /// <summary>Hears the runtime's events of what was compiled and what was not inlined.</summary>
    private sealed class Listener : EventListener
    {
        private const EventKeywords JitTracing = (EventKeywords)0x1000;
        private const EventKeywords Jit = (EventKeywords)0x10;

        private readonly List<string> _failures = [];
        private readonly HashSet<string> _compiled = [];

        /// <summary>Waits until so many sweeps have been reported as compiled, for half a minute at most, and hands over what came with them.</summary>
        internal int Take(int sweeps, out List<string> failures)
        {
            lock (_failures)
            {
                var end = DateTime.UtcNow.AddSeconds(30);
                while (_compiled.Count < sweeps && DateTime.UtcNow < end)
                {
                    Monitor.Wait(_failures, 50);
                }

                failures = [.. _failures];
                _failures.Clear();
                var count = _compiled.Count;
                _compiled.Clear();
                return count;
            }
        }

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name == "Microsoft-Windows-DotNETRuntime")
            {
                EnableEvents(eventSource, EventLevel.Verbose, JitTracing | Jit);
            }
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            // MethodLoadVerbose comes after the events of the method's compilation; its payload has the method's namespace, name and signature from index 6 on.
            if (eventData.EventName?.StartsWith("MethodLoadVerbose", StringComparison.Ordinal) == true)
            {
                var method = Kernel(eventData.Payload![6], eventData.Payload[7]);
                if (method is not null)
                {
                    lock (_failures)
                    {
                        _ = _compiled.Add($"{eventData.Payload[0]} {eventData.Payload[1]} {eventData.Payload[8]} {eventData.Payload[2]}");
                        Monitor.PulseAll(_failures);
                    }
                }
            }
            else if (eventData.EventName?.StartsWith("MethodJitInliningFailed", StringComparison.Ordinal) == true
                && Kernel(eventData.Payload![0], eventData.Payload[1]) is { } method)
            {
                lock (_failures)
                {
                    _failures.Add($"{method} {eventData.Payload[6]}.{eventData.Payload[7]}: {eventData.Payload[10]}");
                }
            }
        }

        private static string? Kernel(object? type, object? method) =>
            type is string name && name.StartsWith("Rnn.Cells.CellKernels`3", StringComparison.Ordinal) && method is "ForwardUnits" or "BackwardUnits"
                ? (string)method
                : null;
    }
}
