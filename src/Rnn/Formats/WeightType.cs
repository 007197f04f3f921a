namespace Rnn.Formats;

/// <summary>The element type of a tensor in a file, by the names that safetensors files use.</summary>
/// <param name="Name">The name, such as <c>F32</c>; of a type that has none there, what the file says, such as <c>&lt;U5</c> for NumPy's texts.</param>
/// <param name="Bits">The bits of one element; 0 for a type whose size is not known.</param>
public readonly record struct WeightType(string Name, int Bits)
{
    /// <summary>IEEE 754 double precision.</summary>
    public static WeightType Float64 { get; } = new("F64", 64);

    /// <summary>IEEE 754 single precision.</summary>
    public static WeightType Float32 { get; } = new("F32", 32);

    /// <summary>IEEE 754 half precision.</summary>
    public static WeightType Float16 { get; } = new("F16", 16);

    /// <summary>The upper half of a single: eight bits of exponent, seven of fraction.</summary>
    public static WeightType BFloat16 { get; } = new("BF16", 16);

    /// <summary>Whole numbers of 8 bits: compressed weights.</summary>
    internal static WeightType Int8 { get; } = new("I8", 8);

    /// <summary>Whether the numbers are floating-point numbers that convert to a <c>Tensor</c> of float or double: double, single, half or bfloat16.</summary>
    public bool IsFloatingPoint => this == Float32 || this == Float64 || this == Float16 || this == BFloat16;

    /// <summary>Whether tensors of this type convert to a <c>Tensor</c> of float or double: floating-point numbers of 16 bits and more, whole numbers, and truth values, which become 0 and 1.</summary>
    public bool IsReadable => IsFloatingPoint || Name is "I8" or "I16" or "I32" or "I64" or "U8" or "U16" or "U32" or "U64" or "BOOL";

    /// <summary>The name.</summary>
    public override string ToString() => Name;

    /// <summary>The type of a name; one that is not known has no size. Not all are readable: a file with tensors of such a type opens, for its other tensors.</summary>
    internal static WeightType Of(string name) => new(name, name switch
    {
        "F64" or "I64" or "U64" or "C64" => 64,
        "F32" or "I32" or "U32" => 32,
        "F16" or "BF16" or "I16" or "U16" => 16,
        "I8" or "U8" or "BOOL" or "F8_E5M2" or "F8_E4M3" or "F8_E8M0" => 8,
        "F6_E2M3" or "F6_E3M2" => 6,
        "F4" => 4,
        "C128" => 128,
        _ => 0,
    });
}
