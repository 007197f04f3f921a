using System.Globalization;
using System.Numerics;

namespace Rnn.Sequences;

/// <summary>Throws where an option is out of its range, and else gives it back.</summary>
internal static class OptionRange
{
    internal static TNumber AtLeast<TNumber>(int least, TNumber value, string name)
        where TNumber : IBinaryInteger<TNumber> =>
        value >= TNumber.CreateTruncating(least) ? value : throw new ArgumentOutOfRangeException(name, value, $"{name}: expected {least} or more but got {value}.");

    internal static TNumber? AtLeast<TNumber>(int least, TNumber? value, string name)
        where TNumber : struct, IBinaryInteger<TNumber> => value is { } number ? AtLeast(least, number, name) : null;

    internal static double NotNegative(double value, string name) =>
        value >= 0 && double.IsFinite(value) ? value : throw OutOfRange(name, value, "a finite number of zero or more");

    internal static double AboveZero(double value, string name, string what = "finite number") =>
        value > 0 && double.IsFinite(value) ? value : throw OutOfRange(name, value, $"a {what} above zero");

    internal static TimeSpan? AboveZero(TimeSpan? value, string name) => value is null || value > TimeSpan.Zero
        ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{name}: expected a time above zero but got {value}.");

    internal static double Within(double value, double low, double high, string name) =>
        value >= low && value <= high ? value : throw OutOfRange(name, value, string.Create(CultureInfo.InvariantCulture, $"a number from {low} to {high}"));

    internal static double BelowOne(double value, string name) =>
        value is >= 0 and < 1 ? value : throw OutOfRange(name, value, "a number from 0 up to but not including 1");

    /// <summary>The exception for a number that is not what was expected.</summary>
    internal static ArgumentOutOfRangeException OutOfRange(string name, double value, string expected) =>
        new(name, value, string.Create(CultureInfo.InvariantCulture, $"{name}: expected {expected} but got {value}."));
}
