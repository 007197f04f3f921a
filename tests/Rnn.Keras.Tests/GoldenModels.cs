using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Rnn.Tensors;

namespace Rnn.Keras.Tests;

/// <summary>The files that make_golden.py has written, and what their models give.</summary>
internal static class GoldenModels
{
    private static readonly JsonElement Expected = ReadExpected();

    /// <summary>The files of whole models.</summary>
    public static IReadOnlyList<string> Names => [.. Expected.EnumerateObject().Select(member => member.Name).Where(name => !name.Contains("weights", StringComparison.Ordinal))];

    /// <summary>Where a file lies.</summary>
    public static string PathOf(string name) => Path.Combine(AppContext.BaseDirectory, "Golden", name);

    /// <summary>The input of a model and its output.</summary>
    public static (Tensor<double> Input, Tensor<double> Output) Case(string name)
    {
        var found = Expected.GetProperty(name);
        return (Read(found.GetProperty("input")), Read(found.GetProperty("output")));
    }

    /// <summary>The archive lstm.keras with another description: its text after a change.</summary>
    public static MemoryStream WithConfig(string name, Func<string, string> change, string? version = null)
    {
        var changed = new MemoryStream();
        using (var from = ZipFile.OpenRead(PathOf(name)))
        using (var to = new ZipArchive(changed, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var entry in from.Entries)
            {
                using var content = new MemoryStream();
                using (var stream = entry.Open())
                {
                    stream.CopyTo(content);
                }

                var bytes = content.ToArray();
                if (entry.Name == "config.json")
                {
                    var text = Encoding.UTF8.GetString(bytes);
                    var other = change(text);
                    Assert.NotEqual(text, other);
                    bytes = Encoding.UTF8.GetBytes(other);
                }
                else if (entry.Name == "metadata.json" && version is not null)
                {
                    bytes = Encoding.UTF8.GetBytes($"{{\"keras_version\": \"{version}\"}}");
                }

                using var target = to.CreateEntry(entry.FullName).Open();
                target.Write(bytes);
            }
        }

        changed.Position = 0;
        return changed;
    }

    /// <summary>Equal to a tolerance, relative to the largest.</summary>
    public static void Close<T>(Tensor<double> expected, Tensor<T> actual, double tolerance)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        Assert.Equal(expected.Shape, actual.Shape);
        var (wanted, given) = (expected.ToArray(), actual.ToArray());
        var largest = wanted.Max(Math.Abs);
        for (var i = 0; i < wanted.Length; i++)
        {
            var difference = Math.Abs(wanted[i] - double.CreateTruncating(given[i]));
            Assert.True(difference <= tolerance * largest, $"[{i}]: expected {wanted[i]:R} but got {given[i]}");
        }
    }

    private static JsonElement ReadExpected()
    {
        using var document = JsonDocument.Parse(File.ReadAllText(PathOf("expected.json")));
        return document.RootElement.Clone();
    }

    private static Tensor<double> Read(JsonElement element) => Tensor<double>.From(
        [.. element.GetProperty("values").EnumerateArray().Select(value => value.GetDouble())],
        [.. element.GetProperty("shape").EnumerateArray().Select(value => value.GetInt32())]);
}
