using Rnn.Tensors;

namespace Rnn.Formats;

/// <summary>One tensor of a file: its name, element type and shape.</summary>
public sealed class WeightEntry
{
    internal WeightEntry(string name, WeightType type, Shape shape, long begin, long end)
    {
        Name = name;
        Type = type;
        Shape = shape;
        Begin = begin;
        End = end;
    }

    /// <summary>The name of the tensor; empty where the file holds one tensor without a name.</summary>
    public string Name { get; }

    /// <summary>The element type in the file.</summary>
    public WeightType Type { get; }

    /// <summary>The dimensions, outermost first.</summary>
    public Shape Shape { get; }

    /// <summary>Where the tensor begins, in bytes of its part of the file.</summary>
    internal long Begin { get; }

    /// <summary>Where the tensor ends, in bytes of its part of the file.</summary>
    internal long End { get; }

    /// <summary>The bytes that <see cref="Begin"/> and <see cref="End"/> count in; null before they are known.</summary>
    internal ByteSource? Source { get; init; }

    /// <summary>The elements from one index to the next of each dimension; null where the tensor is row-major and without gaps.</summary>
    internal long[]? Strides { get; init; }

    /// <summary>Whether the most significant byte of a number comes first.</summary>
    internal bool IsBigEndian { get; init; }

    /// <summary>Name, type and shape: <c>lstm.weight F32 [512, 128]</c>.</summary>
    public override string ToString() => $"{Name} {Type} {Shape}".TrimStart();

    /// <summary>The same tensor under another name, or in other bytes.</summary>
    internal WeightEntry With(string? name = null, ByteSource? source = null, long offset = 0) =>
        new(name ?? Name, Type, Shape, Begin + offset, End + offset) { Source = source ?? Source, Strides = Strides, IsBigEndian = IsBigEndian };
}
