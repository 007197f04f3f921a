namespace Rnn.Onnx.Schema;

/// <summary>Whole numbers of all widths, held as <see cref="long"/>.</summary>
internal static class IntegerTypes
{
    /// <summary>A number as its type holds it: the low bits, with or without a sign; truth values are 0 and 1.</summary>
    internal static long Wrap(long value, OnnxElementType type) => type switch
    {
        OnnxElementType.Boolean => value != 0 ? 1 : 0,
        OnnxElementType.UInt8 => (byte)value,
        OnnxElementType.Int8 => (sbyte)value,
        OnnxElementType.UInt16 => (ushort)value,
        OnnxElementType.Int16 => (short)value,
        OnnxElementType.Int32 => (int)value,
        OnnxElementType.UInt32 => (uint)value,
        _ => value,
    };

    /// <summary>Whether the type is one of whole numbers or truth values.</summary>
    internal static bool IsInteger(OnnxElementType type) => type is OnnxElementType.UInt8 or OnnxElementType.Int8 or OnnxElementType.UInt16
        or OnnxElementType.Int16 or OnnxElementType.Int32 or OnnxElementType.Int64 or OnnxElementType.UInt32 or OnnxElementType.UInt64 or OnnxElementType.Boolean;

    /// <summary>Whether the type is one of floating-point numbers.</summary>
    internal static bool IsFloating(OnnxElementType type) =>
        type is OnnxElementType.Float or OnnxElementType.Double or OnnxElementType.Float16 or OnnxElementType.BFloat16;
}
