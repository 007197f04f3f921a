using Rnn.Onnx.Schema;

namespace Rnn.Onnx.Export;

/// <summary>The operators that layers are written with, in the form that the version of the operator set asks for.</summary>
internal static class GraphOperations
{
    internal static OnnxGraphValue Unary(this OnnxGraph graph, string operation, OnnxGraphValue x) => graph.Emit(operation, [x], [x.ElementType])[0];

    internal static OnnxGraphValue Binary(this OnnxGraph graph, string operation, OnnxGraphValue a, OnnxGraphValue b) => graph.Emit(operation, [a, b], [a.ElementType])[0];

    internal static OnnxGraphValue Add(this OnnxGraph graph, OnnxGraphValue a, OnnxGraphValue b) => graph.Binary("Add", a, b);

    internal static OnnxGraphValue Subtract(this OnnxGraph graph, OnnxGraphValue a, OnnxGraphValue b) => graph.Binary("Sub", a, b);

    internal static OnnxGraphValue Multiply(this OnnxGraph graph, OnnxGraphValue a, OnnxGraphValue b) => graph.Binary("Mul", a, b);

    internal static OnnxGraphValue Divide(this OnnxGraph graph, OnnxGraphValue a, OnnxGraphValue b) => graph.Binary("Div", a, b);

    internal static OnnxGraphValue MatMul(this OnnxGraph graph, OnnxGraphValue a, OnnxGraphValue b) => graph.Binary("MatMul", a, b);

    internal static OnnxGraphValue Sigmoid(this OnnxGraph graph, OnnxGraphValue x) => graph.Unary("Sigmoid", x);

    internal static OnnxGraphValue Tanh(this OnnxGraph graph, OnnxGraphValue x) => graph.Unary("Tanh", x);

    internal static OnnxGraphValue Compare(this OnnxGraph graph, string operation, OnnxGraphValue a, OnnxGraphValue b) => graph.Emit(operation, [a, b], [OnnxElementType.Boolean])[0];

    internal static OnnxGraphValue Where(this OnnxGraph graph, OnnxGraphValue condition, OnnxGraphValue whenTrue, OnnxGraphValue whenFalse) =>
        graph.Emit("Where", [condition, whenTrue, whenFalse], [whenTrue.ElementType])[0];

    internal static OnnxGraphValue Cast(this OnnxGraph graph, OnnxGraphValue x, OnnxElementType type) =>
        x.ElementType == type ? x : graph.Emit("Cast", [x], [type], Attributes.Integer("to", (long)type))[0];

    internal static OnnxGraphValue Transpose(this OnnxGraph graph, OnnxGraphValue x, params ReadOnlySpan<long> order) =>
        graph.Emit("Transpose", [x], [x.ElementType], Attributes.Integers("perm", order))[0];

    internal static OnnxGraphValue Unsqueeze(this OnnxGraph graph, OnnxGraphValue x, params ReadOnlySpan<long> axes) => graph.Emit("Unsqueeze", [x, graph.Integers(axes)], [x.ElementType])[0];

    internal static OnnxGraphValue Squeeze(this OnnxGraph graph, OnnxGraphValue x, params ReadOnlySpan<long> axes) => graph.Emit("Squeeze", [x, graph.Integers(axes)], [x.ElementType])[0];

    /// <summary>Another shape; 0 keeps the size at its place, −1 is what remains.</summary>
    internal static OnnxGraphValue Reshape(this OnnxGraph graph, OnnxGraphValue x, params ReadOnlySpan<long> shape) => graph.Reshape(x, graph.Integers(shape));

    internal static OnnxGraphValue Reshape(this OnnxGraph graph, OnnxGraphValue x, OnnxGraphValue shape) => graph.Emit("Reshape", [x, shape], [x.ElementType])[0];

    internal static OnnxGraphValue Expand(this OnnxGraph graph, OnnxGraphValue x, OnnxGraphValue shape) => graph.Emit("Expand", [x, shape], [x.ElementType])[0];

    internal static OnnxGraphValue Concat(this OnnxGraph graph, long axis, params ReadOnlySpan<OnnxGraphValue?> parts) =>
        parts.Length == 1 ? parts[0]! : graph.Emit("Concat", parts, [parts[0]!.ElementType], Attributes.Integer("axis", axis))[0];

    internal static OnnxGraphValue Slice(this OnnxGraph graph, OnnxGraphValue x, long axis, long start, long end = long.MaxValue) =>
        graph.Emit("Slice", [x, graph.Integers(start), graph.Integers(end), graph.Integers(axis)], [x.ElementType])[0];

    internal static OnnxGraphValue[] Split(this OnnxGraph graph, OnnxGraphValue x, long axis, params ReadOnlySpan<long> sizes)
    {
        if (sizes.Length == 1)
        {
            return [x];
        }

        var types = new OnnxElementType[sizes.Length];
        Array.Fill(types, x.ElementType);
        return graph.Emit("Split", [x, graph.Integers(sizes)], types, Attributes.Integer("axis", axis));
    }

    internal static OnnxGraphValue Gather(this OnnxGraph graph, OnnxGraphValue table, OnnxGraphValue indices, long axis = 0) =>
        graph.Emit("Gather", [table, indices], [table.ElementType], Attributes.Integer("axis", axis))[0];

    /// <summary>What stands at indices [N, …, 1] of each row's own first dimension: x [N, T, …] → [N, …, …].</summary>
    internal static OnnxGraphValue GatherInRows(this OnnxGraph graph, OnnxGraphValue x, OnnxGraphValue indices) =>
        graph.Emit("GatherND", [x, indices], [x.ElementType], Attributes.Integer("batch_dims", 1))[0];

    /// <summary>The size of one dimension, Int64 [1].</summary>
    internal static OnnxGraphValue Size(this OnnxGraph graph, OnnxGraphValue x, long axis) =>
        graph.Gather(graph.Emit("Shape", [x], [OnnxElementType.Int64])[0], graph.Integers(axis));

    /// <summary>A number in a shape [N, sizes…], where N is the size of a dimension of another value.</summary>
    internal static OnnxGraphValue Filled(this OnnxGraph graph, OnnxGraphValue number, OnnxGraphValue like, long axis, params ReadOnlySpan<long> sizes) =>
        graph.Expand(number, graph.Concat(0, graph.Size(like, axis), graph.Integers(sizes)));

    /// <summary>Sums, means and greatest values over axes: their axes became an input in version 13 (sums) and 18 (the others).</summary>
    internal static OnnxGraphValue Reduce(this OnnxGraph graph, string operation, OnnxGraphValue x, long axis, bool keep = false)
    {
        var kept = Attributes.Integer("keepdims", keep ? 1 : 0);
        return operation == "ReduceSum" || graph.Opset >= 18
            ? graph.Emit(operation, [x, graph.Integers(axis)], [x.ElementType], kept)[0]
            : graph.Emit(operation, [x], [x.ElementType], Attributes.Integers("axes", axis), kept)[0];
    }

    internal static OnnxGraphValue Softmax(this OnnxGraph graph, OnnxGraphValue x, long axis = -1) => graph.Emit("Softmax", [x], [x.ElementType], Attributes.Integer("axis", axis))[0];

    internal static OnnxGraphValue LogSoftmax(this OnnxGraph graph, OnnxGraphValue x) => graph.Emit("LogSoftmax", [x], [x.ElementType], Attributes.Integer("axis", -1))[0];

    internal static OnnxGraphValue ArgMax(this OnnxGraph graph, OnnxGraphValue x, long axis) =>
        graph.Emit("ArgMax", [x], [OnnxElementType.Int64], Attributes.Integer("axis", axis), Attributes.Integer("keepdims", 0))[0];

    /// <summary>The numbers 0, 1, … below an Int64 [1].</summary>
    internal static OnnxGraphValue CountTo(this OnnxGraph graph, OnnxGraphValue end) => graph.Emit("Range", [graph.Integer(0), graph.Squeeze(end, 0), graph.Integer(1)], [OnnxElementType.Int64])[0];

    /// <summary>Layer normalisation over the last dimension, one operator from version 17 on.</summary>
    internal static OnnxGraphValue LayerNormalize(this OnnxGraph graph, OnnxGraphValue x, OnnxGraphValue scale, OnnxGraphValue? bias, double epsilon)
    {
        if (graph.Opset >= 17)
        {
            return graph.Emit("LayerNormalization", bias is null ? [x, scale] : [x, scale, bias], [x.ElementType], Attributes.Integer("axis", -1), Attributes.Number("epsilon", (float)epsilon))[0];
        }

        var centred = graph.Subtract(x, graph.Reduce("ReduceMean", x, -1, keep: true));
        var variance = graph.Reduce("ReduceMean", graph.Multiply(centred, centred), -1, keep: true);
        var normal = graph.Multiply(graph.Divide(centred, graph.Unary("Sqrt", graph.Add(variance, graph.Scalar(epsilon)))), scale);
        return bias is null ? normal : graph.Add(normal, bias);
    }

    /// <summary>The last dimension as several: […, size] → […, sizes].</summary>
    internal static OnnxGraphValue SplitLast(this OnnxGraph graph, OnnxGraphValue x, params ReadOnlySpan<long> sizes)
    {
        var shape = graph.Emit("Shape", [x], [OnnxElementType.Int64])[0];
        return graph.Reshape(x, graph.Concat(0, graph.Slice(shape, 0, 0, -1), graph.Integers(sizes)));
    }

    /// <summary>Whether steps lie before the end of their rows, Boolean [N, T].</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="lengths">Int32 [N].</param>
    /// <param name="values">A value that has T as a dimension.</param>
    /// <param name="axis">That dimension.</param>
    internal static OnnxGraphValue Valid(this OnnxGraph graph, OnnxGraphValue lengths, OnnxGraphValue values, long axis = 1) =>
        graph.Compare("Less", graph.CountTo(graph.Size(values, axis)), graph.Unsqueeze(graph.Cast(lengths, OnnxElementType.Int64), 1));

    /// <summary>[N, T, size] with zeros past the end of each row.</summary>
    internal static OnnxGraphValue ClearPastEnds(this OnnxGraph graph, OnnxGraphValue values, OnnxGraphValue? lengths) =>
        lengths is null ? values : graph.Where(graph.Unsqueeze(graph.Valid(lengths, values), 2), values, graph.Scalar(0));

    /// <summary>What stands at the last valid step of each row, [N, T, size] → [N, size], or at its first; zeros for rows without steps.</summary>
    internal static OnnxGraphValue AtEnd(this OnnxGraph graph, OnnxGraphValue values, OnnxGraphValue? lengths, bool backward = false)
    {
        var end = lengths is null || backward
            ? graph.Gather(values, graph.Integer(backward ? 0 : -1), 1)
            : graph.GatherInRows(values, graph.Unsqueeze(graph.Emit("Max", [graph.Subtract(graph.Cast(lengths, OnnxElementType.Int64), graph.Integer(1)), graph.Integer(0)], [OnnxElementType.Int64])[0], 1));
        return lengths is null ? end : graph.Where(graph.Unsqueeze(graph.Compare("Greater", graph.Cast(lengths, OnnxElementType.Int64), graph.Integer(0)), 1), end, graph.Scalar(0));
    }

    /// <summary>x Wᵀ + b over the last dimension.</summary>
    internal static OnnxGraphValue Linear<T>(this OnnxGraph graph, OnnxGraphValue x, Layers.Linear<T> layer)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        OnnxGraphValue weight;
        if (layer.Weight.Shape[1] == layer.InputSize && graph.Has(layer.Weight.Value))
        {
            // Shared with an embedding: the table is in the file already.
            weight = graph.Transpose(graph.Weight(layer.Weight), 1, 0);
        }
        else
        {
            // The gates of a layer with heads are block-diagonal, each as wide as its input.
            weight = Matrix.Of(layer.Weight.Value).FromBlocks(layer.InputSize, layer.InputSize).Transposed().Write(graph, "weight");
        }

        var product = graph.MatMul(x, weight);
        return layer.Bias is null ? product : graph.Add(product, graph.Weight(layer.Bias));
    }

    /// <summary>This graph as the body of a loop.</summary>
    internal static GraphProto Body(this OnnxGraph graph, string name, IReadOnlyList<OnnxGraphValue> inputs, IReadOnlyList<OnnxGraphValue> outputs)
    {
        var body = new GraphProto { Name = name };
        body.Input.AddRange(inputs.Select(Info));
        body.Output.AddRange(outputs.Select(Info));
        body.Node.AddRange(graph.Nodes);
        return body;

        static ValueInfoProto Info(OnnxGraphValue value) => new() { Name = value.Name, Type = new() { TensorType = new() { ElemType = (int)value.ElementType } } };
    }
}
