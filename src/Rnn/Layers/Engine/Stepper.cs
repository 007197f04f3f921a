using System.Diagnostics;
using System.Numerics;

namespace Rnn.Layers.Engine;

/// <summary>
/// A stack of layers that runs N rows one step at a time, in evaluation: no graph, no lock, no allocation. Its rows can be selected, repeated,
/// reordered and reset, as beam search and batched generation need. Not for several threads at once.
/// </summary>
internal sealed class Stepper<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Steps closer than this are taken to follow each other: a tenth of a millisecond.
    private static readonly long BackToBack = Stopwatch.Frequency / 10_000;

    // Rows whose step takes longer than to wake a thread.
    private const int ManyRows = 8;

    private readonly LayerStepper<T>[] _layers;
    private readonly bool _isLarge;
    private long _lastStep;

    /// <summary>Makes a stepper of layers from the bottom up, all of the same number of rows.</summary>
    internal Stepper(LayerStepper<T>[] layers)
    {
        _layers = layers;
        _isLarge = Array.Exists(layers, layer => layer.IsLarge);
    }

    /// <summary>The number of rows N.</summary>
    internal int Rows => _layers[0].Rows;

    /// <summary>The number of layers.</summary>
    internal int Layers => _layers.Length;

    /// <summary>The number of states of each layer.</summary>
    internal int States => _layers[0].Shape.Layout.States.Count;

    /// <summary>The size of a row of a state.</summary>
    internal int StateSize(int layer, int state) => _layers[layer].Shape.StateSize(state);

    /// <summary>Runs one step.</summary>
    /// <param name="input">The input [N, I].</param>
    /// <param name="output">Receives the output [N, O].</param>
    internal void Step(ReadOnlySpan<T> input, Span<T> output)
    {
        Debug.Assert(input.Length == Rows * _layers[0].Shape.InputSize, "The input is [rows, input size].");
        Debug.Assert(output.Length == Rows * _layers[^1].Shape.OutputSize, "The output is [rows, output size].");
        if (Rows == 0)
        {
            return;
        }

        // For few rows other threads help only while steps follow each other at once: to wake one for a single step would cost more than it saves.
        var shares = _isLarge && (Rows >= ManyRows || Stopwatch.GetTimestamp() - _lastStep < BackToBack);
        var below = input;
        foreach (var layer in _layers)
        {
            below = layer.Step(below, shares);
        }

        below.CopyTo(output);
        if (_isLarge)
        {
            _lastStep = Stopwatch.GetTimestamp();
        }
    }

    /// <summary>Puts all rows back to their initial states: zeros, or the learned ones.</summary>
    internal void Reset()
    {
        foreach (var layer in _layers)
        {
            layer.Reset();
        }
    }

    /// <summary>Puts some rows back to their initial states.</summary>
    /// <param name="rows">The rows, each from 0 to N − 1.</param>
    internal void ResetRows(ReadOnlySpan<int> rows)
    {
        foreach (var layer in _layers)
        {
            foreach (var row in rows)
            {
                layer.ResetRow(row);
            }
        }
    }

    /// <summary>Goes on with other rows: row i with the states that row <paramref name="rows"/>[i] has now. N becomes the number of entries.</summary>
    /// <param name="rows">Rows from 0 to N − 1; they may be left out and come more than once. More rows than ever before allocate memory.</param>
    internal void SelectRows(ReadOnlySpan<int> rows)
    {
        foreach (var layer in _layers)
        {
            layer.SelectRows(rows);
        }
    }

    /// <summary>Copies a state of all rows to [N, size].</summary>
    internal void CopyStateTo(int layer, int state, Span<T> destination) => _layers[layer].CopyStateTo(state, destination);

    /// <summary>Sets a state of all rows from [N, size].</summary>
    internal void CopyStateFrom(int layer, int state, ReadOnlySpan<T> source) => _layers[layer].CopyStateFrom(state, source);
}
