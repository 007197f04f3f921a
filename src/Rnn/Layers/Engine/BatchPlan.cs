namespace Rnn.Layers.Engine;

/// <summary>
/// The rows of a batch in the order in which the engine runs them: longest first, so that at every step the rows still running are the
/// first ones. Step s owns the packed rows <see cref="Offset"/>(s) … + <see cref="Active"/>(s).
/// </summary>
internal sealed class BatchPlan
{
    private int[] _order = [];
    private int[] _sortedLengths = [];
    private int[] _active = [];
    private int[] _offsets = [];
    private bool _ragged;

    /// <summary>Batch rows N.</summary>
    internal int Rows { get; private set; }

    /// <summary>Steps T of the padded batch.</summary>
    internal int Steps { get; private set; }

    /// <summary>Steps that any row runs.</summary>
    internal int RunSteps { get; private set; }

    /// <summary>The sum of all lengths: packed rows.</summary>
    internal int Total { get; private set; }

    /// <summary>Whether the engine's order is the order of the batch.</summary>
    internal bool InOrder { get; private set; }

    /// <summary>Whether all rows run all steps.</summary>
    internal bool IsFull => !_ragged;

    /// <summary>Plans a batch; without lengths all rows run all steps.</summary>
    internal void Set(int rows, int steps, ReadOnlySpan<int> lengths)
    {
        Rows = rows;
        Steps = steps;
        _ragged = false;
        foreach (var length in lengths)
        {
            _ragged |= length != steps;
        }

        InOrder = true;
        if (!_ragged)
        {
            RunSteps = rows == 0 ? 0 : steps;
            Total = rows * steps;
            return;
        }

        Grow(ref _order, rows);
        Grow(ref _sortedLengths, rows);
        Grow(ref _active, steps + 1);
        Grow(ref _offsets, steps + 1);

        // A counting sort by length, stable: rows of one length keep their order.
        var counts = _active.AsSpan(0, steps + 1);
        counts.Clear();
        foreach (var length in lengths)
        {
            counts[length]++;
        }

        var starts = _offsets.AsSpan(0, steps + 1);
        var start = 0;
        for (var length = steps; length >= 0; length--)
        {
            starts[length] = start;
            start += counts[length];
        }

        for (var row = 0; row < rows; row++)
        {
            var place = starts[lengths[row]]++;
            _order[place] = row;
            _sortedLengths[place] = lengths[row];
            InOrder &= place == row;
        }

        RunSteps = rows == 0 ? 0 : _sortedLengths[0];
        var total = 0;
        var active = rows;
        for (var step = 0; step < steps; step++)
        {
            while (active > 0 && _sortedLengths[active - 1] <= step)
            {
                active--;
            }

            _active[step] = active;
            _offsets[step] = total;
            total += active;
        }

        Total = total;
    }

    /// <summary>How many rows run step <paramref name="step"/>.</summary>
    internal int Active(int step) => _ragged ? _active[step] : Rows;

    /// <summary>The first packed row of step <paramref name="step"/>.</summary>
    internal int Offset(int step) => _ragged ? _offsets[step] : step * Rows;

    /// <summary>The batch row that the engine runs as row <paramref name="row"/>.</summary>
    internal int Order(int row) => _ragged ? _order[row] : row;

    /// <summary>The length of the engine's row <paramref name="row"/>.</summary>
    internal int Length(int row) => _ragged ? _sortedLengths[row] : Steps;

    /// <summary>
    /// The first row of part <paramref name="part"/> of <paramref name="parts"/>, cut so that the parts run about the same number of row steps
    /// and begin at a multiple of <paramref name="multiple"/>.
    /// </summary>
    internal int PartStart(int part, int parts, int multiple)
    {
        var start = PartStart(part, parts);
        return start == Rows ? start : start - (start % multiple);
    }

    /// <summary>
    /// The first row of part <paramref name="part"/> of <paramref name="parts"/>, cut so that the parts run about the same number of row steps.
    /// </summary>
    internal int PartStart(int part, int parts)
    {
        if (part <= 0 || part >= parts)
        {
            return part <= 0 ? 0 : Rows;
        }

        if (!_ragged)
        {
            return (int)((long)Rows * part / parts);
        }

        var wanted = (long)Total * part / parts;
        var sum = 0L;
        for (var row = 0; row < Rows; row++)
        {
            if (sum >= wanted)
            {
                return row;
            }

            sum += _sortedLengths[row];
        }

        return Rows;
    }

    private static void Grow(ref int[] array, int length)
    {
        if (array.Length < length)
        {
            array = new int[Math.Max(length, array.Length * 2)];
        }
    }
}
