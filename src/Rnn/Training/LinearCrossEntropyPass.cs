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
    // Scores of one piece of work: they stay in the second cache beside the weights that stream through.
    private const int BytesAtOnce = 1 << 19;
    private const int FewestRows = 24;
    private const double OperationsPerPart = 2e6;

    private readonly MatrixKernels<T> _kernels = MatrixKernels<T>.Current;
    private readonly Tensor<T> _input;
    private readonly Linear<T> _output;
    private readonly CrossEntropyRows<T> _rows;
    private readonly int _inputs;
    private readonly int _classes;
    private T[]? _scoreGradients;
    private T[]? _inputGradients;
    private int _parts;
    private T* _x;
    private T* _bias;
    private T* _scores;
    private T* _dx;
    private T* _forward;
    private T* _backward;

    internal LinearCrossEntropyPass(Tensor<T> input, Linear<T> output, CrossEntropyRows<T> rows, bool records)
    {
        (_input, _output, _rows) = (input, output, rows);
        (_inputs, _classes) = (output.InputSize, output.OutputSize);
        if (records)
        {
            _scoreGradients = TensorPool<T>.Rent(checked(rows.Count * _classes));
            _inputGradients = TensorPool<T>.Rent(rows.Count * _inputs);
        }
    }

    /// <summary>The number of rows.</summary>
    internal int Count => _rows.Count;

    /// <summary>The gradients of the scores [rows, classes].</summary>
    internal ReadOnlySpan<T> ScoreGradients => _scoreGradients.AsSpan(0, Count * _classes);

    /// <summary>The gradients of the inputs [rows, inputs].</summary>
    internal ReadOnlySpan<T> InputGradients => _inputGradients.AsSpan(0, Count * _inputs);

    private bool Records => _scoreGradients is not null;

    /// <summary>Computes the loss and, where they are wanted, the gradients.</summary>
    internal double Forward()
    {
        _parts = (int)Math.Clamp(2.0 * Count * _inputs * _classes / OperationsPerPart, 1, Math.Min(Workers.MaxThreads, Math.Max(1, Count / FewestRows)));
        _rows.SetGradient(T.One);
        _forward = _output.Product.PackForward(_output.Weight);
        _backward = Records ? _output.Product.PackBackward(_output.Weight) : null;
        fixed (T* x = _input.AsReadOnlySpan(), scores = _scoreGradients, dx = _inputGradients, bias = _output.Bias is { } b ? b.Value.AsReadOnlySpan() : default)
        {
            _x = x;
            _scores = scores;
            _dx = dx;
            _bias = bias;
            Workers.Run(this, _parts);
            _x = _scores = _dx = _bias = null;
        }

        var loss = _rows.Loss();
        _rows.Release();
        return loss;
    }

    /// <summary>Returns what was rented.</summary>
    internal void Release()
    {
        if (_scoreGradients is { } scores && _inputGradients is { } inputs)
        {
            (_scoreGradients, _inputGradients) = (null, null);
            TensorPool<T>.Return(scores);
            TensorPool<T>.Return(inputs);
        }
    }

    /// <inheritdoc/>
    internal override void Execute(int part)
    {
        var (start, end) = ((int)((long)Count * part / _parts), (int)((long)Count * (part + 1) / _parts));
        var rows = Math.Min(Math.Max(FewestRows, BytesAtOnce / (_classes * sizeof(T))), end - start);
        if (rows == 0)
        {
            return;
        }

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
            _rows.Forward(first + i, row);
            if (Records)
            {
                _rows.Backward(first + i, row, row, fresh: true);
            }
        }

        if (Records)
        {
            _kernels.Multiply(
                new(scores, _classes), count, _backward, _classes, _inputs, new(_dx + ((nint)first * _inputs), _inputs), accumulate: false, null, 0,
                _kernels.PanelCount(_inputs), scratch);
        }
    }
}
