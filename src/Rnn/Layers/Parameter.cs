using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>
/// A tensor that training changes. Modules own parameters; an optimiser moves them into one contiguous block, and their gradients
/// into another, so that clipping, updating, zeroing and saving are one loop each.
/// </summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class Parameter<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal Parameter(string name, Tensor<T> value)
    {
        Name = name;
        Value = value;
        value.RequiresGradient = true;
    }

    /// <summary>The name within its module, such as <c>weight</c>.</summary>
    public string Name { get; }

    /// <summary>The values: a leaf tensor that requires a gradient unless the parameter is frozen.</summary>
    public Tensor<T> Value { get; }

    /// <summary>
    /// The gradient in the shape of <see cref="Value"/>; null before the first backward pass. Once an optimiser holds the parameter it is one
    /// tensor for good, see <see cref="Tensor{T}.Gradient"/>.
    /// </summary>
    public Tensor<T>? Gradient => Value.Gradient;

    /// <summary>The row of an embedding's table that stays zero: it gets no gradient, whoever reads the table. Null for none.</summary>
    internal int? PaddingRow { get; init; }

    /// <summary>The dimensions.</summary>
    public Shape Shape => Value.Shape;

    /// <summary>The number of elements.</summary>
    public int Length => Value.Length;

    /// <summary>Whether this is a matrix of weights, each row of which belongs to one output: what <see cref="ModuleCompression.Compress"/> compresses.</summary>
    internal bool IsWeightMatrix { get; set; }

    /// <summary>How the values are stored for inference; anything but <see cref="WeightFormat.Single"/> says that <see cref="ModuleCompression.Compress"/> has compressed them.</summary>
    public WeightFormat Format => (WeightFormat)Value.Memory.Format;

    /// <summary>Whether training leaves this parameter as it is. A frozen parameter gets no gradient; compressed ones stay frozen.</summary>
    /// <exception cref="InvalidOperationException">Set to false for a compressed parameter.</exception>
    public bool Frozen
    {
        get => !Value.RequiresGradient;
        set
        {
            if (!value && Format != WeightFormat.Single)
            {
                throw new InvalidOperationException($"'{Name}' is compressed to {Format} for inference and cannot be trained; train the model first and compress a copy, or bring it back by Compress(WeightFormat.Single).");
            }

            Value.RequiresGradient = !value;
        }
    }

    /// <summary>The value, so that a parameter can stand wherever a tensor does.</summary>
    public static implicit operator Tensor<T>(Parameter<T> parameter) => parameter.Value;

    /// <summary>The value; the named twin of the conversion.</summary>
    public Tensor<T> ToTensor() => Value;

    /// <summary>The name and the shape: <c>weight [10, 128]</c>.</summary>
    public override string ToString() => $"{Name} {Shape}";
}
