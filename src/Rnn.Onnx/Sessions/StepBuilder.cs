using System.Numerics;
using Rnn.Onnx.Import;
using Rnn.Tensors;

namespace Rnn.Onnx.Sessions;

/// <summary>Adds the steps of what operators are made of; what only changes a shape shares memory.</summary>
internal sealed class StepBuilder<T>(List<SessionStep<T>> steps) : IEinsumAlgebra<T, SessionValue<T>>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public Shape ShapeOf(SessionValue<T> value) => value.Shape;

    public SessionValue<T> Reshape(SessionValue<T> value, Shape shape) => value.As(shape);

    public SessionValue<T> BroadcastTo(SessionValue<T> value, Shape shape) => value.Shape == shape ? value : MovePlanner<T>.Expand(value, shape, steps);

    public SessionValue<T> Permute(SessionValue<T> value, int[] order)
    {
        var strides = Broadcasting.Strides(value.Shape);
        var shape = new Shape(Array.ConvertAll(order, axis => value.Shape[axis]));
        return Pick(value, Broadcasting.Strided(shape, Array.ConvertAll(order, axis => strides[axis]), 0), shape);
    }

    /// <summary>Elements by their places, row-major.</summary>
    public SessionValue<T> Pick(SessionValue<T> value, int[] places, Shape shape)
    {
        var runs = MovePlanner<T>.Runs(Array.ConvertAll(places, place => place + 1L));
        if (runs is [{ From: 0, To: 0 } only] && only.Length == value.Length && only.Length == shape.ElementCount)
        {
            return value.As(shape);
        }

        var output = SessionValue<T>.Allocate(Tensor<T>.Zeros(shape));
        steps.Add(new MoveStep<T>([value], output, runs));
        return output;
    }

    public SessionValue<T> Sum(SessionValue<T> value, int[] axes)
    {
        var rank = value.Shape.Rank;
        int[] kept = [.. Enumerable.Range(0, rank).Where(axis => !axes.Contains(axis))];
        var output = SessionValue<T>.Allocate(Tensor<T>.Zeros(new Shape(Array.ConvertAll(kept, axis => value.Shape[axis]))));
        steps.Add(new ReductionStep<T>(Last(value, axes), output, new Shape(Array.ConvertAll(axes, axis => value.Shape[axis])).ElementCount, "ReduceSum"));
        return output;
    }

    /// <summary>The step that puts elements of a value, by their places, where they belong in the output.</summary>
    internal static MoveStep<T> Move(SessionValue<T> value, int[] places, SessionValue<T> output) => new([value], output, MovePlanner<T>.Runs(Array.ConvertAll(places, place => place + 1L)));

    /// <summary>The value with some axes behind all others.</summary>
    internal SessionValue<T> Last(SessionValue<T> value, int[] axes) =>
        Permute(value, [.. Enumerable.Range(0, value.Shape.Rank).Where(axis => !axes.Contains(axis)), .. axes]);

    public SessionValue<T> MatMul(SessionValue<T> left, SessionValue<T> right)
    {
        var (batches, rows, inner, columns) = (left.Shape[0], left.Shape[1], left.Shape[2], right.Shape[2]);
        var output = SessionValue<T>.Allocate(Tensor<T>.Zeros(batches, rows, columns));
        if (output.Length > 0)
        {
            steps.Add(new MatrixStep<T>(left, right, output, rows, inner, columns, batches, batches));
        }

        return output;
    }
}
