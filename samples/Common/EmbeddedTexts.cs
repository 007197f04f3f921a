using System.Reflection;
using System.Text;

namespace Samples;

/// <summary>The sources of the library, which a program carries inside as a text to learn.</summary>
public static class EmbeddedTexts
{
    /// <summary>All sources that an assembly embeds under <c>sources/</c>, one after the other in the order of their names.</summary>
    public static string Read(Assembly assembly)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        var text = new StringBuilder();
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.StartsWith("sources/", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            text.Append(reader.ReadToEnd().ReplaceLineEndings("\n")).Append('\n');
        }

        return text.ToString();
    }
}
