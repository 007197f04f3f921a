using Rnn.Measure;

namespace Rnn.Benchmarks;

/// <summary>Where reports go.</summary>
internal static class Reports
{
    /// <summary>The file of <c>--out</c>, or one in artifacts/benchmarks.</summary>
    public static string Target(Arguments parsed, string name)
    {
        var target = parsed.Text("--out") ?? Path.Combine("artifacts", "benchmarks", $"{name}.md");
        return Path.GetExtension(target) == ".md" ? target : throw parsed.Wrong($"--out: expected a name that ends in .md but got '{target}'");
    }

    /// <summary>Prints a report and writes it; the exit code of the command.</summary>
    public static int Write(string target, string report, Samples samples)
    {
        if (samples.All.Count == 0)
        {
            Console.Error.WriteLine("nothing was measured");
            return 1;
        }

        Console.WriteLine(report);
        File.WriteAllText(target, report);
        Console.Error.WriteLine($"written to {Path.GetFullPath(target)}");
        return 0;
    }
}
