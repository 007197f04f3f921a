using System.Diagnostics;

namespace Rnn.Tests.Architecture;

/// <summary>Runs one of the programs inside this assembly in a process of its own, where the runtime starts anew.</summary>
internal static class ProbeProcess
{
    /// <summary>The lines that the program printed.</summary>
    /// <param name="word">Which program.</param>
    /// <param name="environment">Variables to set, or with null to remove.</param>
    internal static List<string> Run(string word, IReadOnlyDictionary<string, string?> environment)
    {
        var host = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
        var start = new ProcessStartInfo(host, [typeof(ProbeProcess).Assembly.Location, word]) { RedirectStandardOutput = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, output);
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
    }
}
