using Rnn.Tests.Architecture;

namespace Rnn.Tests.Samples;

/// <summary>A test of real data, which lie beside the repository and are no part of it. <c>dotnet test</c> shows it as skipped where they are missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SharedDataFactAttribute : FactAttribute
{
    public SharedDataFactAttribute(string folder)
    {
        if (!Directory.Exists(PathOf(folder)))
        {
            Skip = $"There is no ../shared/data/{folder} beside the repository.";
        }
    }

    internal static string PathOf(string folder) => Path.Combine(SourceTree.Root ?? ".", "..", "shared", "data", folder);
}
