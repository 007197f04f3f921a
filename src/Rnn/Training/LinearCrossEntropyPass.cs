using System.Numerics;
using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>
/// An output layer and its cross-entropy, a few rows at a time: scores, losses and, where gradients are wanted, the gradients of scores and
/// inputs at once, for a loss gradient of one. Without gradients no more than a few rows of scores exist.
/// </summary>
internal sealed unsafe class LinearCrossEntropyPass<T> : WorkItem
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Rows of scores that are computed together: all weights are read twice for them, from a far cache or from memory. Where no gradient of the scores is kept, no more rows than these bytes hold, but some.
    private const int MostRows = 96;
    private const int FewestRows = 24;
    private const int BytesAtOnce = 4 << 20;
    private const double OperationsPerPart = 2e6;

    private readonly MatrixKernels<T> _kernels = MatrixKernels<T>.Current;
    private readonly Tensor<T> _input;
    private readonly Linear<T> _output;
    private readonly CrossEntropyRows<T> _rows;
    private readonly int _inputs;
    private readonly int _classes;
    private readonly Gradients? _gradients;
    private int _parts;
    private T* _x;
    private T* _bias;
    private T* _scores;
    private T* _dx;
    private PackedPanels<T> _forward;
    private T* _backward;

    internal LinearCrossEntropyPass(Tensor<T> input, Linear<T> output, CrossEntropyRows<T> rows, bool records)
    {
        (_input, _output, _rows) = (input, output, rows);
        (_inputs, _classes) = (output.InputSize, output.OutputSize);
        if (records)
        {
            _gradients = new(checked(rows.Count * _classes), rows.Count * _inputs);
        }
    }

    /// <summary>The number of rows.</summary>
    internal int Count => _rows.Count;

    /// <summary>The rented memory that the backward pass reads; null where none follows.</summary>
    internal Gradients? Kept => _gradients;

    /// <summary>The gradients of the scores [rows, classes].</summary>
    internal ReadOnlySpan<T> ScoreGradients => ScoresToWrite;

    /// <summary>The gradients of the inputs [rows, inputs].</summary>
    internal ReadOnlySpan<T> InputGradients => InputsToWrite;

    private Span<T> ScoresToWrite => _gradients is null ? default : _gradients.Scores.AsSpan(0, Count * _classes);

    private Span<T> InputsToWrite => _gradients is null ? default : _gradients.Inputs.AsSpan(0, Count * _inputs);

    private bool Records => _gradients is not null;

    /// <summary>Takes back what the output weights' gradient has got for a row of a shared table that stays zero.</summary>
    internal void ClearPadding(Span<T> gradient) => _output.Product.ClearPadding(gradient, _inputs);

    /// <summary>Computes the loss and, where they are wanted, the gradients.</summary>
    internal double Forward()
    {
        _parts = (int)Math.Clamp(2.0 * Count * _inputs * _classes / OperationsPerPart, 1, Math.Min(Workers.MaxThreads, Math.Max(1, Count / FewestRows)));
        _rows.SetGradient(T.One);
        var forward = _output.Product.LeaseForward(_output.Weight);
        var backward = Records ? _output.Product.LeaseBackward(_output.Weight) : null;
        try
        {
            fixed (T* x = _input.AsReadOnlySpan(), scores = ScoresToWrite, dx = InputsToWrite, bias = _output.Bias is { } b ? b.Value.AsReadOnlySpan() : default)
            {
                _x = x;
                _scores = scores;
                _dx = dx;
                _bias = bias;
                _forward = forward.Panels;
                _backward = backward is null ? null : backward.Pointer;
                Workers.Run(this, _parts);
                _x = _scores = _dx = _bias = _backward = null;
                _forward = default;
            }
        }
        finally
        {
            _output.Product.Release(forward);
            if (backward is not null)
            {
                _output.Product.Release(backward);
            }
        }

        var loss = _rows.Loss();
        _rows.Release();
        return loss;
    }

    /// <inheritdoc/>
    internal override void Execute(int part)
    {
        var (start, end) = ((int)((long)Count * part / _parts), (int)((long)Count * (part + 1) / _parts));
        if (start == end)
        {
            return;
        }

        var most = Records ? MostRows : Math.Clamp(BytesAtOnce / (_classes * sizeof(T)), FewestRows, MostRows);
        var pieces = (end - start + most - 1) / most;
        var rows = (end - start + pieces - 1) / pieces;

        var scratch = TensorPool<T>.Rent(checked((int)Math.Max(_kernels.MultiplyScratch(rows, _inputs), _kernels.MultiplyScratch(rows, _classes))));
        var own = Records ? null : TensorPool<T>.Rent(rows * _classes);
        try
        {
            fixed (T* memory = scratch, few = own)
            {
                for (var first = start; first < end; first += rows)
                {
                    Rows(first, Math.Min(rows, end - first), few != null ? few : _scores + ((nint)first * _classes), memory);
                }
            }
        }
        finally
        {
            TensorPool<T>.Return(scratch);
            if (own is not null)
            {
                TensorPool<T>.Return(own);
            }
        }
    }

    private void Rows(int first, int count, T* scores, T* scratch)
    {
        _kernels.Multiply(
            new(_x + ((nint)first * _inputs), _inputs), count, _forward, _inputs, _classes, new(scores, _classes), accumulate: false, _bias, 0,
            _kernels.PanelCount(_classes), scratch);
        for (var i = 0; i < count; i++)
        {
            var row = scores + ((nint)i * _classes);
            if (Records)
            {
                _rows.ForwardAndBackward(first + i, row);
            }
            else
            {
                _rows.Forward(first + i, row);
            }
        }

        if (Records)
        {
            _kernels.Multiply(
                new(scores, _classes), count, _backward, _classes, _inputs, new(_dx + ((nint)first * _inputs), _inputs), accumulate: false, null, 0,
                _kernels.PanelCount(_inputs), scratch);
        }
    }

    /// <summary>The gradients as rented. Apart from the pass, which refers to the graph that the input came from.</summary>
    internal sealed class Gradients(int scores, int inputs) : IRecordedMemory
    {
        /// <summary>The gradients of the scores.</summary>
        internal T[]? Scores { get; private set; } = TensorPool<T>.Rent(scores);

        /// <summary>The gradients of the inputs.</summary>
        internal T[]? Inputs { get; private set; } = TensorPool<T>.Rent(inputs);

        /// <summary>The bytes that are rented.</summary>
        internal long Bytes => ((Scores?.Length ?? 0L) + (Inputs?.Length ?? 0L)) * sizeof(T);

        /// <summary>Returns what was rented.</summary>
        public void GiveBack()
        {
            if (Scores is { } rentedScores && Inputs is { } rentedInputs)
            {
                (Scores, Inputs) = (null, null);
                TensorPool<T>.Return(rentedScores);
                TensorPool<T>.Return(rentedInputs);
            }
        }
    }
}
