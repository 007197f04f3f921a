namespace Rnn.Cells;

/// <summary>Whether the cell state of an LSTM is layer-normalised before its tanh, and with it the gate products; a type parameter of the LSTM cells.</summary>
internal interface INormalization
{
    /// <summary>Whether they are (Ba, Kiros and Hinton 2016, arXiv:1607.06450).</summary>
    static abstract bool Normalizes { get; }

    /// <summary>What the option adds to the cell's name.</summary>
    static abstract string Suffix { get; }
}

/// <summary>Nothing is normalised.</summary>
internal readonly struct Unnormalized : INormalization
{
    /// <inheritdoc/>
    public static bool Normalizes => false;

    /// <inheritdoc/>
    public static string Suffix => string.Empty;
}

/// <summary>Gate products are normalised over their rows, and so is the cell state of an LSTM before its tanh.</summary>
internal readonly struct LayerNormalized : INormalization
{
    /// <summary>What layer normalisation adds to the name of a cell.</summary>
    internal const string NameSuffix = "-layernorm";

    /// <inheritdoc/>
    public static bool Normalizes => true;

    /// <inheritdoc/>
    public static string Suffix => NameSuffix;
}
