using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>
/// A batch of windows of tokens with the token that follows each: the input of one step of truncated backpropagation through time. A source
/// fills the same arrays again for the next window.
/// </summary>
public sealed class TokenWindow : IRowBatch<TokenWindow>
{
    internal TokenWindow(int rows, int steps)
    {
        Rows = rows;
        InputArray = new int[rows * steps];
        TargetArray = new int[rows * steps];
        Lengths = [];
        Resets = new bool[rows];
    }

    /// <summary>The target of steps without a loss.</summary>
    public const int NoTarget = -100;

    /// <summary>The parallel rows N.</summary>
    public int Rows { get; }

    /// <summary>The steps T of this window; the last one of a stream may be shorter than the others.</summary>
    public int Steps { get; internal set; }

    /// <summary>The tokens [N, T], row-major.</summary>
    public ReadOnlySpan<int> Inputs => InputArray.AsSpan(0, Rows * Steps);

    /// <summary>
    /// The token that follows each step, [N, T]; <see cref="NoTarget"/> where the step was counted in an earlier window or lies past the
    /// end of its row.
    /// </summary>
    public ReadOnlySpan<int> Targets => TargetArray.AsSpan(0, Rows * Steps);

    /// <summary>The valid steps of each row; empty where all are full.</summary>
    public ReadOnlySpan<int> ValidSteps => Lengths;

    /// <summary>Whether a row begins a new sequence, or has none left: then its state is reset.</summary>
    public ReadOnlySpan<bool> Starts => Resets;

    /// <summary>The steps after which the state is taken for the next window: T, or less where windows overlap.</summary>
    public int CarrySteps { get; internal set; }

    /// <summary>The targets that count.</summary>
    public int TargetCount { get; internal set; }

    /// <summary>Neighbouring rows in arrays of their own; of as many steps as this window, whatever their lengths.</summary>
    /// <inheritdoc/>
    public TokenWindow TakeRows(int start, int count)
    {
        var rows = new RowRange(start, count, Rows);
        var part = new TokenWindow(count, Steps) { Steps = Steps, CarrySteps = CarrySteps, Lengths = Lengths.Length == 0 ? [] : rows.Of(Lengths) };
        Inputs.Slice(start * Steps, count * Steps).CopyTo(part.InputArray);
        Targets.Slice(start * Steps, count * Steps).CopyTo(part.TargetArray);
        Starts.Slice(start, count).CopyTo(part.Resets);
        part.TargetCount = part.Targets.Length - part.Targets.Count(NoTarget);
        return part;
    }

    /// <summary>The same window in arrays of its own.</summary>
    internal TokenWindow Copy()
    {
        var copy = new TokenWindow(Rows, Steps) { Steps = Steps, CarrySteps = CarrySteps, TargetCount = TargetCount, Lengths = [.. Lengths] };
        Inputs.CopyTo(copy.InputArray);
        Targets.CopyTo(copy.TargetArray);
        Starts.CopyTo(copy.Resets);
        return copy;
    }

    /// <summary>Takes targets out of the loss.</summary>
    internal void Ignore(int target)
    {
        if (target == NoTarget)
        {
            return;
        }

        foreach (ref var each in TargetArray.AsSpan(0, Rows * Steps))
        {
            if (each == target)
            {
                each = NoTarget;
                TargetCount--;
            }
        }
    }

    internal int[] InputArray { get; }

    internal int[] TargetArray { get; }

    internal int[] Lengths { get; set; }

    internal bool[] Resets { get; }
}
