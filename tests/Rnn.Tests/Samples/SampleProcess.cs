using System.Diagnostics;
using System.Text;

namespace Rnn.Tests.Samples;

/// <summary>Runs a sample as a user does, as a process of its own with redirected output.</summary>
internal static class SampleProcess
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    internal static SampleResult Run(string sample, string folder, params string[] arguments) => Run(sample, folder, [], arguments);

    internal static SampleResult Run(string sample, string folder, Dictionary<string, string> environment, string[] arguments)
    {
        using var process = Start(sample, folder, environment, arguments);
        return Finish(process);
    }

    internal static Process Start(string sample, string folder, params string[] arguments) => Start(sample, folder, [], arguments);

    private static Process Start(string sample, string folder, Dictionary<string, string> environment, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, $"{sample}.dll"));
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    internal static SampleResult Finish(Process process)
    {
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(Limit))
        {
            process.Kill();
            throw new TimeoutException($"The sample did not end within {Limit}.");
        }

        return new(process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }
}

/// <summary>How a sample ended.</summary>
internal sealed record SampleResult(int ExitCode, string Output, string Error)
{
    internal string LastLine => Output.TrimEnd('\n').Split('\n')[^1];
}
