using System.Numerics;
using System.Text;
using Rnn.Formats;

namespace Rnn.Training;

/// <summary>The file of a training: one state tree, and the identity of the training that may be resumed from it. It is written whole or not at all.</summary>
internal static class TrainingCheckpoint
{
    private const string FormatKey = "rnn.checkpoint";
    private const string Format = "1";
    private const string HashKey = "rnn.hash";
    private const string IdentityPrefix = "identity.";

    /// <summary>Writes a file.</summary>
    internal static void Write<T>(string path, StateTree<T> state, IEnumerable<KeyValuePair<string, string>> identity)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        state.Set(FormatKey, Format);
        foreach (var (name, text) in identity)
        {
            state.Set(IdentityPrefix + name, text);
        }

        SafeTensors.Write(path, state.Tensors, state.Values.Append(new(HashKey, Hash(state))));
    }

    /// <summary>Reads a file; throws if it is incomplete, changed, or of another training.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, no checkpoint, or of another training: the message says what differs.</exception>
    internal static StateTree<T> Read<T>(string path, IEnumerable<KeyValuePair<string, string>> identity)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var file = SafeTensors.Read(path);
        var name = Path.GetFileName(path);
        if (file.Metadata.GetValueOrDefault(FormatKey) is not { } format)
        {
            throw new InvalidDataException($"{name} is no checkpoint of a training; a model's file is opened by Load.");
        }

        if (format != Format)
        {
            throw new InvalidDataException($"{name} is a checkpoint of format {format}; this version of the library reads format {Format}.");
        }

        var state = new StateTree<T>();
        foreach (var (key, value) in file.Metadata.Where(pair => pair.Key != HashKey))
        {
            state.Set(key, value);
        }

        CheckIdentity(state, identity, name);
        foreach (var entry in file.Entries)
        {
            state.Add(entry.Name, file.Get<T>(entry.Name));
        }

        return Hash(state) == file.Metadata.GetValueOrDefault(HashKey) ? state : throw new InvalidDataException($"{name} is damaged: its content is not what was written.");
    }

    private static void CheckIdentity(StateValues state, IEnumerable<KeyValuePair<string, string>> identity, string name)
    {
        var saved = identity.Select(pair => KeyValuePair.Create(pair.Key, state.Contains(IdentityPrefix + pair.Key) ? state.GetText(IdentityPrefix + pair.Key) : "missing"));
        var differences = Differences(saved, identity, "was", "is now");
        if (differences.Length > 0)
        {
            throw new InvalidDataException($"{name} is the checkpoint of another training; this one cannot go on from it.{differences}");
        }
    }

    /// <summary>A sentence, after a space, for each of the texts that differ.</summary>
    internal static string Differences(IEnumerable<KeyValuePair<string, string>> first, IEnumerable<KeyValuePair<string, string>> second, string was, string isNow)
    {
        var differences = new StringBuilder();
        foreach (var ((key, saved), (_, text)) in first.Zip(second))
        {
            if (saved != text)
            {
                var (before, now) = FirstDifference(saved, text);
                differences.Append($" {key} {was} '{before}' and {isNow} '{now}'.");
            }
        }

        return differences.ToString();
    }

    // Of texts of many lines only the first line that differs.
    private static (string Saved, string Now) FirstDifference(string saved, string now)
    {
        var (before, after) = (saved.Split('\n'), now.Split('\n'));
        var line = 0;
        while (line < Math.Min(before.Length, after.Length) - 1 && before[line] == after[line])
        {
            line++;
        }

        return before[line] == after[line] ? (saved, now) : (before[line].Trim(), after[line].Trim());
    }

    private static string Hash<T>(StateTree<T> state)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var hash = new Fingerprint();
        foreach (var (name, text) in state.Values)
        {
            hash.Add(name.AsSpan());
            hash.Add(text.AsSpan());
        }

        foreach (var (name, tensor) in state.Tensors)
        {
            hash.Add(name.AsSpan());
            hash.Add(tensor.Shape.Dimensions);
            hash.Add(tensor.AsReadOnlySpan());
        }

        return hash.ToString();
    }
}
