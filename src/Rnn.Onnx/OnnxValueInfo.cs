using Rnn.Onnx.Schema;

namespace Rnn.Onnx;

/// <summary>What a model says of one of its inputs or outputs.</summary>
public sealed class OnnxValueInfo
{
    internal OnnxValueInfo(ValueInfoProto proto)
    {
        Name = proto.Name;
        if (proto.Type?.TensorType is { } tensor)
        {
            ElementType = (OnnxElementType)tensor.ElemType;
            Dimensions = tensor.Shape is null ? null : [.. tensor.Shape.Dim.Select(Dimension)];
            DimensionNames = tensor.Shape is null ? null : [.. tensor.Shape.Dim.Select(dimension => dimension.DimParam is { Length: > 0 } name ? name : null)];
        }
    }

    /// <summary>The name by which it is given and asked for.</summary>
    public string Name { get; }

    /// <summary>The type of the elements, as the file declares it.</summary>
    public OnnxElementType ElementType { get; }

    /// <summary>The dimensions, null for those that differ from run to run; null where the file does not say how many there are.</summary>
    public IReadOnlyList<int?>? Dimensions { get; }

    /// <summary>The names of dimensions that differ from run to run, such as <c>batch</c>; null for others.</summary>
    public IReadOnlyList<string?>? DimensionNames { get; }

    /// <summary>Whether every dimension is a fixed number.</summary>
    internal bool IsFixed => Dimensions is not null && Dimensions.All(dimension => dimension is not null);

    /// <summary>Name, type and dimensions: <c>input: Float [batch, ?, 40]</c>.</summary>
    public override string ToString() => $"{Name}: {ElementType} {(Dimensions is null ? "of any shape" : $"[{string.Join(", ", Dimensions.Select((dimension, i) => dimension?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? DimensionNames![i] ?? "?"))}]")}";

    private static int? Dimension(TensorShapeProto.Types.Dimension dimension) =>
        dimension.ValueCase == TensorShapeProto.Types.Dimension.ValueOneofCase.DimValue && dimension.DimValue is >= 0 and <= int.MaxValue ? (int)dimension.DimValue : null;
}
