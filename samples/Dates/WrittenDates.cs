using System.Globalization;
using Rnn.Tensors;
using Samples;

namespace Dates;

/// <summary>Dates from 1950 to 2049 as people write them, and as ISO 8601 writes them. Every form means one date: with points the day comes first, with slashes the year.</summary>
internal static class WrittenDates
{
    private static readonly DateOnly First = new(1950, 1, 1);
    private static readonly DateOnly Last = new(2049, 12, 31);

    private static readonly Func<DateOnly, string>[] Forms =
    [
        date => Text(date, "d MMMM yyyy"),                  // 3 March 2021
        date => Text(date, "MMMM d, yyyy"),                 // March 3, 2021
        date => $"{Text(date, "MMMM")} {Ordinal(date.Day)}, {date.Year}",
        date => $"{Ordinal(date.Day)} of {Text(date, "MMMM yyyy")}",
        date => Text(date, "ddd d MMM yyyy"),               // Wed 3 Mar 2021
        date => Text(date, "dddd, MMMM d, yyyy"),           // Wednesday, March 3, 2021
        date => Text(date, "dd.MM.yy"),                     // 03.03.21; 50 to 99 are of the last century
        date => Text(date, "d.M.yyyy"),                     // 3.3.2021
        date => Text(date, "yyyy/M/d"),                     // 2021/3/3
        date => Text(date, "d-MMM-yy"),                     // 3-Mar-21
        date => Text(date, "yyyyMMdd"),                     // 20210303
        date => Text(date, "MMM d \\'yy").ToLowerInvariant(), // mar 3 '21
    ];

    /// <summary>Pairs of a written date and its ISO form; no date of the second part is in the first.</summary>
    internal static (TextPairs Training, TextPairs Test) Make(RandomSource random, int training, int test)
    {
        var days = random.Permutation(Last.DayNumber - First.DayNumber + 1);
        return (Pairs(training, () => days[test + random.Next(days.Length - test)]), Pairs(test, null));

        TextPairs Pairs(int count, Func<int>? draw)
        {
            DateOnly[] dates = [.. Enumerable.Range(0, count).Select(i => First.AddDays(draw?.Invoke() ?? days[i]))];
            return new([.. dates.Select(date => Forms[random.Next(Forms.Length)](date))], [.. dates.Select(date => Text(date, "yyyy-MM-dd"))]);
        }
    }

    private static string Text(DateOnly date, string format) => date.ToString(format, CultureInfo.InvariantCulture);

    private static string Ordinal(int day) => day + (day is 1 or 21 or 31 ? "st" : day is 2 or 22 ? "nd" : day is 3 or 23 ? "rd" : "th");
}
