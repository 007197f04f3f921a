using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>What Einstein's summation is made of, for tensors of a run and for values of a session.</summary>
internal interface IEinsumAlgebra<T, TValue>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    Shape ShapeOf(TValue value);

    TValue Reshape(TValue value, Shape shape);

    TValue BroadcastTo(TValue value, Shape shape);

    TValue Permute(TValue value, int[] order);

    /// <summary>Elements by their places, row-major.</summary>
    TValue Pick(TValue value, int[] places, Shape shape);

    /// <summary>Sums over axes, which go.</summary>
    TValue Sum(TValue value, int[] axes);

    /// <summary>Products of [B, M, K] and [B, K, N].</summary>
    TValue MatMul(TValue left, TValue right);
}

/// <summary>
/// Einstein's summation: sums of products over dimensions that an equation such as <c>bqd,bkd->bqk</c> names by letters. Operands are multiplied from left to right, each product as
/// one batched matrix product.
/// </summary>
internal static class EinsumOperator
{
    internal static void Register<T>(OperatorSet<T> set)
        where T : unmanaged, IFloatingPointIeee754<T> => set.Add("Einsum", call => Einsum(call));

    private static OnnxValue<T> Einsum<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Evaluate(call, [.. Enumerable.Range(0, call.InputCount).Select(call.Tensor)], default(TensorAlgebra<T>));

    /// <summary>The sum of products that a node's equation says.</summary>
    internal static TValue Evaluate<T, TValue>(NodeCall<T> call, TValue[] operands, IEinsumAlgebra<T, TValue> algebra)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var equation = call.Attributes.RequiredString("equation").Replace(" ", string.Empty, StringComparison.Ordinal);
        var sides = equation.Split("->");
        var terms = sides[0].Split(',');
        if (sides.Length > 2 || terms.Length != operands.Length)
        {
            throw new InvalidDataException($"the equation '{equation}' does not fit {operands.Length} inputs");
        }

        // The dimensions that dots stand for become labels too, numbered from the last.
        var dots = 0;
        for (var i = 0; i < terms.Length; i++)
        {
            var shape = algebra.ShapeOf(operands[i]);
            var hidden = shape.Rank - terms[i].Replace("...", string.Empty, StringComparison.Ordinal).Length;
            dots = Math.Max(dots, terms[i].Contains("...", StringComparison.Ordinal) ? hidden : 0);
            terms[i] = Labels(terms[i], hidden);
            if (terms[i].Length != shape.Rank)
            {
                throw new InvalidDataException($"the equation '{equation}' does not fit {shape}");
            }
        }

        var output = sides.Length == 2 ? Labels(sides[1], dots) : Labels("...", dots) + string.Concat(string.Concat(terms).Where(char.IsAsciiLetter).GroupBy(label => label).Where(group => group.Count() == 1).Select(group => group.Key).Order());
        var sizes = Sizes(equation, terms, Array.ConvertAll(operands, algebra.ShapeOf));
        if (output.Distinct().Count() != output.Length || output.Any(label => !sizes.ContainsKey(label)))
        {
            throw new InvalidDataException($"the equation '{equation}' has an output that does not follow from its inputs");
        }

        _ = call.Shape(Array.ConvertAll(output.ToCharArray(), label => (long)sizes[label]));
        var (left, labels) = Diagonal(call, operands[0], terms[0], sizes, algebra);
        for (var i = 1; i < operands.Length; i++)
        {
            var (right, rightLabels) = Diagonal(call, operands[i], terms[i], sizes, algebra);
            (left, labels) = Multiply(call, left, labels, right, rightLabels, output + string.Concat(terms[(i + 1)..]), sizes, algebra);
        }

        left = Summed(left, ref labels, output, algebra);
        return Permuted(left, labels, output, algebra);
    }

    private static string Labels(string term, int hidden)
    {
        var labels = term.Replace("...", string.Concat(Enumerable.Range(0, Math.Clamp(hidden, 0, 16)).Select(i => (char)('0' + hidden - 1 - i))), StringComparison.Ordinal);
        return labels.All(label => char.IsAsciiLetter(label) || label - '0' is >= 0 and < 16) && !term.Any(char.IsAsciiDigit)
            ? labels
            : throw new InvalidDataException($"the term '{term}' of the equation is not letters and dots");
    }

    private static Dictionary<char, int> Sizes(string equation, string[] terms, Shape[] shapes)
    {
        var sizes = new Dictionary<char, int>();
        for (var i = 0; i < terms.Length; i++)
        {
            for (var d = 0; d < terms[i].Length; d++)
            {
                var (label, size) = (terms[i][d], shapes[i][d]);
                var known = sizes.GetValueOrDefault(label, 1);
                sizes[label] = size == known || known == 1 ? size : size == 1 ? known
                    : throw new InvalidDataException($"the equation '{equation}' has sizes {known} and {size} for one dimension");
            }
        }

        return sizes;
    }

    // Dimensions of one element repeated to their size; of labels that come twice only the diagonal.
    private static (TValue Value, string Labels) Diagonal<T, TValue>(NodeCall<T> call, TValue value, string labels, Dictionary<char, int> sizes, IEinsumAlgebra<T, TValue> algebra)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var shape = call.Broadcast(algebra.ShapeOf(value), call.Shape(Array.ConvertAll(labels.ToCharArray(), label => (long)sizes[label])));
        value = algebra.BroadcastTo(value, shape);
        var distinct = string.Concat(labels.Distinct());
        if (distinct.Length == labels.Length)
        {
            return (value, labels);
        }

        var (all, strides) = (Broadcasting.Strides(shape), new int[distinct.Length]);
        for (var d = 0; d < labels.Length; d++)
        {
            strides[distinct.IndexOf(labels[d], StringComparison.Ordinal)] += all[d];
        }

        var diagonal = new Shape(Array.ConvertAll(distinct.ToCharArray(), label => sizes[label]));
        return (algebra.Pick(value, Broadcasting.Strided(diagonal, strides, 0), diagonal), distinct);
    }

    private static (TValue Value, string Labels) Multiply<T, TValue>(
        NodeCall<T> call, TValue left, string leftLabels, TValue right, string rightLabels, string needed, Dictionary<char, int> sizes, IEinsumAlgebra<T, TValue> algebra)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        left = Summed(left, ref leftLabels, needed + rightLabels, algebra);
        right = Summed(right, ref rightLabels, needed + leftLabels, algebra);
        var batch = string.Concat(leftLabels.Where(label => rightLabels.Contains(label, StringComparison.Ordinal) && needed.Contains(label, StringComparison.Ordinal)));
        var sum = string.Concat(leftLabels.Where(label => rightLabels.Contains(label, StringComparison.Ordinal) && !needed.Contains(label, StringComparison.Ordinal)));
        var rows = string.Concat(leftLabels.Where(label => !rightLabels.Contains(label, StringComparison.Ordinal)));
        var columns = string.Concat(rightLabels.Where(label => !leftLabels.Contains(label, StringComparison.Ordinal)));
        var labels = batch + rows + columns;
        var shape = call.Shape(Array.ConvertAll(labels.ToCharArray(), label => (long)sizes[label]));
        var product = algebra.MatMul(
            algebra.Reshape(Permuted(left, leftLabels, batch + rows + sum, algebra), new(Count(batch), Count(rows), Count(sum))),
            algebra.Reshape(Permuted(right, rightLabels, batch + sum + columns, algebra), new(Count(batch), Count(sum), Count(columns))));
        return (algebra.Reshape(product, shape), labels);

        int Count(string group) => group.Aggregate(1, (count, label) => checked(count * sizes[label]));
    }

    private static TValue Summed<T, TValue>(TValue value, ref string labels, string needed, IEinsumAlgebra<T, TValue> algebra)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var all = labels;
        int[] axes = [.. Enumerable.Range(0, all.Length).Where(axis => !needed.Contains(all[axis], StringComparison.Ordinal))];
        labels = string.Concat(all.Where(label => needed.Contains(label, StringComparison.Ordinal)));
        return axes.Length == 0 ? value : algebra.Sum(value, axes);
    }

    private static TValue Permuted<T, TValue>(TValue value, string from, string to, IEinsumAlgebra<T, TValue> algebra)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        from == to ? value : algebra.Permute(value, [.. to.Select(label => from.IndexOf(label, StringComparison.Ordinal))]);

    private readonly struct TensorAlgebra<T> : IEinsumAlgebra<T, Tensor<T>>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public Shape ShapeOf(Tensor<T> value) => value.Shape;

        public Tensor<T> Reshape(Tensor<T> value, Shape shape) => value.Reshape(shape);

        public Tensor<T> BroadcastTo(Tensor<T> value, Shape shape) => value.Shape == shape ? value : value.BroadcastTo(shape);

        public Tensor<T> Permute(Tensor<T> value, int[] order) => value.Permute(order);

        public Tensor<T> Pick(Tensor<T> value, int[] places, Shape shape) => value.Reshape(value.Length).IndexSelect(0, places).Reshape(shape);

        public Tensor<T> Sum(Tensor<T> value, int[] axes) => value.Sum(axes, false);

        public Tensor<T> MatMul(Tensor<T> left, Tensor<T> right) => left.MatMul(right);
    }
}
