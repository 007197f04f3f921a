using System.Numerics;
using Rnn.Layers.Engine;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>
/// A residual connection: layers whose input is added to their output, y = x + f(x) (He et al. 2016, arXiv:1512.03385). With a normalisation first, as deep stacks have it:
/// <c>new Residual&lt;float&gt;(new RmsNorm&lt;float&gt;(256), new MinGru&lt;float&gt;(256, 256))</c>.
/// </summary>
/// <remarks>
/// The layers stand in a <see cref="SequenceChain{T}"/> named <c>layers</c>, whose state is this layer's. <c>Last</c> is theirs with the input at each row's last step.
/// </remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class Residual<T> : SequenceLayer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>A residual connection around layers whose output has the size of their input.</summary>
    /// <param name="layers">The layers of f, first first; as those of a <see cref="SequenceChain{T}"/>.</param>
    /// <exception cref="ArgumentException">The layers do not fit together, or their output has another size than their input.</exception>
    public Residual(params ReadOnlySpan<Layer<T>> layers)
        : this(new SequenceChain<T>(layers))
    {
    }

    /// <summary>A residual connection around a chain whose output has the size of its input.</summary>
    /// <param name="layers">The chain f.</param>
    /// <exception cref="ArgumentException">The chain's output has another size than its input.</exception>
    public Residual(SequenceChain<T> layers)
    {
        ArgumentNullException.ThrowIfNull(layers);
        if (layers.InputSize != layers.OutputSize)
        {
            throw new ArgumentException($"layers: expected an output of the input's size, {layers.InputSize}, to which it is added, but they give {layers.OutputSize}.", nameof(layers));
        }

        Layers = AddModule("layers", layers);
    }

    /// <summary>The layers of f.</summary>
    public SequenceChain<T> Layers { get; }

    /// <inheritdoc/>
    public override int InputSize => Layers.InputSize;

    /// <inheritdoc/>
    public override int OutputSize => Layers.OutputSize;

    /// <inheritdoc/>
    public override bool IsCausal => Layers.IsCausal;

    /// <inheritdoc/>
    public override bool HasLearnedInitialState => Layers.HasLearnedInitialState;

    internal static string Type => "residual";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Description => $"{InputSize}";

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("layers", (Module<T>)Layers);
    }

    internal static Residual<T> Read(DescriptionReader reader) => new((SequenceChain<T>)reader.GetModule<T>("layers"));

    /// <inheritdoc/>
    public override SequenceState<T> ZeroState(int rows) => Layers.ZeroState(rows);

    /// <inheritdoc/>
    public override SequenceState<T> InitialState(int rows) => Layers.InitialState(rows);

    /// <inheritdoc/>
    public override SequenceLayerOutput<T> Forward(Tensor<T> input, ReadOnlySpan<int> lengths, SequenceState<T>? initialState = null)
    {
        var inner = Layers.Forward(input, lengths, initialState);
        return new(ResidualSum.Apply(inner.Output, input, lengths), inner.FinalState, inner.Last + ResidualSum.AtEnd(input, lengths, backward: false));
    }

    /// <inheritdoc/>
    public override SequenceStepper<T> CreateStepper(int rows = 1)
    {
        CheckCausal(nameof(CreateStepper));
        return new ResidualStepper<T>(this, rows);
    }
}
