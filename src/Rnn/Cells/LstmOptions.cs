namespace Rnn.Cells;

/// <summary>How the gates of an LSTM see its cell state; a type parameter of <see cref="LstmCell{TPeephole, TForget}"/>.</summary>
internal interface IPeephole
{
    /// <summary>Whether each unit's gates see that unit's cell state through a weight of their own.</summary>
    static abstract bool IsDiagonal { get; }

    /// <summary>Whether the gates see all cell states through a matrix.</summary>
    static abstract bool IsFull { get; }

    /// <summary>What the option adds to the cell's name.</summary>
    static abstract string Suffix { get; }
}

/// <summary>The gates do not see the cell state.</summary>
internal readonly struct NoPeephole : IPeephole
{
    /// <inheritdoc/>
    public static bool IsDiagonal => false;

    /// <inheritdoc/>
    public static bool IsFull => false;

    /// <inheritdoc/>
    public static string Suffix => string.Empty;
}

/// <summary>Each unit's gates see that unit's cell state.</summary>
internal readonly struct DiagonalPeephole : IPeephole
{
    /// <inheritdoc/>
    public static bool IsDiagonal => true;

    /// <inheritdoc/>
    public static bool IsFull => false;

    /// <inheritdoc/>
    public static string Suffix => "-peephole";
}

/// <summary>The gates see all cell states through a matrix.</summary>
internal readonly struct FullPeephole : IPeephole
{
    /// <inheritdoc/>
    public static bool IsDiagonal => false;

    /// <inheritdoc/>
    public static bool IsFull => true;

    /// <inheritdoc/>
    public static string Suffix => "-fullpeephole";
}

/// <summary>Where the forget gate of an LSTM comes from; a type parameter of <see cref="LstmCell{TPeephole, TForget}"/>.</summary>
internal interface IForgetGate
{
    /// <summary>Whether there is an input gate of its own.</summary>
    static abstract bool HasInputGate { get; }

    /// <summary>Whether there is a forget gate.</summary>
    static abstract bool HasForgetGate { get; }

    /// <summary>What the option adds to the cell's name.</summary>
    static abstract string Suffix { get; }
}

/// <summary>Input and forget gate are two gates.</summary>
internal readonly struct SeparateForget : IForgetGate
{
    /// <inheritdoc/>
    public static bool HasInputGate => true;

    /// <inheritdoc/>
    public static bool HasForgetGate => true;

    /// <inheritdoc/>
    public static string Suffix => string.Empty;
}

/// <summary>The input gate is one minus the forget gate.</summary>
internal readonly struct CoupledForget : IForgetGate
{
    /// <inheritdoc/>
    public static bool HasInputGate => false;

    /// <inheritdoc/>
    public static bool HasForgetGate => true;

    /// <inheritdoc/>
    public static string Suffix => "-coupled";
}

/// <summary>Nothing is forgotten: the cell of 1997.</summary>
internal readonly struct NoForget : IForgetGate
{
    /// <inheritdoc/>
    public static bool HasInputGate => true;

    /// <inheritdoc/>
    public static bool HasForgetGate => false;

    /// <inheritdoc/>
    public static string Suffix => "-noforget";
}
