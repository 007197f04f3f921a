using System.Globalization;

namespace Rnn.Benchmarks;

/// <summary>The command <c>shapes FILE --threads N [--names A,B]</c>: one JSON object a line for each shape and phase.</summary>
internal static class ShapesCommand
{
    public static int Run(string[] arguments)
    {
        if (!Arguments.TryParse(arguments, ["--threads", "--names", "--phase"], out var parsed) || parsed.Free.Count != 1)
        {
            Console.Error.WriteLine("usage: shapes FILE [--threads N] [--names A,B] [--phase infer|train]");
            return 2;
        }

        var file = parsed.Free[0];
        if (!File.Exists(file))
        {
            Console.Error.WriteLine($"shapes: there is no file '{file}'; give a JSON file of shapes.");
            return 2;
        }

        foreach (var shape in RecurrentShape.Read(file, parsed.List("--names")))
        {
            foreach (var measured in ShapeRunner.Run(shape, parsed.Number("--threads", 1), parsed.Text("--phase")))
            {
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $$"""{"peer": "{{measured.Peer}}", "shape": "{{measured.Shape}}", "threads": {{measured.Threads}}, "phase": "{{measured.Phase}}", "ms": {{measured.Ms:F6}}, "flop": {{measured.Flop:F0}}, "bytes": {{measured.Bytes}}}"""));
            }
        }

        return 0;
    }
}

/// <summary>The few options of the commands here.</summary>
internal sealed class Arguments
{
    private readonly Dictionary<string, string> _options = [];

    public List<string> Free { get; } = [];

    public static bool TryParse(string[] arguments, string[] known, out Arguments parsed)
    {
        parsed = new Arguments();
        for (var i = 0; i < arguments.Length; i++)
        {
            if (!arguments[i].StartsWith("--", StringComparison.Ordinal))
            {
                parsed.Free.Add(arguments[i]);
            }
            else if (known.Contains(arguments[i]) && i + 1 < arguments.Length)
            {
                parsed._options[arguments[i]] = arguments[++i];
            }
            else
            {
                return false;
            }
        }

        return true;
    }

    public string? Text(string name) => _options.GetValueOrDefault(name);

    public string[] List(string name) => Text(name)?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [];

    public int Number(string name, int fallback) => Text(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : fallback;
}
