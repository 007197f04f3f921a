using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Serialization;

namespace Rnn.Benchmarks;

/// <summary>Where and of what a run of measurements was made.</summary>
/// <param name="Command">The command of this program, with its arguments.</param>
/// <param name="Date">The day, UTC.</param>
/// <param name="Commit">The commit of the library, with "+" where files had been changed; null outside a repository.</param>
/// <param name="Processor">The processor.</param>
/// <param name="Cores">The number of logical cores.</param>
/// <param name="Caches">Sizes of the caches of one core.</param>
/// <param name="Limits">What one core can do at most, measured.</param>
/// <param name="Runtime">The .NET runtime.</param>
/// <param name="System">The operating system.</param>
internal sealed record RunFacts(
    string Command, string Date, string? Commit, string Processor, int Cores, string Caches, string Limits, string Runtime, string System)
{
    /// <summary>The facts of a run that begins now.</summary>
    public static RunFacts Now(string command, Roofline limits) => new(
        command, DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), CurrentCommit(), ProcessorName(), Environment.ProcessorCount, CacheSizes(),
        limits.ToString(), RuntimeInformation.FrameworkDescription, RuntimeInformation.OSDescription.Trim());

    /// <summary>A file name for this kind of machine, as amd-epyc-zen3-2-cores.</summary>
    [JsonIgnore]
    public string FileName => string.Join('-', $"{Processor} {Cores} cores".ToLowerInvariant().Split(
        [' ', '(', ')', ',', '@', '.', '/'], StringSplitOptions.RemoveEmptyEntries)).Replace("zen-", "zen", StringComparison.Ordinal);

    /// <summary>Two lines of Markdown.</summary>
    public override string ToString() =>
        $"{Processor}, {Cores} cores, caches {Caches}; {Runtime}, {System}; commit {Commit ?? "unknown"}, {Date}.\n{Limits}.";

    /// <summary>The output of git, or null where it fails.</summary>
    public static string? Git(params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("git", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            var output = process.StandardOutput.ReadToEnd().TrimEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? output : null;
        }
        catch (global::System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    private static string? CurrentCommit() => Git("rev-parse", "--short", "HEAD") is { } commit
        ? Git("status", "--porcelain", "--", "src") is { Length: > 0 } ? $"{commit}+" : commit
        : null;

    private static string ProcessorName()
    {
        const string File = "/proc/cpuinfo";
        if (!global::System.IO.File.Exists(File))
        {
            return RuntimeInformation.ProcessArchitecture.ToString();
        }

        var facts = global::System.IO.File.ReadLines(File).TakeWhile(line => line.Length > 0).Select(line => line.Split(':', 2, StringSplitOptions.TrimEntries))
            .Where(parts => parts.Length == 2).DistinctBy(parts => parts[0]).ToDictionary(parts => parts[0], parts => parts[1]);
        var name = facts.GetValueOrDefault("model name") ?? facts.GetValueOrDefault("CPU part") ?? RuntimeInformation.ProcessArchitecture.ToString();
        return int.TryParse(facts.GetValueOrDefault("cpu family"), out var family) && int.TryParse(facts.GetValueOrDefault("model"), out var model)
            && Core(facts.GetValueOrDefault("vendor_id"), family, model) is { } core
            ? $"{name} ({core})"
            : name;
    }

    // Virtual machines often hide the model's number; family and model say what kind of core it is.
    private static string? Core(string? vendor, int family, int model) => (vendor, family, model) switch
    {
        ("AuthenticAMD", 23, < 0x30) => "Zen 1",
        ("AuthenticAMD", 23, _) => "Zen 2",
        ("AuthenticAMD", 25, < 0x10 or (>= 0x20 and < 0x60)) => "Zen 3",
        ("AuthenticAMD", 25, _) => "Zen 4",
        ("AuthenticAMD", 26, _) => "Zen 5",
        ("GenuineIntel", 6, 85) => "Skylake or Cascade Lake",
        ("GenuineIntel", 6, 106 or 108) => "Ice Lake",
        ("GenuineIntel", 6, 143) => "Sapphire Rapids",
        ("GenuineIntel", 6, 207) => "Emerald Rapids",
        ("GenuineIntel", 6, 173 or 174) => "Granite Rapids",
        _ => null,
    };

    private static string CacheSizes()
    {
        const string Folder = "/sys/devices/system/cpu/cpu0/cache";
        if (!Directory.Exists(Folder))
        {
            return "unknown";
        }

        var caches = Directory.GetDirectories(Folder, "index*")
            .Select(index => (Level: Read(index, "level"), Type: Read(index, "type"), Size: Read(index, "size")))
            .Where(cache => cache.Type is "Data" or "Unified").OrderBy(cache => cache.Level).Select(cache => $"L{cache.Level} {cache.Size}");
        return string.Join(", ", caches);

        static string Read(string index, string name) => File.ReadAllText(Path.Combine(index, name)).Trim();
    }
}
