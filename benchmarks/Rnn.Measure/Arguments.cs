using System.Globalization;

namespace Rnn.Measure;

/// <summary>An argument that a program cannot work with; the message is one line that says what is wrong and what is expected.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>The arguments of a command: options with a value each, switches, and free arguments.</summary>
internal sealed class Arguments
{
    private readonly Dictionary<string, string> _options = [];
    private readonly List<string> _free = [];
    private readonly string _usage;

    private Arguments(string usage) => _usage = usage;

    /// <summary>The arguments that belong to no option, in order.</summary>
    public IReadOnlyList<string> Free => _free;

    /// <summary>Takes arguments apart.</summary>
    /// <param name="usage">How the command is called, for error messages.</param>
    /// <param name="arguments">What followed the command's name.</param>
    /// <param name="options">The options that take a value.</param>
    /// <param name="switches">The options that take none.</param>
    /// <param name="free">The number of free arguments.</param>
    /// <exception cref="UsageException">An option is unknown or lacks its value, or there are too few or too many free arguments.</exception>
    public static Arguments Parse(string usage, string[] arguments, string[] options, string[]? switches = null, int free = 0)
    {
        var parsed = new Arguments(usage);
        for (var i = 0; i < arguments.Length; i++)
        {
            var argument = arguments[i];
            if (!argument.StartsWith("--", StringComparison.Ordinal))
            {
                parsed._free.Add(argument);
            }
            else if (switches?.Contains(argument) == true)
            {
                parsed._options[argument] = string.Empty;
            }
            else if (!options.Contains(argument))
            {
                throw parsed.Wrong($"there is no option '{argument}'");
            }
            else if (i + 1 == arguments.Length || arguments[i + 1].StartsWith("--", StringComparison.Ordinal))
            {
                throw parsed.Wrong($"{argument} needs a value");
            }
            else
            {
                parsed._options[argument] = arguments[++i];
            }
        }

        return parsed._free.Count == free ? parsed : throw parsed.Wrong(
            parsed._free.Count > free ? $"'{parsed._free[free]}' is one argument too many" : "an argument is missing");
    }

    /// <summary>Whether a switch was given.</summary>
    public bool Has(string name) => _options.ContainsKey(name);

    /// <summary>The value of an option, or null.</summary>
    public string? Text(string name) => _options.GetValueOrDefault(name);

    /// <summary>The value of an option that must be given.</summary>
    public string Needed(string name) => Text(name) ?? throw Wrong($"{name} is missing");

    /// <summary>The value of an option that must be one of some, or null.</summary>
    public string? Choice(string name, string[] choices) => Text(name) is not { } text || choices.Contains(text)
        ? Text(name)
        : throw Wrong($"{name}: expected {string.Join(" or ", choices)} but got '{text}'");

    /// <summary>The values of an option, separated by commas; empty where it was not given.</summary>
    public string[] List(string name) => Text(name)?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    /// <summary>The whole number above 0 that an option has, or <paramref name="standard"/>.</summary>
    public int Number(string name, int standard) => Text(name) is { } text ? Number(name, text) : standard;

    /// <summary>The whole numbers above 0 that an option has, or <paramref name="standard"/>.</summary>
    public int[] Numbers(string name, int standard) =>
        Text(name) is null ? [standard] : Array.ConvertAll(List(name), text => Number(name, text));

    /// <summary>A whole number above 0 among free arguments.</summary>
    public static int Size(string usage, string text) => new Arguments(usage).Number("size", text);

    /// <summary>The names given, if all are among those that there are.</summary>
    public static string[] Names(string what, string[] given, IEnumerable<string> known) => given.Except(known).FirstOrDefault() is { } missing
        ? throw new UsageException($"there is no {what} '{missing}'; there are {string.Join(", ", known)}.")
        : given;

    /// <summary>An error that names the mistake and how the command is called.</summary>
    public UsageException Wrong(string mistake) => new($"{mistake}; usage: {_usage}");

    private int Number(string name, string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : throw Wrong($"{name}: expected a whole number above 0 but got '{text}'");
}
