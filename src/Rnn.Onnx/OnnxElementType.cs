namespace Rnn.Onnx;

/// <summary>The types of tensor elements that ONNX models name, by their numbers in the ONNX standard.</summary>
public enum OnnxElementType
{
    /// <summary>Not said.</summary>
    Undefined = 0,

    /// <summary>32-bit floating point.</summary>
    Float = 1,

    /// <summary>Unsigned 8-bit integer.</summary>
    UInt8 = 2,

    /// <summary>Signed 8-bit integer.</summary>
    Int8 = 3,

    /// <summary>Unsigned 16-bit integer.</summary>
    UInt16 = 4,

    /// <summary>Signed 16-bit integer.</summary>
    Int16 = 5,

    /// <summary>Signed 32-bit integer.</summary>
    Int32 = 6,

    /// <summary>Signed 64-bit integer.</summary>
    Int64 = 7,

    /// <summary>Text; not supported.</summary>
    String = 8,

    /// <summary>True or false.</summary>
    Boolean = 9,

    /// <summary>16-bit floating point (IEEE half precision).</summary>
    Float16 = 10,

    /// <summary>64-bit floating point.</summary>
    Double = 11,

    /// <summary>Unsigned 32-bit integer.</summary>
    UInt32 = 12,

    /// <summary>Unsigned 64-bit integer; values up to 2⁶³ − 1 are supported.</summary>
    UInt64 = 13,

    /// <summary>16-bit floating point with the exponent of single precision (bfloat16).</summary>
    BFloat16 = 16,
}
