using System.Numerics;
using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Models;

/// <summary>How a decoder looks at what the encoder has read.</summary>
public enum DecoderAttention
{
    /// <summary>Not at all: the state that the decoder starts with says everything (Sutskever, Vinyals and Le 2014, arXiv:1409.3215).</summary>
    None,

    /// <summary>Before each step, by a small network of the last output; the context is part of the step's input (Bahdanau, Cho and Bengio 2015, arXiv:1409.0473).</summary>
    Bahdanau,

    /// <summary>After each step, by the product of output and memory, which must have the same size (Luong, Pham and Manning 2015, arXiv:1508.04025, "dot").</summary>
    LuongDot,

    /// <summary>After each step, by a learned product of output and memory (Luong et al. 2015, "general").</summary>
    LuongGeneral,

    /// <summary>After each step, by a small network of the output (Luong et al. 2015, "concat").</summary>
    LuongConcat,
}

/// <summary>The state that a decoder starts with.</summary>
public enum DecoderStart
{
    /// <summary>The encoder's final state, where it has the names and shapes of the decoder's; else as <see cref="Projection"/>.</summary>
    Encoder,

    /// <summary>tanh of a learned projection of the encoder's last output, one for each tensor of the state.</summary>
    Projection,

    /// <summary>The decoder's own initial state: zeros or learned. Only attention tells it of the source.</summary>
    Own,
}

/// <summary>Options of an <see cref="EncoderDecoder{T}"/>.</summary>
public sealed record EncoderDecoderOptions
{
    /// <summary>How the decoder looks at what the encoder has read.</summary>
    public DecoderAttention Attention { get; init; } = DecoderAttention.LuongGeneral;

    /// <summary>
    /// Whether the attentional vector of each step is part of the next one's input, so that a decoder with Luong's attention knows where it has looked (Luong et al. 2015, section 3.3). Steps then run one
    /// after the other in training too.
    /// </summary>
    public bool InputFeeding { get; init; }

    /// <summary>The state that the decoder starts with.</summary>
    public DecoderStart Start { get; init; } = DecoderStart.Encoder;

    /// <summary>The probability of dropping each value of an embedding in training, from 0 to below 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not from [0, 1).</exception>
    public double EmbeddingDropout
    {
        get;
        init => field = OptionRange.BelowOne(value, nameof(EmbeddingDropout));
    }

    /// <summary>The probability of dropping each value that the output layer reads in training, from 0 to below 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not from [0, 1).</exception>
    public double Dropout
    {
        get;
        init => field = OptionRange.BelowOne(value, nameof(Dropout));
    }

    /// <summary>
    /// The seed of everything but the two layers, each part of which draws numbers of its own. Null for the next one of the process (see <see cref="RandomSource.SetSeed"/>), so that two models differ.
    /// </summary>
    public ulong? Seed { get; init; }

    /// <summary>A source that gives the seed, by one number, in place of <see cref="Seed"/>; null for none.</summary>
    public RandomSource? Random { get; init; }

    /// <summary>Refuses options of which one would do nothing, or the decoder never learn of the source.</summary>
    internal void Check()
    {
        if (!Enum.IsDefined(Attention))
        {
            throw new ArgumentOutOfRangeException("options", Attention, $"Attention: there is no DecoderAttention {Attention}.");
        }

        if (Attention == DecoderAttention.None && InputFeeding)
        {
            throw new ArgumentException("InputFeeding: there is no attentional vector to feed without attention; choose an Attention or leave it out.", "options");
        }

        if (Attention == DecoderAttention.None && Start == DecoderStart.Own)
        {
            throw new ArgumentException("Start: without attention the decoder knows the source by the state it starts with alone; choose an Attention, or the start Encoder or Projection.", "options");
        }
    }

    /// <summary>The attention that these options name; null for none.</summary>
    internal Attention<T>? NewAttention<T>(int querySize, int memorySize, ulong seed)
        where T : unmanaged, IFloatingPointIeee754<T> => Attention switch
        {
            DecoderAttention.Bahdanau or DecoderAttention.LuongConcat => new AdditiveAttention<T>(querySize, memorySize, querySize, seed),
            DecoderAttention.LuongDot => new DotAttention<T>(querySize),
            DecoderAttention.LuongGeneral => new GeneralAttention<T>(querySize, memorySize, seed),
            _ => null,
        };
}
