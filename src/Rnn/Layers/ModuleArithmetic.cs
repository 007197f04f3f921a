using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Rnn.Layers;

/// <summary>What the modules of a file compute, by path, as JSON in its metadata.</summary>
internal static class ModuleArithmetic
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    internal static string Write(IEnumerable<KeyValuePair<string, string>> arithmetics)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Writing))
        {
            writer.WriteStartObject();
            foreach (var (path, arithmetic) in arithmetics)
            {
                writer.WriteString(path, arithmetic);
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    /// <exception cref="InvalidDataException">The text is not what <see cref="Write"/> wrote.</exception>
    internal static Dictionary<string, string> Parse(string text, string source)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var found = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var property in document.RootElement.EnumerateObject())
            {
                found[property.Name] = property.Value.GetString() ?? throw new JsonException($"'{property.Name}' is null");
            }

            return found;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"{source}: what the file says about the arithmetic of its modules is damaged: {exception.Message}", exception);
        }
    }
}
