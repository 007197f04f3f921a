using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Onnx;

/// <summary>
/// A tensor that goes into or comes out of an ONNX model: floating-point numbers, whole numbers or truth values. Floating-point tensors of every
/// precision are <typeparamref name="T"/>, the type that the model was loaded for; whole numbers of every width are <see cref="long"/>.
/// </summary>
/// <typeparam name="T">The floating-point type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class OnnxValue<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Tensor<T>? _tensor;
    private readonly long[]? _integers;

    /// <summary>A value of floating-point numbers.</summary>
    /// <param name="tensor">The numbers; shared, not copied, and gradients flow through.</param>
    public OnnxValue(Tensor<T> tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        _tensor = tensor;
        Shape = tensor.Shape;
        ElementType = FloatingType;
    }

    internal OnnxValue(long[] integers, Shape shape, OnnxElementType type)
    {
        _integers = integers;
        Shape = shape;
        ElementType = type;
    }

    /// <summary>A list of tensors; they exist inside of models only.</summary>
    internal OnnxValue(OnnxValue<T>[] items)
    {
        Items = items;
        Shape = new();
        ElementType = OnnxElementType.Undefined;
    }

    /// <summary>The dimensions, outermost first.</summary>
    public Shape Shape { get; }

    /// <summary>The type of the elements; of floating-point values <see cref="OnnxElementType.Float"/> or <see cref="OnnxElementType.Double"/>, as <typeparamref name="T"/> is.</summary>
    public OnnxElementType ElementType { get; }

    /// <summary>Whether the elements are floating-point numbers.</summary>
    public bool IsFloatingPoint => _tensor is not null;

    /// <summary>The floating-point numbers.</summary>
    /// <exception cref="InvalidOperationException">The value is of whole numbers or truth values.</exception>
    public Tensor<T> Tensor => _tensor ?? throw new InvalidOperationException($"The value {Shape} is of type {ElementType}; read Integers.");

    /// <summary>The whole numbers in row-major order; truth values are 0 and 1.</summary>
    /// <exception cref="InvalidOperationException">The value is of floating-point numbers.</exception>
    public ReadOnlySpan<long> Integers => _integers ?? throw new InvalidOperationException($"The value {Shape} is of type {ElementType}; read Tensor.");

    internal static OnnxElementType FloatingType => typeof(T) == typeof(double) ? OnnxElementType.Double : OnnxElementType.Float;

    /// <summary>The tensors of a list, else null. A session puts the list of each run in the place of the one before.</summary>
    internal OnnxValue<T>[]? Items { get; set; }

    internal bool IsSequence => Items is not null;

    internal int Rank => Shape.Rank;

    internal int Length => Shape.ElementCount;

    internal long[] IntegerArray => _integers ?? throw new InvalidDataException($"expected whole numbers but got {this}");

    internal Tensor<T> Floating => _tensor ?? throw new InvalidDataException($"expected floating-point numbers but got {this}");

    /// <summary>A value of 64-bit whole numbers, such as token numbers or lengths; models that declare 32 bits take it too.</summary>
    /// <param name="values">The numbers in row-major order; copied.</param>
    /// <param name="shape">The dimensions.</param>
    /// <exception cref="ArgumentException">The shape has another number of elements.</exception>
    public static OnnxValue<T> FromIntegers(ReadOnlySpan<long> values, params Shape shape) => new(Checked(values.ToArray(), shape), shape, OnnxElementType.Int64);

    /// <summary>A value of 32-bit whole numbers; models that declare 64 bits take it too.</summary>
    /// <param name="values">The numbers in row-major order; copied.</param>
    /// <param name="shape">The dimensions.</param>
    /// <exception cref="ArgumentException">The shape has another number of elements.</exception>
    public static OnnxValue<T> FromIntegers(ReadOnlySpan<int> values, params Shape shape)
    {
        var wide = new long[values.Length];
        for (var i = 0; i < wide.Length; i++)
        {
            wide[i] = values[i];
        }

        return new(Checked(wide, shape), shape, OnnxElementType.Int32);
    }

    /// <summary>A value of truth values.</summary>
    /// <param name="values">The truth values in row-major order; copied.</param>
    /// <param name="shape">The dimensions.</param>
    /// <exception cref="ArgumentException">The shape has another number of elements.</exception>
    public static OnnxValue<T> FromBooleans(ReadOnlySpan<bool> values, params Shape shape)
    {
        var numbers = new long[values.Length];
        for (var i = 0; i < numbers.Length; i++)
        {
            numbers[i] = values[i] ? 1 : 0;
        }

        return new(Checked(numbers, shape), shape, OnnxElementType.Boolean);
    }

    /// <summary>The value of a tensor, so that a tensor can stand wherever a value does.</summary>
    /// <param name="tensor">The tensor.</param>
    public static implicit operator OnnxValue<T>(Tensor<T> tensor) => new(tensor);

    /// <summary>The type and the shape: <c>Float [1, 1, 257]</c>.</summary>
    public override string ToString() => Items is { } items ? $"a list of {items.Length} tensors" : $"{ElementType} {Shape}";

    private static long[] Checked(long[] values, Shape shape) => values.Length == shape.ElementCount
        ? values
        : throw new ArgumentException($"values: {values.Length} elements do not fill the shape {shape}.", nameof(values));
}
