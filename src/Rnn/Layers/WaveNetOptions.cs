using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>Options of a <see cref="WaveNet{T}"/>.</summary>
public sealed record WaveNetOptions
{
    /// <summary>The size R of what goes from layer to layer.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int ResidualChannels
    {
        get;
        init => field = AtLeast(1, value, nameof(ResidualChannels));
    } = 32;

    /// <summary>The size D of a layer's gated units, of which each is a product of two channels.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int DilationChannels
    {
        get;
        init => field = AtLeast(1, value, nameof(DilationChannels));
    } = 32;

    /// <summary>The size S of the sum of all layers' skip connections, and of the output.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int SkipChannels
    {
        get;
        init => field = AtLeast(1, value, nameof(SkipChannels));
    } = 64;

    /// <summary>The taps K of each convolution.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 2.</exception>
    public int KernelSize
    {
        get;
        init => field = AtLeast(2, value, nameof(KernelSize));
    } = 2;

    /// <summary>The layers of a block, whose dilations are 1, 2, 4, …; at most 24.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not from 1 to 24.</exception>
    public int LayersPerBlock
    {
        get;
        init => field = value <= 24
            ? AtLeast(1, value, nameof(LayersPerBlock))
            : throw new ArgumentOutOfRangeException(nameof(LayersPerBlock), value, $"LayersPerBlock: expected 24 or less, since each layer doubles the dilation, but got {value}.");
    } = 8;

    /// <summary>How many times the block of layers comes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int Blocks
    {
        get;
        init => field = AtLeast(1, value, nameof(Blocks));
    } = 2;

    /// <summary>
    /// The size C of the condition, which stands behind the input in every step and which every layer's gates read: features of each step (local conditioning), one vector that is the same at all steps of a
    /// row (global conditioning), or both one behind the other. 0 for none.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int ConditionSize
    {
        get;
        init => field = AtLeast(0, value, nameof(ConditionSize));
    }

    /// <summary>The seed of the initialisation; null for the next one of the process (see <see cref="RandomSource.SetSeed"/>), so that two layers differ.</summary>
    public ulong? Seed { get; init; }

    /// <summary>A source that gives the seed, by one number, in place of <see cref="Seed"/>; null for none.</summary>
    public RandomSource? Random { get; init; }

    private static int AtLeast(int least, int value, string name) =>
        value >= least ? value : throw new ArgumentOutOfRangeException(name, value, $"{name}: expected {least} or more but got {value}.");
}
