using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;

namespace Samples;

/// <summary>Options of a command line that say what is wrong with a value.</summary>
public static class InputOptions
{
    /// <summary>An option with a text.</summary>
    /// <param name="name">The option, with its dashes.</param>
    /// <param name="help">What stands for the value in the help, such as FILE.</param>
    /// <param name="description">What it is for.</param>
    /// <param name="mayBeEmpty">Whether an empty text is a value.</param>
    public static Option<string?> Text(string name, string help, string description, bool mayBeEmpty = false)
    {
        var option = new Option<string?>(name) { HelpName = help, Description = description };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value.Length: 0 }] && !mayBeEmpty)
            {
                result.AddError($"{name}: expected {help} but got nothing.");
            }
        });
        return option;
    }

    /// <summary>An option with a whole number.</summary>
    public static Option<T?> Whole<T>(string name, string help, string description, int minimum = 1)
        where T : struct, IBinaryInteger<T> =>
        Number(name, help, description, T.CreateChecked(minimum), $"a whole number of {minimum} or more");

    /// <summary>An option with a number above 0.</summary>
    public static Option<double?> Positive(string name, string help, string description) => Number(name, help, description, double.Epsilon, "a number above 0");

    /// <summary>An option with a number of 0 or more.</summary>
    public static Option<double?> NotNegative(string name, string help, string description) => Number(name, help, description, 0.0, "a number of 0 or more");

    /// <summary>An option with a probability below 1.</summary>
    public static Option<double?> Probability(string name, string help, string description) =>
        Number(name, help, description, 0.0, "a probability from 0 to below 1", below: 1);

    /// <summary>An option with one of some names, the members of an enumeration, in lower case.</summary>
    public static Option<T?> Choice<T>(string name, string description)
        where T : struct, Enum
    {
        string[] names = [.. Enum.GetNames<T>().Select(member => member.ToLowerInvariant())];
        return new(name)
        {
            HelpName = string.Join('|', names),
            Description = description,
            CustomParser = result =>
            {
                var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "nothing";
                if (Array.IndexOf(names, text.ToLowerInvariant()) >= 0)
                {
                    return Enum.Parse<T>(text, ignoreCase: true);
                }

                result.AddError($"{name}: expected one of {string.Join(", ", names)} but got {text}.");
                return null;
            },
        };
    }

    private static Option<T?> Number<T>(string name, string help, string description, T minimum, string expected, double below = double.PositiveInfinity)
        where T : struct, INumber<T> => new(name)
        {
            HelpName = help,
            Description = description,
            CustomParser = result => Parse(result, name, minimum, expected, below),
        };

    private static T? Parse<T>(ArgumentResult result, string name, T minimum, string expected, double below)
        where T : struct, INumber<T>
    {
        var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "nothing";
        if (T.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= minimum && T.IsFinite(value)
            && double.CreateChecked(value) < below)
        {
            return value;
        }

        result.AddError($"{name}: expected {expected} but got {text}.");
        return null;
    }
}
