using System.Globalization;
using System.Numerics;
using Rnn.Cells;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>The activations of a recurrent layer whose options name others than its cell has by itself.</summary>
public sealed record CellActivations
{
    /// <summary>That of the gates: input, forget and output gate of an LSTM, reset and update gate of a GRU.</summary>
    public ActivationFunction Gate { get; init; } = Activation.Sigmoid;

    /// <summary>That of the candidate, or of the hidden state of a plain recurrent network.</summary>
    public ActivationFunction Candidate { get; init; } = Activation.Tanh;

    /// <summary>That of an LSTM's cell state where the output reads it.</summary>
    public ActivationFunction Output { get; init; } = Activation.Tanh;

    /// <summary>
    /// What the numbers that activations get are cut to, ±Clip: pre-activations, and the cell state where the output reads it; the cell state that the next step reads is not cut. Null for no limit.
    /// </summary>
    public double? Clip { get; init; }

    /// <summary>Whether these are what LSTM and GRU have by themselves.</summary>
    internal bool AreUsual => Clip is null && Gate == Activation.Sigmoid && Candidate == Activation.Tanh && Output == Activation.Tanh;

    /// <summary>The activations, for the arithmetic of a layer.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"gates {Gate}, candidate {Candidate}, output {Output}{(Clip is { } clip ? $", clip {clip:R}" : string.Empty)}");

    /// <summary>What applies them to rows.</summary>
    internal ActivationRows<T> Rows<T>()
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (Clip is { } clip && !(clip > 0 && double.IsFinite(clip)))
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"ActivationClip: expected a positive number, or null for no limit, but got {clip}."), "options");
        }

        return new(Row<T>(Gate), Row<T>(Candidate), Row<T>(Output));
    }

    private ActivationRow<T> Row<T>(ActivationFunction function)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        ActivationChoice.CreateAny<RowFactory<T>, ActivationRow<T>>(function.Kind, new(function, Clip ?? double.PositiveInfinity));

    private readonly struct RowFactory<T>(ActivationFunction function, double clip) : IRowActivationFactory<ActivationRow<T>>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public ActivationRow<T> Create<TActivation>()
            where TActivation : struct, IRowActivation =>
            new ActivationRow<T, TActivation>(Element.From<T>(function.Alpha), Element.From<T>(function.Beta), Element.From<T>(clip));
    }
}
