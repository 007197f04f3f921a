using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Rnn.Tests.Architecture;

/// <summary>The project's source files as they lie on the disk that built the tests.</summary>
internal static partial class SourceTree
{
    /// <summary>The repository's root, or null where the tests run without their sources.</summary>
    internal static string? Root { get; } = FindRoot();

    /// <summary>The files of the library.</summary>
    internal static IReadOnlyList<SourceFile> Library { get; } = Read("src/Rnn");

    /// <summary>All C# files of the repository below a folder.</summary>
    internal static IReadOnlyList<SourceFile> Read(string folder)
    {
        Assert.True(Root is not null, "The architecture tests read the project's source files, which are not where this assembly was built.");
        var start = Path.Combine(Root, folder);
        return
        [
            .. Directory.EnumerateFiles(start, "*.cs", SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(start, path).Replace('\\', '/'))
                .Where(path => !BuildOutput().IsMatch(path))
                .Order(StringComparer.Ordinal)
                .Select(path => new SourceFile(path, File.ReadAllLines(Path.Combine(start, path)))),
        ];
    }

    [GeneratedRegex("(^|/)(bin|obj)/")]
    private static partial Regex BuildOutput();

    private static string? FindRoot([CallerFilePath] string file = "")
    {
        string?[] starts = [Path.GetDirectoryName(file), AppContext.BaseDirectory, Environment.CurrentDirectory];
        foreach (var start in starts)
        {
            for (var folder = start; folder is not null; folder = Path.GetDirectoryName(folder))
            {
                if (File.Exists(Path.Combine(folder, "Rnn.sln")))
                {
                    return folder;
                }
            }
        }

        return null;
    }
}

/// <summary>One source file.</summary>
/// <param name="Path">Its path below the folder that was read, with slashes.</param>
/// <param name="Lines">Its lines.</param>
internal sealed partial record SourceFile(string Path, string[] Lines)
{
    /// <summary>The room: the folder at the top.</summary>
    public string Room => Path.Split('/')[0];

    /// <summary>The namespace that the file declares.</summary>
    public string? Namespace => Lines.Select(line => NamespaceLine().Match(line)).FirstOrDefault(match => match.Success)?.Groups[1].Value;

    /// <summary>The namespaces of the library that the file names, in using lines and in qualified names.</summary>
    public IEnumerable<string> References =>
        Lines.SelectMany(line => Reference().Matches(CommentAndText().Replace(line, string.Empty)))
            .Select(match => match.Groups[1].Value)
            .Distinct();

    [GeneratedRegex(@"^namespace ([\w.]+)")]
    private static partial Regex NamespaceLine();

    [GeneratedRegex(@"(?<![\w.])Rnn\.([A-Z]\w*)")]
    private static partial Regex Reference();

    [GeneratedRegex(@"//.*$|^namespace .*$|""(?:[^""\\]|\\.)*""")]
    private static partial Regex CommentAndText();
}
