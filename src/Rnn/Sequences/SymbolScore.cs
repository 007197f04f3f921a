namespace Rnn.Sequences;

/// <summary>What a network says right of a <see cref="SymbolBatch"/>.</summary>
/// <param name="Steps">The steps at which something was to be said.</param>
/// <param name="RightSteps">Those at which it was right.</param>
/// <param name="Rows">The sequences.</param>
/// <param name="RightRows">Those of which every step was right.</param>
public readonly record struct SymbolScore(long Steps, long RightSteps, long Rows, long RightRows)
{
    /// <summary>The share of steps that are right; not a number where there are none.</summary>
    public double Accuracy => (double)RightSteps / Steps;

    /// <summary>The share of sequences that are right throughout; not a number where there are none.</summary>
    public double RowAccuracy => (double)RightRows / Rows;

    /// <summary>The score of the batches of both.</summary>
    /// <param name="left">One score.</param>
    /// <param name="right">Another.</param>
    public static SymbolScore operator +(SymbolScore left, SymbolScore right) => Add(left, right);

    /// <summary>The score of the batches of both.</summary>
    /// <param name="left">One score.</param>
    /// <param name="right">Another.</param>
    public static SymbolScore Add(SymbolScore left, SymbolScore right) =>
        new(left.Steps + right.Steps, left.RightSteps + right.RightSteps, left.Rows + right.Rows, left.RightRows + right.RightRows);
}
