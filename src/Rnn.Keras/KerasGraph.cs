using System.Text.Json;

namespace Rnn.Keras;

/// <summary>A layer in its place in a model.</summary>
/// <param name="Config">What the file says of it.</param>
/// <param name="Place">Its place among the layers of the model that count for paths of weights, as Keras lists them; −1 for one that has none.</param>
internal sealed record KerasNode(KerasConfig Config, int Place);

/// <summary>The layers of a model in the order in which data go through them.</summary>
internal static class KerasGraph
{
    /// <summary>Reads a model's description.</summary>
    /// <param name="json">The text of <c>config.json</c>, or of the attribute <c>model_config</c>.</param>
    /// <param name="version">The version of Keras that has written it.</param>
    /// <param name="source">The file, for messages.</param>
    /// <param name="name">Receives the name of the model.</param>
    /// <exception cref="InvalidDataException">The description is damaged.</exception>
    /// <exception cref="NotSupportedException">The model is no chain of layers.</exception>
    internal static List<KerasNode> Read(string json, string? version, string source, out string name)
    {
        try
        {
            using var document = JsonDocument.Parse(json);

            // What is made of it outlives the document.
            var root = document.RootElement.Clone();
            var className = root.GetProperty("class_name").GetString();
            var config = root.GetProperty("config");
            name = config.ValueKind == JsonValueKind.Object && config.TryGetProperty("name", out var given) ? given.GetString() ?? "model" : "model";
            return className switch
            {
                "Sequential" => Chain(config.ValueKind == JsonValueKind.Array ? config : config.GetProperty("layers"), version, source),
                "Functional" or "Model" => Functional(config, version, source),
                _ => throw new NotSupportedException($"{source}: the model '{name}' is of the class '{className}'; only Sequential models and functional ones that are a chain of layers can be read."),
            };
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new InvalidDataException($"{source}: the description of the model is damaged: {exception.Message}", exception);
        }
    }

    private static List<KerasNode> Chain(JsonElement layers, string? version, string source)
    {
        var nodes = new List<KerasNode>();
        foreach (var layer in layers.EnumerateArray())
        {
            nodes.Add(new(new(layer, version, source), nodes.Count));
        }

        return nodes;
    }

    private static List<KerasNode> Functional(JsonElement config, string? version, string source)
    {
        var nodes = new Dictionary<string, KerasNode>();
        var inputs = new Dictionary<string, List<string>>();
        foreach (var layer in config.GetProperty("layers").EnumerateArray())
        {
            var node = new KerasNode(new(layer, version, source), nodes.Count);
            if (!nodes.TryAdd(node.Config.Name, node))
            {
                throw new JsonException($"two layers are called '{node.Config.Name}'");
            }

            var calls = layer.GetProperty("inbound_nodes");
            var from = new List<string>();
            FindSources(calls, from);
            if (from.Count > 1 || calls.GetArrayLength() > 1)
            {
                throw node.Config.Refusal("inbound_nodes", $"it reads {string.Join(", ", from)}; only chains can be read, in which each layer reads one other and is used once.");
            }

            inputs[node.Config.Name] = from;
        }

        var outputs = new List<string>();
        FindSources(config.GetProperty("output_layers"), outputs);
        if (outputs.Count != 1)
        {
            throw new NotSupportedException($"{source}: the model has {outputs.Count} outputs; only chains of layers can be read, with one.");
        }

        var chain = new List<KerasNode>();
        for (var at = outputs[0]; ;)
        {
            if (!nodes.TryGetValue(at, out var node) || chain.Contains(node))
            {
                throw new JsonException($"the layer '{at}' is not there, or reads itself");
            }

            chain.Insert(0, node);
            if (inputs[at].Count == 0)
            {
                break;
            }

            at = inputs[at][0];
        }

        return chain.Count == nodes.Count
            ? chain
            : throw new NotSupportedException(
                $"{source}: the layer '{nodes.Keys.First(layer => chain.TrueForAll(node => node.Config.Name != layer))}' is beside the chain that leads to the output; only chains of layers can be read.");
    }

    // The layers whose outputs a call reads: [name, node, tensor, …] until Keras 2, an object with keras_history of the same since Keras 3.
    private static void FindSources(JsonElement element, List<string> found)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            if (element.GetArrayLength() >= 3 && element[0].ValueKind == JsonValueKind.String && element[1].ValueKind == JsonValueKind.Number && element[2].ValueKind == JsonValueKind.Number)
            {
                found.Add(element[0].GetString()!);
                return;
            }

            foreach (var part in element.EnumerateArray())
            {
                FindSources(part, found);
            }
        }
        else if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in element.EnumerateObject())
            {
                FindSources(member.Value, found);
            }
        }
    }
}
