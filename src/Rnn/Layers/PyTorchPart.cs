using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>One parameter or buffer and the tensors of a PyTorch state dict that hold the same numbers. This one is the same in both.</summary>
/// <param name="target">The parameter or buffer here.</param>
/// <param name="shape">The shape of each of the tensors there.</param>
/// <param name="names">Their names.</param>
internal class PyTorchPart<T>(Tensor<T> target, Shape shape, params string[] names)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The parameter or buffer here.</summary>
    internal Tensor<T> Target => target;

    /// <summary>The shape of each of the tensors there.</summary>
    internal Shape Shape => shape;

    /// <summary>The names of the tensors there.</summary>
    internal string[] Names => names;

    /// <summary>The tensors there, in the order of <see cref="Names"/>; what is the same in both shares its memory.</summary>
    internal virtual Tensor<T>[] ToPyTorch() => [target.Detach()];

    /// <summary>The numbers here from those there.</summary>
    internal virtual void FromPyTorch(Tensor<T>[] theirs, Span<T> ours) => theirs[0].AsReadOnlySpan().CopyTo(ours);

    private protected static Tensor<T> New(T[] values, Shape shape) => new(new Storage<T>(values), shape);
}

/// <summary>Weights whose rows are gates, one block of H rows each, in another order there.</summary>
/// <param name="target">The weights here.</param>
/// <param name="name">The name there.</param>
/// <param name="blocks">The block here for each of the blocks there.</param>
/// <param name="negated">The block there whose numbers have the other sign, or −1.</param>
internal sealed class PyTorchGateRows<T>(Tensor<T> target, string name, int[] blocks, int negated) : PyTorchPart<T>(target, target.Shape, name)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal override Tensor<T>[] ToPyTorch()
    {
        var values = new T[Target.Length];
        var size = values.Length / blocks.Length;
        for (var i = 0; i < blocks.Length; i++)
        {
            Copy(Target.AsReadOnlySpan().Slice(blocks[i] * size, size), values.AsSpan(i * size, size), i == negated);
        }

        return [New(values, Shape)];
    }

    internal override void FromPyTorch(Tensor<T>[] theirs, Span<T> ours)
    {
        var size = ours.Length / blocks.Length;
        for (var i = 0; i < blocks.Length; i++)
        {
            Copy(theirs[0].AsReadOnlySpan().Slice(i * size, size), ours.Slice(blocks[i] * size, size), i == negated);
        }
    }

    private static void Copy(ReadOnlySpan<T> source, Span<T> destination, bool negates)
    {
        for (var i = 0; i < source.Length; i++)
        {
            destination[i] = negates ? -source[i] : source[i];
        }
    }
}

/// <summary>The biases of gates: one here, there one of the input product and one of the recurrent product, of which only the sum counts, except where a gate reads them apart.</summary>
/// <param name="target">The biases here.</param>
/// <param name="hidden">H.</param>
/// <param name="inputName">The name of the input product's biases there.</param>
/// <param name="recurrentName">The name of the recurrent product's biases there.</param>
/// <param name="inputBlocks">The block here for each block of the input product's biases.</param>
/// <param name="recurrentBlocks">The block here for each block of the recurrent product's biases: another one where both are read apart.</param>
/// <param name="negated">The block there whose numbers have the other sign, or −1.</param>
internal sealed class PyTorchBiases<T>(Tensor<T> target, int hidden, string inputName, string recurrentName, int[] inputBlocks, int[] recurrentBlocks, int negated)
    : PyTorchPart<T>(target, new Shape(inputBlocks.Length * hidden), inputName, recurrentName)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal override Tensor<T>[] ToPyTorch()
    {
        var (input, recurrent) = (new T[Shape.ElementCount], new T[Shape.ElementCount]);
        var ours = Target.AsReadOnlySpan();
        for (var i = 0; i < input.Length; i++)
        {
            var (block, unit) = (i / hidden, i % hidden);
            var value = ours[(inputBlocks[block] * hidden) + unit];
            input[i] = block == negated ? -value : value;
            recurrent[i] = inputBlocks[block] == recurrentBlocks[block] ? T.Zero : ours[(recurrentBlocks[block] * hidden) + unit];
        }

        return [New(input, Shape), New(recurrent, Shape)];
    }

    internal override void FromPyTorch(Tensor<T>[] theirs, Span<T> ours)
    {
        var input = theirs[0].AsReadOnlySpan();
        var recurrent = theirs[1].AsReadOnlySpan();
        for (var i = 0; i < input.Length; i++)
        {
            var (block, unit) = (i / hidden, i % hidden);
            var isOne = inputBlocks[block] == recurrentBlocks[block];
            var value = isOne ? input[i] + recurrent[i] : input[i];
            ours[(inputBlocks[block] * hidden) + unit] = block == negated ? -value : value;
            if (!isOne)
            {
                ours[(recurrentBlocks[block] * hidden) + unit] = recurrent[i];
            }
        }
    }
}

/// <summary>The taps of a convolution: [O, K·I] here, the oldest first, [O, I, K] there.</summary>
internal sealed class PyTorchTaps<T>(Tensor<T> target, string name, int inputs, int taps) : PyTorchPart<T>(target, new Shape(target.Shape[0], inputs, taps), name)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal override Tensor<T>[] ToPyTorch()
    {
        var values = new T[Target.Length];
        Transpose(Target.AsReadOnlySpan(), values, taps, inputs);
        return [New(values, Shape)];
    }

    internal override void FromPyTorch(Tensor<T>[] theirs, Span<T> ours) => Transpose(theirs[0].AsReadOnlySpan(), ours, inputs, taps);

    // Each output's matrix of [rows, columns].
    private static void Transpose(ReadOnlySpan<T> source, Span<T> destination, int rows, int columns)
    {
        for (var start = 0; start < source.Length; start += rows * columns)
        {
            for (var i = 0; i < rows * columns; i++)
            {
                destination[start + (i % columns * rows) + (i / columns)] = source[start + i];
            }
        }
    }
}
