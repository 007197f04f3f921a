using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Onnx.Import;
using Rnn.Tensors;

namespace Rnn.Onnx.Sessions;

/// <summary>A part of a session's run: reads values and writes others, all of them allocated before.</summary>
internal abstract class SessionStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Whether the step allocates nothing.</summary>
    internal virtual bool IsAllocationFree => true;

    internal abstract void Run();
}

/// <summary>A node that runs as it does outside of sessions; its results are copied into the session's memory. It allocates.</summary>
internal sealed class NodeStep<T>(NodeProgram<T> node, OnnxValue<T>?[] values, OnnxOptions options, long inputElements, SessionValue<T>?[] outputs) : SessionStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal override bool IsAllocationFree => false;

    internal override void Run()
    {
        using var noGradient = NoGradient.Enter();
        var scratch = (OnnxValue<T>?[])values.Clone();
        GraphProgram<T>.RunNode(node, scratch, new RunContext(options, inputElements));
        for (var i = 0; i < outputs.Length; i++)
        {
            outputs[i]?.Fill(scratch[node.Outputs[i]]!, node.ToString());
        }
    }
}

/// <summary>Elements put in other places, by a table made beforehand.</summary>
/// <param name="sources">Where elements come from.</param>
/// <param name="output">Where they go.</param>
/// <param name="runs">Stretches of neighbours: which source, where in it, where in the output, how many.</param>
internal sealed class MoveStep<T>(SessionValue<T>[] sources, SessionValue<T> output, (int Source, int From, int To, int Length)[] runs) : SessionStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal override void Run()
    {
        var target = output.Write;
        foreach (var (source, from, to, length) in runs)
        {
            var values = sources[source].Read;
            if (length == 1)
            {
                target[to] = values[from];
            }
            else
            {
                values.Slice(from, length).CopyTo(target[to..]);
            }
        }
    }
}

/// <summary>Elements along an axis by whole numbers that each run brings.</summary>
internal sealed class LookupStep<T>(SessionValue<T> table, SessionValue<T> indices, SessionValue<T> output, int axis) : SessionStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly int _size = table.Shape[axis];
    private readonly int _outer = new Shape(table.Shape.Dimensions[..axis]).ElementCount;
    private readonly int _inner = new Shape(table.Shape.Dimensions[(axis + 1)..]).ElementCount;

    internal override void Run()
    {
        var places = indices.Integers;
        for (var i = 0; i < places.Length; i++)
        {
            var place = places[i] < 0 ? places[i] + _size : places[i];
            if (place < 0 || place >= _size)
            {
                throw new InvalidDataException($"Gather: the index {places[i]} is not among {_size} elements.");
            }

            for (var o = 0; o < _outer; o++)
            {
                var (from, to) = (((o * _size) + (int)place) * _inner, ((o * places.Length) + i) * _inner);
                if (table.IsFloatingPoint)
                {
                    table.Read.Slice(from, _inner).CopyTo(output.Write[to..]);
                }
                else
                {
                    table.Integers.AsSpan(from, _inner).CopyTo(output.Integers.AsSpan(to));
                }
            }
        }
    }
}

/// <summary>A function of every element.</summary>
internal sealed class UnaryStep<T, TFunction>(SessionValue<T> input, SessionValue<T> output, TFunction function) : SessionStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TFunction : struct, IUnaryFunction<T>
{
    internal override void Run()
    {
        var values = output.Write;
        input.Read.CopyTo(values);
        Unary.InPlace(values, function);
    }
}

/// <summary>A function of every element, one by one.</summary>
internal sealed class MapStep<T>(SessionValue<T> input, SessionValue<T> output, Func<T, T> function) : SessionStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal override void Run()
    {
        var from = input.Read;
        var to = output.Write;
        for (var i = 0; i < to.Length; i++)
        {
            to[i] = function(from[i]);
        }
    }
}

/// <summary>A function of two operands: of one shape, or one of them repeats along the leading dimensions of the other.</summary>
internal sealed unsafe class BinaryStep<T, TFunction>(SessionValue<T> left, SessionValue<T> right, SessionValue<T> output) : SessionStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TFunction : struct, IBinaryFunction<T>
{
    internal override void Run()
    {
        fixed (T* a = left.Read)
        fixed (T* b = right.Read)
        fixed (T* y = output.Write)
        {
            var (lengthA, lengthB, length) = (left.Length, right.Length, output.Length);
            if (lengthA == 1 && lengthB == 1)
            {
                BinaryKernels<T, TFunction>.Forward(a, 1, b, 1, y, 1);
            }
            else if (lengthA == 1 || lengthB == 1)
            {
                BinaryKernels<T, TFunction>.Forward(a, lengthA == 1 ? 0 : 1, b, lengthB == 1 ? 0 : 1, y, length);
            }
            else
            {
                var row = Math.Min(lengthA, lengthB);
                for (var i = 0; i < length; i += row)
                {
                    BinaryKernels<T, TFunction>.Forward(lengthA == length ? a + i : a, 1, lengthB == length ? b + i : b, 1, y + i, row);
                }
            }
        }
    }
}

/// <summary>A product with constant weights, which are packed once for all sessions of a model.</summary>
internal sealed class ProductStep<T>(SessionValue<T> input, PackedProduct<T>? packed, LinearProduct<T>? linear, Tensor<T> weight, SessionValue<T> output) : SessionStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Where the product goes.</summary>
    internal SessionValue<T> Output => output;

    /// <summary>A vector that is added to every row, or null.</summary>
    internal Tensor<T>? Bias { get; set; }

    internal override void Run()
    {
        if (packed is not null)
        {
            packed.Multiply(input.Read, weight, Bias, output.Write);
        }
        else
        {
            linear!.Apply(input.Read, weight, Bias, output.Write);
        }
    }
}

/// <summary>Products of matrices, batch by batch: of the left [batches, rows, inner] and the right [batches, inner, columns], of which one may have fewer that come again and again.</summary>
internal sealed unsafe class MatrixStep<T>(SessionValue<T> left, SessionValue<T> right, SessionValue<T> output, int rows, int inner, int columns, int leftBatches, int rightBatches) : SessionStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal override void Run()
    {
        fixed (T* a = left.Read)
        fixed (T* b = right.Read)
        fixed (T* c = output.Write)
        {
            for (var i = 0; i < output.Length / (rows * columns); i++)
            {
                MatrixProduct<T>.Multiply(a + (i % leftBatches * rows * inner), b + (i % rightBatches * inner * columns), false, c + (i * rows * columns), rows, columns, inner, accumulate: false);
            }
        }
    }
}

/// <summary>Softmax, or its logarithm, of rows.</summary>
internal sealed unsafe class SoftmaxStep<T>(SessionValue<T> input, SessionValue<T> output, int columns, bool logarithm) : SessionStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal override void Run()
    {
        fixed (T* x = input.Read)
        fixed (T* y = output.Write)
        {
            var rows = output.Length / columns;
            if (logarithm)
            {
                RowKernels<T>.Current.LogSoftmax(new(x, columns), new(y, columns), rows, columns);
            }
            else
            {
                RowKernels<T>.Current.Softmax(new(x, columns), new(y, columns), rows, columns);
            }
        }
    }
}

/// <summary>Means, sums and norms of rows.</summary>
internal sealed class ReductionStep<T>(SessionValue<T> input, SessionValue<T> output, int columns, string kind) : SessionStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal override void Run()
    {
        var from = input.Read;
        var to = output.Write;
        for (var row = 0; row < to.Length; row++)
        {
            var values = from.Slice(row * columns, columns);
            to[row] = kind switch
            {
                "ReduceMean" => SpanKernels<T>.Sum(values) / T.CreateTruncating(columns),
                "ReduceSum" => SpanKernels<T>.Sum(values),
                "ReduceMax" => SpanKernels<T>.Extreme(values, largest: true),
                "ReduceMin" => SpanKernels<T>.Extreme(values, largest: false),
                "ReduceSumSquare" => SpanKernels<T>.Dot(values, values),
                _ => T.Sqrt(SpanKernels<T>.Dot(values, values)),
            };
        }
    }
}

/// <summary>Batch normalisation as in inference: each channel of [N, C, …] by its mean, variance, scale and shift.</summary>
internal sealed class BatchNormStep<T>(
    SessionValue<T> input, SessionValue<T> scale, SessionValue<T> shift, SessionValue<T> mean, SessionValue<T> variance, SessionValue<T> output, double epsilon) : SessionStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal override void Run()
    {
        var channels = output.Shape[1];
        var size = output.Length / (output.Shape[0] * channels);
        input.Read.CopyTo(output.Write);
        for (var i = 0; i < output.Shape[0] * channels; i++)
        {
            var channel = i % channels;
            var values = output.Write.Slice(i * size, size);
            SpanKernels<T>.AddConstant(-mean.Read[channel], values);
            SpanKernels<T>.Scale(values, scale.Read[channel] / T.Sqrt(variance.Read[channel] + T.CreateTruncating(epsilon)), values);
            SpanKernels<T>.AddConstant(shift.Read[channel], values);
        }
    }
}

/// <summary>Groups of the channels of [N, C, …] with mean 0 and variance 1, then scale and shift of each channel or group.</summary>
internal sealed class ChannelNormStep<T>(SessionValue<T> input, SessionValue<T> scale, SessionValue<T> shift, SessionValue<T> output, int groups, int factors, double epsilon) : SessionStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal override void Run()
    {
        var rows = output.Shape[0];
        var (size, part) = (output.Length / (rows * groups), output.Length / (rows * factors));
        input.Read.CopyTo(output.Write);
        for (var i = 0; i < rows * groups; i++)
        {
            var values = output.Write.Slice(i * size, size);
            SpanKernels<T>.AddConstant(-SpanKernels<T>.Sum(values) / T.CreateTruncating(size), values);
            SpanKernels<T>.Scale(values, T.One / T.Sqrt((SpanKernels<T>.Dot(values, values) / T.CreateTruncating(size)) + T.CreateTruncating(epsilon)), values);
        }

        for (var i = 0; i < rows * factors; i++)
        {
            var values = output.Write.Slice(i * part, part);
            SpanKernels<T>.Scale(values, scale.Read[i % factors], values);
            SpanKernels<T>.AddConstant(shift.Read[i % factors], values);
        }
    }
}

/// <summary>Rows with mean 0 and variance 1, times a weight, plus a bias.</summary>
internal sealed class LayerNormStep<T>(SessionValue<T> input, Tensor<T> weight, Tensor<T>? bias, SessionValue<T> output, double epsilon) : SessionStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal override void Run()
    {
        var (columns, size) = (weight.Length, T.CreateTruncating(weight.Length));
        var factors = weight.AsReadOnlySpan();
        for (var start = 0; start < output.Length; start += columns)
        {
            var row = output.Write.Slice(start, columns);
            input.Read.Slice(start, columns).CopyTo(row);
            SpanKernels<T>.AddConstant(-SpanKernels<T>.Sum(row) / size, row);
            var scale = T.One / T.Sqrt((SpanKernels<T>.Dot(row, row) / size) + T.CreateTruncating(epsilon));
            SpanKernels<T>.Scale(row, scale, row);
            SpanKernels<T>.Multiply(row, factors, row);
            if (bias is not null)
            {
                SpanKernels<T>.Add(bias.AsReadOnlySpan(), row);
            }
        }
    }
}
