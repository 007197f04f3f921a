using System.Numerics;
using Rnn.Autograd;
using Rnn.Cells;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers.Engine;

/// <summary>
/// A scan over a batch, forward or backward, its units shared among the threads: rows are not, since the gradient of a number for each unit sums over them in a fixed order.
/// </summary>
internal sealed unsafe class ScanRun<T> : WorkItem
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Less work than this is done sooner by one thread than another wakes up.
    private const double ElementsPerPart = 8192;

    private readonly ScanKernels<T> _kernels;
    private readonly int[] _lengths;
    private readonly int _rows;
    private readonly int _steps;
    private readonly int _units;
    private readonly int _parts;
    private readonly bool _backward;
    private ScanStep<T> _step;
    private T* _initial;

    private ScanRun(ScanKernels<T> kernels, int rows, int steps, int units, int[] lengths, bool backward)
    {
        (_kernels, _rows, _steps, _units, _lengths, _backward) = (kernels, rows, steps, units, lengths, backward);
        _parts = (int)Math.Clamp((double)rows * steps * units / ElementsPerPart, 1, Math.Min(Workers.MaxThreads, CacheLine<T>.RoundUp(units) / CacheLine<T>.Length));
    }

    /// <summary>The states after each step.</summary>
    /// <param name="kernels">The cell.</param>
    /// <param name="gates">The pre-activations [N, T, gates · H].</param>
    /// <param name="initial">The states before the first step [N, H].</param>
    /// <param name="input">The layer's input [N, T, H], for a cell that reads it.</param>
    /// <param name="perUnit">A number for each unit [H], for such a cell.</param>
    /// <param name="lengths">The lengths, empty for T.</param>
    /// <returns>[N, T, H], zeros past the end of each row.</returns>
    internal static Tensor<T> Forward(ScanKernels<T> kernels, Tensor<T> gates, Tensor<T> initial, Tensor<T>? input, Tensor<T>? perUnit, ReadOnlySpan<int> lengths)
    {
        var (rows, steps, units) = (gates.Shape[0], gates.Shape[1], initial.Shape[1]);
        var output = Tensor<T>.Uninitialized([rows, steps, units]);
        var run = new ScanRun<T>(kernels, rows, steps, units, lengths.ToArray(), backward: false);
        run.ClearPastEnds(output.AsSpan(), units);
        fixed (T* a = gates.AsReadOnlySpan(), h = initial.AsReadOnlySpan(), x = input is null ? default : input.AsReadOnlySpan(),
            p = perUnit is null ? default : perUnit.AsReadOnlySpan(), y = output.AsSpan())
        {
            run._step = new() { Gates = a, Input = x, PerUnit = p, Output = y };
            run.Execute(h);
        }

        return Graph.Records(gates, initial, input, perUnit) ? new Node(kernels, gates, initial, input, perUnit, output, run._lengths).Attach(output) : output;
    }

    internal override void Execute(int part)
    {
        var (first, end) = (Cut(part), Cut(part + 1));
        for (var row = 0; row < _rows; row++)
        {
            var length = _lengths.Length == 0 ? _steps : _lengths[row];
            if (length == 0 || first == end)
            {
                continue;
            }

            // Forward from the first step, backward from the last.
            var at = ((nint)row * _steps) + (_backward ? length - 1 : 0);
            var step = _step;
            step.Units = _units;
            step.GateStep = (nint)_kernels.Gates * _units;
            (step.InputStep, step.OutputStep) = (_units, _units);
            step.Gates += at * step.GateStep;
            step.Input += at * _units;
            step.Output += at * _units;
            var initial = _initial + ((nint)row * _units);
            if (!_backward)
            {
                step.Previous = initial;
                _kernels.Forward(step, length, first, end);
                continue;
            }

            step.OutputGradient += at * _units;
            step.GateGradients += at * step.GateStep;
            step.InputGradient += at * _units;
            step.Carried += (nint)row * _units;
            _kernels.Backward(step, length, first, end, initial);
        }
    }

    private void Execute(T* initial)
    {
        _initial = initial;
        Workers.Run(this, _parts);
        _step = default;
        _initial = null;
    }

    // At multiples of a cache line, so that no two threads write one.
    private int Cut(int part) => part >= _parts ? _units : (int)((long)_units * part / _parts / CacheLine<T>.Length * CacheLine<T>.Length);

    private void ClearPastEnds(Span<T> values, int width)
    {
        for (var row = 0; row < _lengths.Length; row++)
        {
            values.Slice(((row * _steps) + _lengths[row]) * width, (_steps - _lengths[row]) * width).Clear();
        }
    }

    private sealed class Node(ScanKernels<T> kernels, Tensor<T> gates, Tensor<T> initial, Tensor<T>? input, Tensor<T>? perUnit, Tensor<T> output, int[] lengths)
        : GraphNode<T>([gates, initial, input, perUnit])
    {
        internal override void Backward()
        {
            var (gates, initial, perUnit) = (Inputs[0]!, Inputs[1]!, Inputs[3]);
            var (rows, steps, units) = (gates.Shape[0], gates.Shape[1], initial.Shape[1]);
            var run = new ScanRun<T>(kernels, rows, steps, units, lengths, backward: true);
            using var carried = Rented.Zeros(rows * units);
            using var sums = Rented.Zeros(units);

            // Gradients that nobody needs go into memory of their own.
            using var unneededGates = Needs(0) ? null : Rented.Zeros(gates.Length);
            using var unneededInput = Inputs[2] is null || Needs(2) ? null : Rented.Zeros(Inputs[2]!.Length);
            var (overwritesGates, overwritesInput) = (false, false);
            var gateGradient = unneededGates is null ? InputGradient(0, out overwritesGates) : unneededGates.Span;
            var inputGradient = Inputs[2] is null ? default : unneededInput is null ? InputGradient(2, out overwritesInput) : unneededInput.Span;
            if (overwritesGates)
            {
                run.ClearPastEnds(gateGradient, kernels.Gates * units);
            }

            if (overwritesInput)
            {
                run.ClearPastEnds(inputGradient, units);
            }

            fixed (T* a = gates.AsReadOnlySpan(), h = initial.AsReadOnlySpan(), x = Inputs[2] is { } input ? input.AsReadOnlySpan() : default,
                p = perUnit is null ? default : perUnit.AsReadOnlySpan(), y = output.AsReadOnlySpan(), dy = OutputGradient(), da = gateGradient, dx = inputGradient,
                carry = carried.Span, sum = sums.Span)
            {
                run._step = new()
                {
                    Gates = a,
                    Input = x,
                    PerUnit = p,
                    Output = y,
                    OutputGradient = dy,
                    Carried = carry,
                    GateGradients = da,
                    InputGradient = dx,
                    PerUnitSums = sum,
                    AddsGateGradients = !overwritesGates,
                    AddsInputGradient = !overwritesInput,
                };
                run.Execute(h);
            }

            if (Needs(1))
            {
                SpanKernels<T>.Add(carried.Span, InputGradient(1));
            }

            if (perUnit is not null && Needs(3))
            {
                // The sums are of the gradient times the number itself; a number of zero has come out of the range of the element type.
                var target = InputGradient(3);
                var values = perUnit.AsReadOnlySpan();
                for (var j = 0; j < units; j++)
                {
                    target[j] += values[j] == T.Zero ? T.Zero : sums.Span[j] / values[j];
                }
            }
        }
    }

    /// <summary>Cleared memory of the pool.</summary>
    private sealed class Rented(T[] array, int length) : IDisposable
    {
        internal Span<T> Span => array.AsSpan(0, length);

        public void Dispose() => TensorPool<T>.Return(array);

        internal static Rented Zeros(int length)
        {
            var rented = new Rented(TensorPool<T>.Rent(length), length);
            rented.Span.Clear();
            return rented;
        }
    }
}
