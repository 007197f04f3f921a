using System.Numerics;
using System.Text;
using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>Whether the tensors of a file are those of a module.</summary>
internal static class ModuleFit
{
    /// <summary>Refuses a file whose names, shapes or types are not those of a module, and lists them all.</summary>
    /// <exception cref="InvalidDataException">Something does not fit.</exception>
    internal static void Check<T>(
        List<KeyValuePair<string, Tensor<T>>> tensors, Dictionary<string, WeightEntry> entries, Dictionary<string, WeightEntry> scales, string source, string type)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var missing = tensors.Where(pair => !entries.ContainsKey(pair.Key)).Select(pair => $"{pair.Key} {pair.Value.Shape}");
        var unexpected = entries.Keys.Except(tensors.Select(pair => pair.Key), StringComparer.Ordinal).Select(name => $"{name} {entries[name].Shape}");
        var wrong = tensors
            .Where(pair => entries.TryGetValue(pair.Key, out var entry) && entry.Shape != pair.Value.Shape)
            .Select(pair => $"{pair.Key} expected {pair.Value.Shape} but is {entries[pair.Key].Shape}");
        var unreadable = tensors
            .Where(pair => entries.TryGetValue(pair.Key, out var entry) && !entry.Type.IsFloatingPoint && !scales.ContainsKey(pair.Key))
            .Select(pair => $"{pair.Key} is {entries[pair.Key].Type}");
        var message = new StringBuilder();
        Append(message, "missing", missing);
        Append(message, "unexpected", unexpected);
        Append(message, "of another shape", wrong);
        Append(message, "of another type than F64, F32, F16 or BF16", unreadable);
        if (message.Length > 0)
        {
            throw new InvalidDataException($"{source} does not fit this {type}:{message}");
        }
    }

    /// <summary>Adds a list to the message, where it has items.</summary>
    internal static void Append(StringBuilder message, string what, IEnumerable<string> items)
    {
        var list = string.Join(", ", items);
        if (list.Length > 0)
        {
            message.Append(' ').Append(what).Append(": ").Append(list).Append('.');
        }
    }
}
