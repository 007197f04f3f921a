using System.Numerics;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>
/// Cross-entropy over many rows of logits, forward and backward. To compute the exponentials again in the backward pass costs less than to write
/// 50,000 probabilities a row to memory and read them.
/// </summary>
internal sealed unsafe class CrossEntropyPass<T>(Tensor<T> logits, CrossEntropyRows<T> rows) : WorkItem
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int ElementsPerPart = 1 << 15;

    private readonly int _classes = logits.Shape[^1];
    private int _parts;
    private T* _x;
    private T* _gradient;
    private bool _isBackward;
    private bool _overwrite;

    /// <summary>The loss.</summary>
    internal double Forward()
    {
        _isBackward = false;
        RunParts(default);
        return rows.Loss();
    }

    /// <summary>Writes or adds the gradient of the logits.</summary>
    internal void Backward(T outputGradient, Span<T> gradient, bool overwrite)
    {
        rows.SetGradient(outputGradient);
        (_isBackward, _overwrite) = (true, overwrite);
        RunParts(gradient);
    }

    /// <inheritdoc/>
    internal override void Execute(int part)
    {
        var (start, end) = ((int)((long)rows.Count * part / _parts), (int)((long)rows.Count * (part + 1) / _parts));
        for (var i = start; i < end; i++)
        {
            var x = _x + ((nint)i * _classes);
            if (_isBackward)
            {
                rows.Backward(i, x, _gradient + ((nint)i * _classes), _overwrite);
            }
            else
            {
                rows.Forward(i, x);
            }
        }
    }

    private void RunParts(Span<T> gradient)
    {
        _parts = (int)Math.Clamp((long)rows.Count * _classes / ElementsPerPart, 1, Math.Min(Workers.MaxThreads, Math.Max(1, rows.Count)));
        fixed (T* x = logits.AsReadOnlySpan(), g = gradient)
        {
            _x = x;
            _gradient = g;
            Workers.Run(this, _parts);
            _x = _gradient = null;
        }
    }
}
