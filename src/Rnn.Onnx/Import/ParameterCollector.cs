using System.Globalization;
using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>Finds what of a model can be trained: constants that stand where operators take weights, and the layers that recurrent nodes have become.</summary>
/// <param name="initializers">The constants that the file itself holds, in contrast to computed ones.</param>
internal sealed class ParameterCollector<T>(HashSet<Tensor<T>> initializers)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly HashSet<Tensor<T>> _seen = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<string> _names = new(StringComparer.Ordinal) { "__metadata__" };

    /// <summary>The weights with names that a module can carry.</summary>
    internal List<(string Name, Tensor<T> Value)> Weights { get; } = [];

    /// <summary>The recurrent layers with names that a module can carry.</summary>
    internal List<(string Name, RecurrentLayer<T> Layer)> Layers { get; } = [];

    /// <summary>Looks through a graph and those inside it.</summary>
    internal void Visit(GraphProgram<T> graph)
    {
        foreach (var node in graph.Nodes)
        {
            if (node.Prepared is RecurrentLayers<T> layers)
            {
                for (var direction = 0; direction < layers.Settings.Directions; direction++)
                {
                    Layers.Add((Unique(direction == 0 ? node.Name : $"{node.Name}_reverse"), layers.Layer(direction)));
                }
            }

            for (var i = 0; i < node.Inputs.Length; i++)
            {
                if (node.Inputs[i] >= 0 && graph.Constants[node.Inputs[i]] is { IsFloatingPoint: true } constant && IsWeight(node, i, constant.Tensor) && _seen.Add(constant.Tensor))
                {
                    Weights.Add((Unique(graph.Names[node.Inputs[i]]), constant.Tensor));
                }
            }

            foreach (var inner in node.Graphs.Values)
            {
                Visit(inner);
            }
        }
    }

    private bool IsWeight(NodeProgram<T> node, int input, Tensor<T> value) => node.Operator switch
    {
        "MatMul" => true,
        "Gemm" or "Conv" or "ConvTranspose" => true,
        "LayerNormalization" or "InstanceNormalization" or "RMSNormalization" => input > 0,
        "BatchNormalization" => input is 1 or 2,
        "Gather" => input == 0 && value.Rank == 2,
        "PRelu" => input == 1,

        // Scalars here are factors and masks are computed; weights stand in the file.
        "Add" or "Sub" or "Mul" or "Div" => value.Length > 1 && initializers.Contains(value),
        "RNN" or "GRU" or "LSTM" => node.Prepared is not RecurrentLayers<T> && input is 1 or 2 or RecurrentOperators.Bias or RecurrentOperators.Peephole,
        _ => false,
    };

    // A dot separates the levels of a module's path.
    private string Unique(string name)
    {
        name = new string([.. name.Select(letter => letter == '.' ? '/' : char.IsControl(letter) || char.IsSurrogate(letter) ? '_' : letter)]);
        name = string.IsNullOrWhiteSpace(name) ? "_" : name;
        var unique = name;
        for (var i = 2; !_names.Add(unique); i++)
        {
            unique = string.Create(CultureInfo.InvariantCulture, $"{name}_{i}");
        }

        return unique;
    }
}
