namespace Rnn.Formats;

/// <summary>The element types that a safetensors file may hold.</summary>
/// <param name="Name">The name in the file, such as <c>F32</c>.</param>
/// <param name="Bits">The bits of one element.</param>
public readonly record struct SafeTensorsType(string Name, int Bits)
{
    /// <summary>IEEE 754 double precision.</summary>
    public static SafeTensorsType Float64 { get; } = new("F64", 64);

    /// <summary>IEEE 754 single precision.</summary>
    public static SafeTensorsType Float32 { get; } = new("F32", 32);

    /// <summary>IEEE 754 half precision.</summary>
    public static SafeTensorsType Float16 { get; } = new("F16", 16);

    /// <summary>The upper half of a single: eight bits of exponent, seven of fraction.</summary>
    public static SafeTensorsType BFloat16 { get; } = new("BF16", 16);

    /// <summary>Whole numbers of 8 bits: compressed weights.</summary>
    internal static SafeTensorsType Int8 { get; } = new("I8", 8);

    /// <summary>Whether tensors of this type convert to a <c>Tensor</c> of float or double.</summary>
    public bool IsReadable => this == Float32 || this == Float64 || this == Float16 || this == BFloat16;

    /// <summary>The name in the file.</summary>
    public override string ToString() => Name;

    /// <summary>Finds a type by its name in the file. Not all are readable: a file with tensors of such a type opens, for its other tensors.</summary>
    internal static bool TryParse(string name, out SafeTensorsType type)
    {
        var bits = name switch
        {
            "F64" or "I64" or "U64" or "C64" => 64,
            "F32" or "I32" or "U32" => 32,
            "F16" or "BF16" or "I16" or "U16" => 16,
            "I8" or "U8" or "BOOL" or "F8_E5M2" or "F8_E4M3" or "F8_E8M0" => 8,
            "F6_E2M3" or "F6_E3M2" => 6,
            "F4" => 4,
            _ => 0,
        };
        type = new(name, bits);
        return bits != 0;
    }
}
