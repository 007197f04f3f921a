using System.Runtime.CompilerServices;

namespace Rnn.Onnx.Tests.Support;

/// <summary>A test of data that lie beside the repository and are no part of it. It shows as skipped where they are missing.</summary>
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

    internal static string PathOf(string folder) => Path.Combine(Root() ?? ".", "..", "shared", "data", folder);

    private static string? Root([CallerFilePath] string file = "")
    {
        for (var folder = Path.GetDirectoryName(file); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Rnn.sln")))
            {
                return folder;
            }
        }

        return null;
    }
}
