using Rnn.Onnx.Schema;

namespace Rnn.Onnx.Export;

/// <summary>Takes out of a graph what no output depends on: layers write all that they can give, and models read what they need.</summary>
internal static class GraphPruning
{
    internal static void Prune(GraphProto graph)
    {
        var needed = new HashSet<string>(graph.Output.Select(output => output.Name), StringComparer.Ordinal);
        var nodes = new List<NodeProto>();
        for (var i = graph.Node.Count - 1; i >= 0; i--)
        {
            var node = graph.Node[i];
            if (node.Output.Any(needed.Contains))
            {
                nodes.Add(node);
                AddInputs(node, needed);
            }
        }

        nodes.Reverse();
        graph.Node.Clear();
        graph.Node.AddRange(nodes);
        var initializers = graph.Initializer.Where(tensor => needed.Contains(tensor.Name)).ToList();
        graph.Initializer.Clear();
        graph.Initializer.AddRange(initializers);
    }

    // Also what the body of a loop reads of the graph around it; its own names are no one else's.
    private static void AddInputs(NodeProto node, HashSet<string> needed)
    {
        needed.UnionWith(node.Input);
        foreach (var attribute in node.Attribute)
        {
            foreach (var inner in attribute.G?.Node ?? [])
            {
                AddInputs(inner, needed);
            }
        }
    }
}
