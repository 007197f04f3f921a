using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>A time series of one or more variables: their names and their values at every step, in the data's own units.</summary>
/// <example>
/// <code>
/// var lines = File.ReadLines("ETTh1.csv").Select(line =&gt; line.Split(',')).ToArray();   // date,HUFL,…,OT
/// var series = new Series&lt;float&gt;(lines[0][1..], Tensor&lt;float&gt;.FromRows([.. lines[1..].Select(row =&gt; row[1..].Select(cell =&gt; float.Parse(cell, CultureInfo.InvariantCulture)).ToArray())]));
/// </code>
/// </example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class Series<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>A series of several variables.</summary>
    /// <param name="names">The name of each variable.</param>
    /// <param name="values">[L, C]: one row for each step, the oldest first, one column for each variable.</param>
    /// <exception cref="ArgumentException">The shape does not fit the names, a name comes twice, or a value is missing (NaN) or infinite: fill it or leave its step out.</exception>
    public Series(IReadOnlyList<string> names, Tensor<T> values)
    {
        ArgumentNullException.ThrowIfNull(names);
        ArgumentNullException.ThrowIfNull(values);
        if (values.Rank != 2 || names.Count == 0 || values.Shape[1] != names.Count)
        {
            throw new ArgumentException($"values: expected [steps, {names.Count}], a column for each name, but got {values.Shape}.", nameof(values));
        }

        if (names.Distinct(StringComparer.Ordinal).Count() != names.Count)
        {
            throw new ArgumentException("names: expected names that differ; one of them comes twice.", nameof(names));
        }

        var span = values.AsReadOnlySpan();
        for (var i = 0; i < span.Length; i++)
        {
            if (!T.IsFinite(span[i]))
            {
                throw new ArgumentException(
                    $"values: expected finite numbers but '{names[i % names.Count]}' is {span[i]} at step {i / names.Count}; fill what is missing, or leave its step out.", nameof(values));
            }
        }

        (Names, Values) = (names.ToArray(), values);
    }

    /// <summary>A series of one variable.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="values">Its value at each step, the oldest first.</param>
    /// <exception cref="ArgumentException">A value is missing (NaN) or infinite.</exception>
    public Series(string name, ReadOnlySpan<T> values)
        : this(new[] { name }, Tensor<T>.From(values, values.Length, 1))
    {
    }

    /// <summary>The names of the variables C.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>[L, C].</summary>
    public Tensor<T> Values { get; }

    /// <summary>The number of steps L.</summary>
    public int Steps => Values.Shape[0];

    /// <summary>The column of a variable.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="ArgumentException">There is no such variable.</exception>
    public int IndexOf(string name)
    {
        var index = Array.IndexOf((string[])Names, name);
        return index >= 0 ? index : throw new ArgumentException($"name: there is no '{name}' in the series, which has {string.Join(", ", Names)}.", nameof(name));
    }

    /// <summary>The values of a variable at every step.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="ArgumentException">There is no such variable.</exception>
    public T[] Column(string name)
    {
        var (column, width) = (IndexOf(name), Names.Count);
        var span = Values.AsReadOnlySpan();
        var values = new T[Steps];
        for (var step = 0; step < values.Length; step++)
        {
            values[step] = span[(step * width) + column];
        }

        return values;
    }

    /// <summary>Some variables, in the order asked for; a copy.</summary>
    /// <param name="names">Their names.</param>
    /// <exception cref="ArgumentException">There is no such variable, none is asked for, or one comes twice.</exception>
    public Series<T> Select(params IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        var columns = names.Select(IndexOf).ToArray();
        var width = Names.Count;
        var span = Values.AsReadOnlySpan();
        var values = new T[Steps * columns.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = span[(i / columns.Length * width) + columns[i % columns.Length]];
        }

        return new(names, Tensor<T>.From(values, Steps, columns.Length));
    }

    /// <summary>Some steps, such as the part to train on, <c>series.Slice(..^24)</c>; a copy.</summary>
    /// <param name="steps">Which.</param>
    /// <exception cref="ArgumentOutOfRangeException">The series has no such steps.</exception>
    public Series<T> Slice(Range steps)
    {
        var (start, count) = steps.GetOffsetAndLength(Steps);
        return new(Names, Tensor<T>.From(Values.AsReadOnlySpan().Slice(start * Names.Count, count * Names.Count), count, Names.Count));
    }

    /// <summary>The variables of this series and behind them those of another one of the same steps; a copy.</summary>
    /// <param name="other">The other series, such as <see cref="Calendar"/> gives.</param>
    /// <exception cref="ArgumentException">The numbers of steps differ, or both have a variable of the same name.</exception>
    public Series<T> Join(Series<T> other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return other.Steps == Steps
            ? new(Names.Concat(other.Names).ToArray(), Tensor<T>.Concat([Values.Detach(), other.Values.Detach()], 1))
            : throw new ArgumentException($"other: expected {Steps} steps, as many as this series has, but got {other.Steps}.", nameof(other));
    }

    /// <summary>
    /// Where in the day, the week and the year each time lies, as sine and cosine, so that the end of a cycle lies beside its beginning: variables that are known in the future too. Their names are
    /// <c>day_sin</c>, <c>day_cos</c>, <c>week_sin</c> and so on.
    /// </summary>
    /// <param name="times">The time of each step.</param>
    /// <param name="cycles">Which cycles.</param>
    /// <exception cref="ArgumentException">No cycle is asked for.</exception>
    public static Series<T> Calendar(IReadOnlyList<DateTime> times, CalendarCycles cycles)
    {
        ArgumentNullException.ThrowIfNull(times);
        var asked = Enum.GetValues<CalendarCycles>().Where(cycle => cycles.HasFlag(cycle)).ToArray();
        if (asked.Length == 0)
        {
            throw new ArgumentException("cycles: expected one cycle or more but got none.", nameof(cycles));
        }

        var width = 2 * asked.Length;
        var values = new T[times.Count * width];
        for (var i = 0; i < times.Count; i++)
        {
            for (var k = 0; k < asked.Length; k++)
            {
                var (sine, cosine) = Math.SinCos(2 * Math.PI * Part(times[i], asked[k]));
                (values[(i * width) + (2 * k)], values[(i * width) + (2 * k) + 1]) = (T.CreateTruncating(sine), T.CreateTruncating(cosine));
            }
        }

        return new(asked.SelectMany(cycle => new[] { $"{cycle}_sin".ToLowerInvariant(), $"{cycle}_cos".ToLowerInvariant() }).ToArray(), Tensor<T>.From(values, times.Count, width));
    }

    /// <summary>The variables and the number of steps in one line.</summary>
    public override string ToString() => $"{Steps} steps of {string.Join(", ", Names)}";

    private static double Part(DateTime time, CalendarCycles cycle)
    {
        var day = time.TimeOfDay.TotalDays;
        return cycle switch
        {
            CalendarCycles.Day => day,
            CalendarCycles.Week => ((int)time.DayOfWeek + day) / 7,
            _ => (time.DayOfYear - 1 + day) / (DateTime.IsLeapYear(time.Year) ? 366 : 365),
        };
    }
}

/// <summary>Cycles of the calendar, to be combined: <c>CalendarCycles.Day | CalendarCycles.Week</c>.</summary>
[Flags]
public enum CalendarCycles
{
    /// <summary>The hours of a day.</summary>
    Day = 1,

    /// <summary>The days of a week.</summary>
    Week = 2,

    /// <summary>The days of a year.</summary>
    Year = 4,
}
