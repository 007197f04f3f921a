using Rnn.Tensors;

namespace Rnn.Formats;

/// <summary>One tensor of a safetensors file: what its header says.</summary>
public sealed class SafeTensorsEntry
{
    internal SafeTensorsEntry(string name, SafeTensorsType type, Shape shape, long begin, long end)
    {
        Name = name;
        Type = type;
        Shape = shape;
        Begin = begin;
        End = end;
    }

    /// <summary>The name of the tensor.</summary>
    public string Name { get; }

    /// <summary>The element type in the file.</summary>
    public SafeTensorsType Type { get; }

    /// <summary>The dimensions, outermost first.</summary>
    public Shape Shape { get; }

    /// <summary>Where the tensor begins, in bytes after the header.</summary>
    internal long Begin { get; }

    /// <summary>Where the tensor ends, in bytes after the header.</summary>
    internal long End { get; }

    /// <summary>Name, type and shape: <c>lstm.weight F32 [512, 128]</c>.</summary>
    public override string ToString() => $"{Name} {Type} {Shape}";
}
