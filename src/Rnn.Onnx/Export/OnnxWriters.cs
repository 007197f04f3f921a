using System.Numerics;
using Rnn.Layers;

namespace Rnn.Onnx;

/// <summary>Functions that write the nodes of layers which do not do so themselves.</summary>
/// <example>
/// <code>
/// var writers = new OnnxWriters();
/// writers.Add(squash, (graph, layer, x) =&gt; graph.Node("Tanh", [x]));     // squash = new Lambda&lt;float&gt;(x =&gt; x.Tanh())
/// model.SaveOnnx("model.onnx", new() { Writers = writers });
/// </code>
/// </example>
public sealed class OnnxWriters
{
    private readonly Dictionary<object, Func<OnnxGraph, object, OnnxGraphValue, OnnxGraphValue>> _writers = new(ReferenceEqualityComparer.Instance);

    /// <summary>Writes one layer by a function.</summary>
    /// <typeparam name="TLayer">The type of the layer.</typeparam>
    /// <param name="layer">The layer.</param>
    /// <param name="write">Gets the graph, the layer and what it reads, adds nodes and returns what the layer gives.</param>
    public void Add<TLayer>(TLayer layer, Func<OnnxGraph, TLayer, OnnxGraphValue, OnnxGraphValue> write)
        where TLayer : class
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(write);
        _writers[layer] = (graph, module, input) => write(graph, (TLayer)module, input);
    }

    /// <summary>Writes all layers of a type by a function.</summary>
    /// <typeparam name="TLayer">The type of the layers, such as <c>MovingAverage&lt;float&gt;</c>.</typeparam>
    /// <param name="write">Gets the graph, the layer and what it reads, adds nodes and returns what the layer gives.</param>
    public void Add<TLayer>(Func<OnnxGraph, TLayer, OnnxGraphValue, OnnxGraphValue> write)
        where TLayer : class
    {
        ArgumentNullException.ThrowIfNull(write);
        _writers[typeof(TLayer)] = (graph, module, input) => write(graph, (TLayer)module, input);
    }

    internal Func<OnnxGraph, object, OnnxGraphValue, OnnxGraphValue>? Find<T>(Layer<T> layer)
        where T : unmanaged, IFloatingPointIeee754<T> => _writers.GetValueOrDefault(layer) ?? _writers.GetValueOrDefault(layer.GetType());
}
