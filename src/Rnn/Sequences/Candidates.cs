using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Sequences;

/// <summary>
/// The best few of many numbers, each known by its place: what a beam search chooses from. Numbers are added in ascending order of their places; of equal ones those that came first are kept, and come first.
/// </summary>
internal sealed class Candidates
{
    // Numbers are looked at one by one only in blocks that hold one good enough.
    private const int Block = 128;

    // A heap while numbers are added: the worst one first.
    private double[] _values = [];
    private long[] _places = [];
    private int _capacity;

    /// <summary>How many there are.</summary>
    internal int Count { get; private set; }

    /// <summary>A candidate, after <see cref="Sort"/> the best first.</summary>
    internal (long Place, double Value) this[int index] => (_places[index], _values[index]);

    /// <summary>Begins anew.</summary>
    /// <param name="capacity">How many to keep.</param>
    internal void Clear(int capacity)
    {
        (Count, _capacity) = (0, capacity);
        if (_values.Length < capacity)
        {
            (_values, _places) = (new double[capacity], new long[capacity]);
        }
    }

    /// <summary>Adds numbers, each after something is added to it; those that are −∞ do not count.</summary>
    /// <param name="values">The numbers.</param>
    /// <param name="offset">What is added.</param>
    /// <param name="place">The place of the first number.</param>
    internal void Add<T>(ReadOnlySpan<T> values, double offset, long place)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var start = 0; start < values.Length; start += Block)
        {
            var block = values.Slice(start, Math.Min(Block, values.Length - start));
            if (Count == _capacity && double.CreateTruncating(SpanKernels<T>.Extreme(block, largest: true)) + offset <= _values[0])
            {
                continue;
            }

            for (var i = 0; i < block.Length; i++)
            {
                var value = double.CreateTruncating(block[i]) + offset;
                if (value > (Count < _capacity ? double.NegativeInfinity : _values[0]))
                {
                    Insert(value, place + start + i);
                }
            }
        }
    }

    /// <summary>Brings the best to the front.</summary>
    internal void Sort()
    {
        // The worst goes behind the others, again and again.
        for (var last = Count - 1; last > 0; last--)
        {
            var (value, place) = (_values[last], _places[last]);
            (_values[last], _places[last]) = (_values[0], _places[0]);
            Sink(value, place, last);
        }
    }

    private void Insert(double value, long place)
    {
        if (Count == _capacity)
        {
            Sink(value, place, Count);
            return;
        }

        var at = Count++;
        while (at > 0 && IsWorse(value, place, (at - 1) / 2))
        {
            (_values[at], _places[at]) = (_values[(at - 1) / 2], _places[(at - 1) / 2]);
            at = (at - 1) / 2;
        }

        (_values[at], _places[at]) = (value, place);
    }

    // Puts a number in the place of the worst one of the first few.
    private void Sink(double value, long place, int count)
    {
        var at = 0;
        for (var child = 1; child < count; child = (2 * at) + 1)
        {
            if (child + 1 < count && IsWorse(_values[child + 1], _places[child + 1], child))
            {
                child++;
            }

            if (IsWorse(value, place, child))
            {
                break;
            }

            (_values[at], _places[at]) = (_values[child], _places[child]);
            at = child;
        }

        (_values[at], _places[at]) = (value, place);
    }

    private bool IsWorse(double value, long place, int other) => value < _values[other] || (value == _values[other] && place > _places[other]);
}
