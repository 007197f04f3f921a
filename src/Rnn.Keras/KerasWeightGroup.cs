using System.Globalization;
using System.Text.RegularExpressions;

namespace Rnn.Keras;

/// <summary>
/// The weights of a layer in a file: in files of Keras 3 those below a path, in older ones a list. Layers made of others hand parts of them on.
/// </summary>
internal sealed partial class KerasWeightGroup
{
    private readonly HdfFile _file;
    private readonly string _path;
    private readonly string[]? _list;

    private KerasWeightGroup(HdfFile file, string path, string[]? list) => (_file, _path, _list) = (file, path, list);

    /// <summary>Where it is, for messages.</summary>
    internal string Path => _path;

    /// <summary>The weights of a layer of a model.</summary>
    /// <param name="file">The file.</param>
    /// <param name="nodes">The layers of the model.</param>
    /// <param name="node">One of them.</param>
    internal static KerasWeightGroup OfLayer(HdfFile file, IReadOnlyList<KerasNode> nodes, KerasNode node)
    {
        if (OldRoot(file) is { } root)
        {
            return Old(file, $"{root}/{node.Config.Name}");
        }

        // Keras 3 names layers by their class and number of this class. Where a group says the layer's name it must be this one.
        var root3 = file.IsGroup("layers") ? "layers" : "_layer_checkpoint_dependencies";
        var number = nodes.Count(other => other.Place < node.Place && other.Config.ClassName == node.Config.ClassName);
        var byClass = $"{root3}/{SnakeCase(node.Config.ClassName)}{(number == 0 ? string.Empty : $"_{number.ToString(CultureInfo.InvariantCulture)}")}";
        var byName = $"{root3}/{node.Config.Name}";
        var saysOther = file.Text($"{byClass}/vars", "name") is { } said && said != node.Config.Name;
        return new(file, !file.IsGroup(byClass) || (saysOther && file.IsGroup(byName)) ? byName : byClass, null);
    }

    /// <summary>The weights at a path, such as <c>layers/lstm</c>; in old files the name of a layer.</summary>
    /// <exception cref="InvalidDataException">There are none.</exception>
    internal static KerasWeightGroup At(HdfFile file, string path)
    {
        var group = OldRoot(file) is { } root ? Old(file, $"{root}/{path}") : new(file, path.Trim('/'), null);
        return file.IsGroup(group._path)
            ? group
            : throw new InvalidDataException($"{file.Source}: there is no layer '{path}'; the layers are {string.Join(", ", Layers(file))}.");
    }

    /// <summary>The paths of all layers that have weights of their own or in a part.</summary>
    internal static IReadOnlyList<string> Layers(HdfFile file)
    {
        if (OldRoot(file) is { } root)
        {
            return file.Texts(root, "layer_names") ?? Array.Empty<string>();
        }

        var root3 = file.IsGroup("layers") ? "layers" : "_layer_checkpoint_dependencies";
        return file.Children(root3).Select(name => $"{root3}/{name}").Where(path => HasWeights(file, path, depth: 0)).ToArray();
    }

    /// <summary>The paths of all weights, layer by layer.</summary>
    internal static IEnumerable<string> Paths(HdfFile file) => OldRoot(file) is { } root
        ? Layers(file).SelectMany(layer => Old(file, $"{root}/{layer}")._list!).Select(path => path.TrimStart('/'))
        : Layers(file).SelectMany(layer => PathsBelow(file, layer, depth: 0));

    /// <summary>The weights of a part, such as the cell of a recurrent layer.</summary>
    /// <param name="attribute">What Keras 3 calls it.</param>
    /// <param name="index">Which of the equal shares of the list it has in older files.</param>
    /// <param name="count">The number of shares.</param>
    internal KerasWeightGroup Part(string attribute, int index = 0, int count = 1)
    {
        if (_list is null)
        {
            return new(_file, $"{_path}/{attribute}", null);
        }

        var share = _list.Length / count;
        return share * count == _list.Length
            ? new(_file, _path, _list[(index * share)..((index + 1) * share)])
            : throw new InvalidDataException($"{_file.Source}: the layer '{_path}' has {_list.Length} weights; expected the same number for each of {count} parts.");
    }

    /// <summary>The weights, as many as one of the counts.</summary>
    /// <exception cref="InvalidDataException">There are others.</exception>
    internal HdfArray[] Arrays(KerasConfig? config, params ReadOnlySpan<int> counts)
    {
        var paths = _list ?? [.. _file.Children($"{_path}/vars").Where(IsNumber).OrderBy(name => int.Parse(name, CultureInfo.InvariantCulture)).Select(name => $"{_path}/vars/{name}")];
        if (counts.Contains(paths.Length))
        {
            return [.. paths.Select(_file.Array)];
        }

        var problem = $"there are {paths.Length} weights at '{_path}'; expected {string.Join(" or ", counts.ToArray())}";
        throw config?.Damage(problem) ?? new InvalidDataException($"{_file.Source}: {problem}.");
    }

    /// <summary>The name by which Keras 3 calls a class in paths: <c>simple_rnn</c> for <c>SimpleRNN</c>.</summary>
    internal static string SnakeCase(string className)
    {
        var name = LettersOnly().Replace(className, string.Empty);
        name = WordAfterOther().Replace(name, "$1_$2");
#pragma warning disable CA1308 // Keras writes these names in lower case.
        return CapitalAfterSmall().Replace(name, "$1_$2").ToLowerInvariant();
#pragma warning restore CA1308
    }

    // Where an old file has its layers: at the top where it has weights alone.
    private static string? OldRoot(HdfFile file) =>
        file.Texts("model_weights", "layer_names") is not null ? "model_weights" : file.Texts(string.Empty, "layer_names") is not null ? string.Empty : null;

    private static KerasWeightGroup Old(HdfFile file, string path) =>
        new(file, path.Trim('/'), [.. (file.Texts(path, "weight_names") ?? Array.Empty<string>()).Select(name => $"{path}/{name}")]);

    private static bool HasWeights(HdfFile file, string path, int depth) =>
        depth < 8 && (file.Children($"{path}/vars").Count > 0 || file.Children(path).Any(name => file.IsGroup($"{path}/{name}") && HasWeights(file, $"{path}/{name}", depth + 1)));

    private static IEnumerable<string> PathsBelow(HdfFile file, string path, int depth) => depth >= 8 ? [] : file.Children(path).Where(name => file.IsGroup($"{path}/{name}")).SelectMany(name => name == "vars"
        ? file.Children($"{path}/vars").Where(IsNumber).OrderBy(number => int.Parse(number, CultureInfo.InvariantCulture)).Select(number => $"{path}/vars/{number}")
        : PathsBelow(file, $"{path}/{name}", depth + 1));

    private static bool IsNumber(string name) => name.Length is > 0 and < 6 && name.All(char.IsAsciiDigit);

    [GeneratedRegex(@"\W+")]
    private static partial Regex LettersOnly();

    [GeneratedRegex("(.)([A-Z][a-z]+)")]
    private static partial Regex WordAfterOther();

    [GeneratedRegex("([a-z])([A-Z])")]
    private static partial Regex CapitalAfterSmall();
}
