using System.Diagnostics;
using System.Formats.Tar;
using Rnn.Measure;

namespace Rnn.Benchmarks;

/// <summary>
/// The library of one commit, or of the working tree as it stands, copied out of the repository into a folder of its own and built there together with today's
/// measuring program (benchmarks/Rnn.Measure), which uses the public API alone.
/// </summary>
/// <param name="Name">The short hash, or "working tree".</param>
/// <param name="Program">The built measuring program.</param>
internal sealed record CommitBuild(string Name, string Program)
{
    private const string Measure = "benchmarks/Rnn.Measure";

    /// <summary>Builds a commit.</summary>
    /// <param name="top">The top folder of the repository.</param>
    /// <param name="cache">Where builds are kept; the sources of a commit are copied once.</param>
    /// <param name="revision">What git knows a commit by; null for the working tree.</param>
    /// <exception cref="UsageException">There is no such commit, or it does not build with today's measuring program.</exception>
    public static CommitBuild Make(string top, string cache, string? revision)
    {
        var hash = revision is null ? null : RunFacts.Git("-C", top, "rev-parse", "--verify", "--quiet", $"{revision}^{{commit}}")
            ?? throw new UsageException($"the repository has no commit '{revision}'.");
        var name = hash is null ? "working tree" : hash[..9];
        var folder = Path.Combine(cache, hash ?? "working-tree");
        Console.Error.WriteLine($"building {name} in {folder}");
        if (hash is null)
        {
            CopyWorkingTree(top, folder);
        }
        else if (!Directory.Exists(folder))
        {
            Extract(top, hash, folder);
        }

        var project = Path.Combine(folder, Measure);
        Directory.CreateDirectory(project);
        // What an earlier comparison has left there may since have been renamed.
        Array.ForEach(Directory.GetFiles(project), File.Delete);
        foreach (var file in Directory.GetFiles(Path.Combine(top, Measure)))
        {
            File.Copy(file, Path.Combine(project, Path.GetFileName(file)), overwrite: true);
        }

        Build(name, project);
        return new(name, Path.Combine(project, "bin", "Release", "net10.0", "Rnn.Measure.dll"));
    }

    private static void CopyWorkingTree(string top, string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        var files = RunFacts.Git("-C", top, "ls-files", "--cached", "--others", "--exclude-standard", "--", "src", "Directory.Build.props")
            ?? throw new UsageException($"git does not list the files of '{top}'.");
        foreach (var file in files.Split('\n').Where(file => File.Exists(Path.Combine(top, file))))
        {
            var target = Path.Combine(folder, file);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(Path.Combine(top, file), target);
        }
    }

    private static void Extract(string top, string hash, string folder)
    {
        // Into a folder of another name first, so that one under its own name is complete.
        var partial = Directory.CreateDirectory($"{folder}.{Environment.ProcessId}").FullName;
        string[] arguments = ["-C", top, "archive", hash, "--", "src", "Directory.Build.props"];
        using (var git = Process.Start(new ProcessStartInfo("git", arguments) { RedirectStandardOutput = true })!)
        {
            TarFile.ExtractToDirectory(git.StandardOutput.BaseStream, partial, overwriteFiles: true);
            git.WaitForExit();
        }

        Directory.Move(partial, folder);
    }

    private static void Build(string name, string project)
    {
        string[] arguments =
        [
            "build", project, "-c", "Release", "-v", "q", "--nologo", "-p:RunAnalyzers=false", "-p:EnforceCodeStyleInBuild=false", "-p:TreatWarningsAsErrors=false",
        ];
        using var build = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true })!;
        var output = build.StandardOutput.ReadToEnd();
        build.WaitForExit();
        if (build.ExitCode != 0)
        {
            throw new UsageException($"{name} does not build: {output.Split('\n').FirstOrDefault(line => line.Contains("error", StringComparison.Ordinal))?.Trim()}");
        }
    }
}
