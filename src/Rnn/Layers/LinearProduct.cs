using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;
using Rnn.Layers.Engine;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>x Wᵀ + b as one recorded operation. Packed weights are kept and packed again only when the weights change.</summary>
/// <remarks>
/// With several heads W is made of blocks of rows, as many heads one after another as often as they are stacked; each block multiplies the columns of its own head alone: block-diagonal matrices without their zeros.
/// </remarks>
internal sealed unsafe class LinearProduct<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // The row of a shared table that stays zero, or −1.
    private readonly int _paddingRow;
    private readonly Lock _gate = new();
    private readonly PackedWeights<T>[] _forward;
    private readonly PackedWeights<T>[] _backward;

    /// <summary>A product with a whole matrix.</summary>
    internal LinearProduct(int? paddingRow)
    {
        _paddingRow = paddingRow ?? -1;
        Heads = 1;
        _forward = [new(_gate)];
        _backward = [new(_gate, transposed: true)];
    }

    /// <summary>A product with stacked block-diagonal matrices.</summary>
    internal LinearProduct(int heads, int stacked, int outputs)
    {
        _paddingRow = -1;
        Heads = heads;
        var rows = outputs / (heads * stacked);
        (_forward, _backward) = (new PackedWeights<T>[heads * stacked], new PackedWeights<T>[heads * stacked]);
        for (var block = 0; block < _forward.Length; block++)
        {
            _forward[block] = new(_gate) { FirstRow = block * rows, Rows = rows };
            _backward[block] = new(_gate, transposed: true) { FirstRow = block * rows, Rows = rows };
        }
    }

    /// <summary>The number of heads.</summary>
    internal int Heads { get; }

    /// <summary>Takes back what the weights' gradient has got for a row that stays zero; nothing else gives it any.</summary>
    internal void ClearPadding(Span<T> gradient, int inputs)
    {
        if (_paddingRow >= 0)
        {
            gradient.Slice(_paddingRow * inputs, inputs).Clear();
        }
    }

    internal Tensor<T> Apply(Tensor<T> input, Tensor<T> weight, Tensor<T>? bias)
    {
        var output = Tensor<T>.Uninitialized([.. input.Shape.Dimensions[..^1], weight.Shape[0]]);
        Apply(input.AsReadOnlySpan(), weight, bias, output.AsSpan());
        return Graph.Records<T>(input, weight, bias) ? new Node(this, input, weight, bias).Attach(output) : output;
    }

    /// <summary>The same of rows in spans, which nothing records.</summary>
    internal void Apply(ReadOnlySpan<T> input, Tensor<T> weight, Tensor<T>? bias, Span<T> output)
    {
        var (outputs, inputs, size) = (weight.Shape[0], weight.Shape[1], weight.Shape[0] / _forward.Length);
        fixed (T* x = input)
        fixed (T* y = output)
        fixed (T* b = bias is null ? default : bias.AsReadOnlySpan())
        {
            for (var block = 0; block < _forward.Length; block++)
            {
                var packed = LeaseForward(weight, block);
                try
                {
                    MatrixProduct<T>.MultiplyPacked(
                        new Rows<T>(x + ((nint)(block % Heads) * inputs), inputs * Heads), input.Length / (inputs * Heads), packed.Panels, inputs, size, new(y + ((nint)block * size), outputs), accumulate: false,
                        b == null ? null : b + ((nint)block * size));
                }
                finally
                {
                    Release(packed);
                }
            }
        }
    }

    /// <summary>The weights, or a block of them, packed for x Wᵀ; <see cref="Release"/> the lease after use.</summary>
    internal PackedMatrix<T> LeaseForward(Tensor<T> weight, int block = 0)
    {
        lock (_gate)
        {
            return _forward[block].Lease(weight);
        }
    }

    /// <summary>The weights, or a block of them, packed for dy W; <see cref="Release"/> the lease after use.</summary>
    internal PackedMatrix<T> LeaseBackward(Tensor<T> weight, int block = 0)
    {
        lock (_gate)
        {
            return _backward[block].Lease(weight);
        }
    }

    /// <summary>Gives a lease back.</summary>
    internal void Release(PackedMatrix<T> lease)
    {
        lock (_gate)
        {
            lease.Release();
        }
    }

    private sealed class Node(LinearProduct<T> owner, Tensor<T> input, Tensor<T> weight, Tensor<T>? bias) : GraphNode<T>([input, weight, bias])
    {
        internal override void Backward()
        {
            var (input, weight) = (Inputs[0]!, Inputs[1]!);
            var (outputs, inputs, blocks, heads) = (weight.Shape[0], weight.Shape[1], owner._forward.Length, owner.Heads);
            var (rows, size) = (input.Length / (inputs * heads), outputs / blocks);
            fixed (T* x = input.AsReadOnlySpan())
            fixed (T* dy = OutputGradient())
            {
                if (Needs(1))
                {
                    var weights = InputGradient(1);
                    fixed (T* dw = weights)
                    {
                        for (var block = 0; block < blocks; block++)
                        {
                            var first = (nint)block * size;
                            MatrixProduct<T>.AddTransposed(
                                new Rows<T>(dy + first, outputs), new(x + ((nint)(block % heads) * inputs), inputs * heads), dw + (first * inputs), rows, size, inputs);
                        }
                    }

                    owner.ClearPadding(weights, inputs);
                }

                if (Needs(2))
                {
                    fixed (T* db = InputGradient(2))
                    {
                        MatrixProduct<T>.AddColumnSums(dy, rows, outputs, db);
                    }
                }

                if (Needs(0))
                {
                    fixed (T* dx = InputGradient(0, out var overwrite))
                    {
                        for (var block = 0; block < blocks; block++)
                        {
                            var packed = owner.LeaseBackward(weight, block);
                            try
                            {
                                // The first of the stacked matrices starts a head's columns, the others add.
                                MatrixProduct<T>.MultiplyPacked(
                                    new Rows<T>(dy + ((nint)block * size), outputs), rows, packed.Pointer, size, inputs, new(dx + ((nint)(block % heads) * inputs), inputs * heads),
                                    !overwrite || block >= heads, null);
                            }
                            finally
                            {
                                owner.Release(packed);
                            }
                        }
                    }
                }
            }
        }
    }
}
