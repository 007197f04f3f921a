using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Keras;

/// <summary>What Keras does within a layer, or as one, and Rnn has no layer for.</summary>
public enum KerasOperationKind
{
    /// <summary>Softmax over the last dimension.</summary>
    Softmax,

    /// <summary>The steps of [N, T, size] from the last to the first: what <c>go_backwards</c> with <c>return_sequences</c> gives.</summary>
    ReverseTime,

    /// <summary>[N, T, size] as [T, N, size] and back: <c>time_major</c>.</summary>
    SwapBatchAndTime,

    /// <summary>The first half of the last dimension times the second: <c>merge_mode='mul'</c> of a bidirectional layer.</summary>
    MultiplyHalves,
}

/// <summary>A layer without weights that stands for something Keras does, in the network of a <see cref="KerasModel{T}"/>.</summary>
/// <remarks>A model with such a layer that was saved as safetensors opens where <see cref="Register"/> has been called, or any Keras model loaded.</remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class KerasOperation<T> : Layer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const string Type = "keras-operation";

    /// <summary>A layer that does one thing.</summary>
    /// <param name="kind">What it does.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is none of the kinds.</exception>
    public KerasOperation(KerasOperationKind kind)
    {
        if (!Enum.IsDefined(kind))
        {
            throw new ArgumentOutOfRangeException(nameof(kind), kind, $"kind: {kind} is none of {string.Join(", ", Enum.GetNames<KerasOperationKind>())}.");
        }

        Kind = kind;
    }

    /// <summary>What it does.</summary>
    public KerasOperationKind Kind { get; }

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Description => $"{Kind}";

    /// <inheritdoc/>
    protected override string Arithmetic => $"keras {Kind}";

    /// <summary>Lets <c>Open</c> know these layers.</summary>
    public static void Register() => ModuleCatalog.Register<T>(
        Type, reader => Enum.TryParse<KerasOperationKind>(reader.GetString("kind"), out var kind) && Enum.IsDefined(kind)
            ? new KerasOperation<T>(kind)
            : throw new InvalidDataException($"the operation '{reader.GetString("kind")}' is unknown"));

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("kind", Kind.ToString());
    }

    /// <summary>Computes it.</summary>
    /// <param name="input">[…, size] for <see cref="KerasOperationKind.Softmax"/> and <see cref="KerasOperationKind.MultiplyHalves"/>, [N, T, size] for the others.</param>
    public override Tensor<T> Forward(Tensor<T> input)
    {
        ArgumentNullException.ThrowIfNull(input);
        switch (Kind)
        {
            case KerasOperationKind.Softmax:
                return input.Softmax();
            case KerasOperationKind.MultiplyHalves:
                var half = input.Shape[-1] / 2;
                return input.Slice(input.Rank - 1, ..half) * input.Slice(input.Rank - 1, half..);
            case KerasOperationKind.SwapBatchAndTime:
                return input.Permute(1, 0, 2);
            default:
                return input.IndexSelect(1, Enumerable.Range(0, input.Shape[1]).Reverse().ToArray());
        }
    }
}
