using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Onnx.Sessions;

/// <summary>A value of a session: a constant, or memory that steps write into, which is allocated once.</summary>
internal sealed class SessionValue<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private SessionValue(OnnxValue<T> live, bool isConstant, SessionValue<T>? owner) => (Live, IsConstant, Owner) = (live, isConstant, owner ?? this);

    /// <summary>The value for operators that run as they do outside of a session; its memory is this one's.</summary>
    internal OnnxValue<T> Live { get; }

    /// <summary>Whether the value is the same in every run.</summary>
    internal bool IsConstant { get; }

    /// <summary>The value whose memory this one shares; itself where it has its own.</summary>
    internal SessionValue<T> Owner { get; }

    internal Shape Shape => Live.Shape;

    internal int Length => Live.Shape.ElementCount;

    internal bool IsFloatingPoint => Live.IsFloatingPoint;

    /// <summary>The numbers to read.</summary>
    internal ReadOnlySpan<T> Read => Live.Tensor.AsReadOnlySpan();

    /// <summary>The numbers to write.</summary>
    internal Span<T> Write => Live.Tensor.AsSpan();

    /// <summary>The whole numbers.</summary>
    internal long[] Integers => Live.IntegerArray;

    internal static SessionValue<T> Constant(OnnxValue<T> value) => new(value, true, null);

    /// <summary>Memory for a value of the type and shape of a sample, with the sample's content.</summary>
    internal static SessionValue<T> Allocate(OnnxValue<T> sample)
    {
        if (sample.Items is { } items)
        {
            return new(new(items), false, null);
        }

        if (!sample.IsFloatingPoint)
        {
            return new(new((long[])sample.IntegerArray.Clone(), sample.Shape, sample.ElementType), false, null);
        }

        var array = GC.AllocateArray<T>(sample.Length, pinned: true);
        sample.Tensor.CopyTo(array);
        return new(new OnnxValue<T>(new Tensor<T>(new Storage<T>(array, isPinned: true), sample.Shape)), false, null);
    }

    /// <summary>The same memory as another shape.</summary>
    internal SessionValue<T> As(Shape shape) => Live.IsSequence ? this : new(
        IsFloatingPoint ? new OnnxValue<T>(Live.Tensor.View(shape)) : new(Live.IntegerArray, shape, Live.ElementType), IsConstant, Owner);

    /// <summary>Copies the content of a value of the same type and size.</summary>
    internal void CopyFrom(SessionValue<T> value)
    {
        if (IsFloatingPoint)
        {
            value.Read.CopyTo(Write);
        }
        else
        {
            value.Integers.AsSpan().CopyTo(Integers);
        }
    }

    /// <summary>Copies a result of the same shape into this memory.</summary>
    /// <exception cref="InvalidDataException">The shape is another: it depends on more than the shapes of the model's inputs.</exception>
    internal void Fill(OnnxValue<T> result, string name)
    {
        if (Live.IsSequence && result.IsSequence)
        {
            Live.Items = result.Items;
            return;
        }

        if (result.Shape != Shape || result.IsFloatingPoint != IsFloatingPoint || result.IsSequence != Live.IsSequence)
        {
            throw new InvalidDataException($"{name}: its result {result} is not the {Live} of the session's plan; its shape depends on data. Use OnnxModel.Run for this model.");
        }

        if (IsFloatingPoint)
        {
            result.Tensor.AsReadOnlySpan().CopyTo(Write);
        }
        else
        {
            result.Integers.CopyTo(Integers);
        }
    }
}
