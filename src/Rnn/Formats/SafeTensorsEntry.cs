using Rnn.Tensors;

namespace Rnn.Formats;

/// <summary>One tensor of a safetensors file: what its header says.</summary>
/// <param name="Name">The name of the tensor.</param>
/// <param name="Type">The element type in the file.</param>
/// <param name="Shape">The dimensions, outermost first.</param>
public sealed record SafeTensorsEntry(string Name, SafeTensorsType Type, Shape Shape)
{
    /// <summary>Where the tensor begins, in bytes after the header.</summary>
    internal long Begin { get; init; }

    /// <summary>Where the tensor ends, in bytes after the header.</summary>
    internal long End { get; init; }

    /// <summary>Name, type and shape: <c>lstm.weight F32 [512, 128]</c>.</summary>
    public override string ToString() => $"{Name} {Type} {Shape}";
}
