using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>
/// Einstein's summation: sums of products over dimensions that an equation such as <c>bqd,bkd->bqk</c> names by letters. Operands are multiplied from left to right, each product as
/// one batched matrix product.
/// </summary>
internal static class EinsumOperator
{
    internal static void Register<T>(OperatorSet<T> set)
        where T : unmanaged, IFloatingPointIeee754<T> => set.Add("Einsum", call => Einsum(call));

    private static OnnxValue<T> Einsum<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var equation = call.Attributes.RequiredString("equation").Replace(" ", string.Empty, StringComparison.Ordinal);
        var sides = equation.Split("->");
        var terms = sides[0].Split(',');
        if (sides.Length > 2 || terms.Length != call.InputCount)
        {
            throw new InvalidDataException($"the equation '{equation}' does not fit {call.InputCount} inputs");
        }

        // The dimensions that dots stand for become labels too, numbered from the last.
        var operands = new Tensor<T>[terms.Length];
        var dots = 0;
        for (var i = 0; i < terms.Length; i++)
        {
            operands[i] = call.Tensor(i);
            var hidden = operands[i].Rank - terms[i].Replace("...", string.Empty, StringComparison.Ordinal).Length;
            dots = Math.Max(dots, terms[i].Contains("...", StringComparison.Ordinal) ? hidden : 0);
            terms[i] = Labels(terms[i], hidden);
            if (terms[i].Length != operands[i].Rank)
            {
                throw new InvalidDataException($"the equation '{equation}' does not fit {operands[i].Shape}");
            }
        }

        var output = sides.Length == 2 ? Labels(sides[1], dots) : Labels("...", dots) + string.Concat(string.Concat(terms).Where(char.IsAsciiLetter).GroupBy(label => label).Where(group => group.Count() == 1).Select(group => group.Key).Order());
        var sizes = Sizes(equation, terms, operands);
        if (output.Distinct().Count() != output.Length || output.Any(label => !sizes.ContainsKey(label)))
        {
            throw new InvalidDataException($"the equation '{equation}' has an output that does not follow from its inputs");
        }

        _ = call.Shape(Array.ConvertAll(output.ToCharArray(), label => (long)sizes[label]));
        var (left, labels) = Diagonal(call, operands[0], terms[0], sizes);
        for (var i = 1; i < operands.Length; i++)
        {
            var (right, rightLabels) = Diagonal(call, operands[i], terms[i], sizes);
            (left, labels) = Multiply(call, left, labels, right, rightLabels, output + string.Concat(terms[(i + 1)..]), sizes);
        }

        left = Summed(left, ref labels, output);
        return Permuted(left, labels, output);
    }

    private static string Labels(string term, int hidden)
    {
        var labels = term.Replace("...", string.Concat(Enumerable.Range(0, Math.Clamp(hidden, 0, 16)).Select(i => (char)('0' + hidden - 1 - i))), StringComparison.Ordinal);
        return labels.All(label => char.IsAsciiLetter(label) || label - '0' is >= 0 and < 16) && !term.Any(char.IsAsciiDigit)
            ? labels
            : throw new InvalidDataException($"the term '{term}' of the equation is not letters and dots");
    }

    private static Dictionary<char, int> Sizes<T>(string equation, string[] terms, Tensor<T>[] operands)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var sizes = new Dictionary<char, int>();
        for (var i = 0; i < terms.Length; i++)
        {
            for (var d = 0; d < terms[i].Length; d++)
            {
                var (label, size) = (terms[i][d], operands[i].Shape[d]);
                var known = sizes.GetValueOrDefault(label, 1);
                sizes[label] = size == known || known == 1 ? size : size == 1 ? known
                    : throw new InvalidDataException($"the equation '{equation}' has sizes {known} and {size} for one dimension");
            }
        }

        return sizes;
    }

    // Dimensions of one element repeated to their size; of labels that come twice only the diagonal.
    private static (Tensor<T> Value, string Labels) Diagonal<T>(NodeCall<T> call, Tensor<T> value, string labels, Dictionary<char, int> sizes)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var shape = call.Broadcast(value.Shape, call.Shape(Array.ConvertAll(labels.ToCharArray(), label => (long)sizes[label])));
        value = shape == value.Shape ? value : value.BroadcastTo(shape);
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
        return (value.Reshape(value.Length).IndexSelect(0, Broadcasting.Strided(diagonal, strides, 0)).Reshape(diagonal), distinct);
    }

    private static (Tensor<T> Value, string Labels) Multiply<T>(
        NodeCall<T> call, Tensor<T> left, string leftLabels, Tensor<T> right, string rightLabels, string needed, Dictionary<char, int> sizes)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        left = Summed(left, ref leftLabels, needed + rightLabels);
        right = Summed(right, ref rightLabels, needed + leftLabels);
        var batch = string.Concat(leftLabels.Where(label => rightLabels.Contains(label, StringComparison.Ordinal) && needed.Contains(label, StringComparison.Ordinal)));
        var sum = string.Concat(leftLabels.Where(label => rightLabels.Contains(label, StringComparison.Ordinal) && !needed.Contains(label, StringComparison.Ordinal)));
        var rows = string.Concat(leftLabels.Where(label => !rightLabels.Contains(label, StringComparison.Ordinal)));
        var columns = string.Concat(rightLabels.Where(label => !leftLabels.Contains(label, StringComparison.Ordinal)));
        var labels = batch + rows + columns;
        var shape = call.Shape(Array.ConvertAll(labels.ToCharArray(), label => (long)sizes[label]));
        var product = Permuted(left, leftLabels, batch + rows + sum).Reshape(Count(batch), Count(rows), Count(sum))
            .MatMul(Permuted(right, rightLabels, batch + sum + columns).Reshape(Count(batch), Count(sum), Count(columns)));
        return (product.Reshape(shape), labels);

        int Count(string group) => group.Aggregate(1, (count, label) => checked(count * sizes[label]));
    }

    private static Tensor<T> Summed<T>(Tensor<T> value, ref string labels, string needed)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var all = labels;
        int[] axes = [.. Enumerable.Range(0, all.Length).Where(axis => !needed.Contains(all[axis], StringComparison.Ordinal))];
        labels = string.Concat(all.Where(label => needed.Contains(label, StringComparison.Ordinal)));
        return axes.Length == 0 ? value : value.Sum(axes, false);
    }

    private static Tensor<T> Permuted<T>(Tensor<T> value, string from, string to)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        from == to ? value : value.Permute([.. to.Select(label => from.IndexOf(label, StringComparison.Ordinal))]);
}
