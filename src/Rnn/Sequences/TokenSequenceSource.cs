using System.Globalization;
using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>
/// Walks through separate sequences of tokens in N parallel rows: a row that has finished its sequence begins the next one with the
/// next window. With windows as long as the longest sequence this is backpropagation through whole sequences, else truncated.
/// </summary>
public sealed class TokenSequenceSource : BatchSource<TokenWindow>
{
    private readonly IReadOnlyList<int[]> _sequences;
    private readonly int[] _given;
    private readonly int[] _order;
    private readonly int[] _sequenceOfRow;
    private readonly int[] _position;
    private readonly int _steps;
    private int _taken;

    /// <summary>Windows of sequences.</summary>
    /// <param name="sequences">The sequences; from each token the next one is to be predicted, so those of fewer than two tokens give nothing.</param>
    /// <param name="rows">N, the parallel rows.</param>
    /// <param name="steps">The most steps of a window; null for whole sequences.</param>
    /// <param name="random">Where the order of the sequences in each pass comes from; null for the order given.</param>
    /// <exception cref="ArgumentException">A number is out of range, or no sequence has two tokens.</exception>
    public TokenSequenceSource(IReadOnlyList<int[]> sequences, int rows, int? steps = null, RandomSource? random = null)
        : base(random)
    {
        ArgumentNullException.ThrowIfNull(sequences);
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        OptionRange.AtLeast(1, steps, nameof(steps));

        var longest = sequences.Count == 0 ? 0 : sequences.Max(sequence => sequence.Length);
        if (longest < 2)
        {
            throw new ArgumentException("sequences: expected one of two tokens or more; there is nothing to predict.", nameof(sequences));
        }

        _sequences = sequences;
        _given = [.. Enumerable.Range(0, sequences.Count).Where(i => sequences[i].Length >= 2)];
        _order = [.. _given];
        rows = Math.Min(rows, _order.Length);
        _steps = Math.Min(steps ?? int.MaxValue, longest - 1);
        if ((long)rows * _steps > Array.MaxLength)
        {
            throw new ArgumentException(
                $"sequences: {rows} rows of windows of {_steps} steps are {(long)rows * _steps} tokens, more than the {Array.MaxLength} of an array; use fewer rows, or fewer steps.", nameof(sequences));
        }

        _sequenceOfRow = new int[rows];
        _position = new int[rows];
        Current = new(rows, _steps) { Lengths = new int[rows] };
    }

    /// <inheritdoc/>
    public override TokenWindow Current { get; }

    /// <inheritdoc/>
    public override string Identity
    {
        get
        {
            var hash = new Fingerprint();
            foreach (var sequence in _sequences)
            {
                hash.Add<int>(sequence);
            }

            return string.Create(CultureInfo.InvariantCulture, $"{_sequences.Count} sequences ({hash}), {Current.Rows} rows, windows of {_steps} steps{(Random is null ? string.Empty : ", shuffled")}");
        }
    }

    /// <inheritdoc/>
    protected internal override TokenWindow CopyCurrent() => Current.Copy();

    /// <inheritdoc/>
    protected override void OnBeginPass()
    {
        // From the order given, so that a pass depends on the random source alone and not on the passes before.
        _given.CopyTo(_order, 0);
        Random?.Shuffle(_order.AsSpan());
        _taken = 0;
        _sequenceOfRow.AsSpan().Fill(-1);
    }

    /// <inheritdoc/>
    protected override bool OnMoveNext()
    {
        var window = Current;
        window.Steps = 0;
        for (var row = 0; row < window.Rows; row++)
        {
            window.Resets[row] = Advance(row);
            window.Lengths[row] = _sequenceOfRow[row] < 0 ? 0 : Math.Min(_steps, _sequences[_sequenceOfRow[row]].Length - 1 - _position[row]);
            window.Steps = Math.Max(window.Steps, window.Lengths[row]);
        }

        window.TargetCount = 0;
        window.CarrySteps = window.Steps;
        for (var row = 0; row < window.Rows && window.Steps > 0; row++)
        {
            var length = window.Lengths[row];
            var inputs = window.InputArray.AsSpan(row * window.Steps, window.Steps);
            var targets = window.TargetArray.AsSpan(row * window.Steps, window.Steps);
            inputs[length..].Clear();
            targets[length..].Fill(TokenWindow.NoTarget);
            if (length > 0)
            {
                var source = _sequences[_sequenceOfRow[row]].AsSpan(_position[row], length + 1);
                source[..^1].CopyTo(inputs);
                source[1..].CopyTo(targets);
                _position[row] += length;
                window.TargetCount += length;
            }
        }

        return window.Steps > 0;
    }

    // Takes the next sequence where the row's own has ended; true where a new one begins, or none is left and no state matters.
    private bool Advance(int row)
    {
        var sequence = _sequenceOfRow[row];
        if (sequence >= 0 && _position[row] < _sequences[sequence].Length - 1)
        {
            return false;
        }

        _sequenceOfRow[row] = _taken < _order.Length ? _order[_taken++] : -1;
        _position[row] = 0;
        return true;
    }
}
