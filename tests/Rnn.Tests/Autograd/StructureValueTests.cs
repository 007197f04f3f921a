using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Tests.Autograd;

/// <summary>Values of operations that reduce, multiply, reorder and join, against plain loops and hand values.</summary>
public class StructureValueTests
{
    private static readonly Tensor<double> Cube = Tensor<double>.Arange(24).Reshape(2, 3, 4);

    [Fact]
    public void Sums_means_and_extremes_over_axes()
    {
        Assert.Equal(276, Cube.Sum().Item());
        Assert.Equal(11.5, Cube.Mean().Item());
        Assert.Equal([12.0, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34], Cube.Sum(0).ToArray());
        Assert.Equal([12.0, 15, 18, 21, 48, 51, 54, 57], Cube.Sum(1).ToArray());
        Assert.Equal([6.0, 22, 38, 54, 70, 86], Cube.Sum(-1).ToArray());
        Assert.Equal([2, 3, 1], Cube.Sum(2, keepDimensions: true).Shape);
        Assert.Equal([60.0, 92, 124], Cube.Sum([0, 2]).ToArray());
        Assert.Equal([1, 3, 1], Cube.Mean([0, 2], keepDimensions: true).Shape);
        Assert.Equal([7.5, 11.5, 15.5], Cube.Mean([2, 0]).ToArray());
        Assert.Equal(Cube.ToArray(), Cube.Sum([]).ToArray());
        Assert.Equal(23, Cube.Max().Item());
        Assert.Equal(0, Cube.Min().Item());
        Assert.Equal([8.0, 9, 10, 11, 20, 21, 22, 23], Cube.Max(1).ToArray());
        Assert.Equal([3.0, 7, 11, 15, 19, 23], Cube.Max(-1).ToArray());
        Assert.Equal([0.0, 4, 8], Cube.Min([0, 2]).ToArray());
        Assert.Equal([3, 3, 3, 3, 3, 3], Cube.ArgMax());
        Assert.Equal([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], Cube.ArgMax(0));
        Assert.Equal(5, Tensor<double>.From([3.0, -4]).Norm().Item());
        Assert.Equal([Math.Sqrt(144 + 0), Math.Sqrt(169 + 1)], Cube.Norm(0).Slice(..1, ..2).ToArray());
        Assert.True(double.IsNaN(Tensor<double>.From([1.0, double.NaN, 3]).Max().Item()));
        Assert.Equal(0, Tensor<double>.Zeros(0, 3).Sum().Item());
        Assert.Equal([0.0, 0, 0], Tensor<double>.Zeros(0, 3).Sum(0).ToArray());
        Assert.True(double.IsNaN(Tensor<double>.Zeros(0).Mean().Item()));
        Assert.Throws<ArgumentException>(() => Tensor<double>.Zeros(0, 3).Max(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Cube.Sum(3));
        var error = Assert.Throws<ArgumentException>(() => Cube.Sum([1, -2]));
        Assert.StartsWith("axes: [1, -2] names axis -2 of the shape [2, 3, 4] twice.", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new[] { 1, 1 }, new[] { 1, 1 })]
    [InlineData(new[] { 3, 17 }, new[] { 17, 5 })]
    [InlineData(new[] { 37, 129 }, new[] { 129, 65 })]
    [InlineData(new[] { 1, 37 }, new[] { 37, 129 })]
    [InlineData(new[] { 4, 1 }, new[] { 1, 3 })]
    [InlineData(new[] { 17 }, new[] { 17 })]
    [InlineData(new[] { 17 }, new[] { 17, 3 })]
    [InlineData(new[] { 3, 17 }, new[] { 17 })]
    [InlineData(new[] { 2, 5, 3 }, new[] { 3, 4 })]
    [InlineData(new[] { 2, 1, 5, 3 }, new[] { 4, 3, 2 })]
    [InlineData(new[] { 5, 3 }, new[] { 6, 3, 2 })]
    [InlineData(new[] { 3, 0 }, new[] { 0, 2 })]
    [InlineData(new[] { 0, 3 }, new[] { 3, 2 })]
    [InlineData(new[] { 0, 4, 3 }, new[] { 3, 2 })]
    [InlineData(new[] { 0, 4, 3 }, new[] { 0, 3, 2 })]
    [InlineData(new[] { 200, 64 }, new[] { 64, 200 })]
    public void Matrix_products_agree_with_plain_loops(int[] left, int[] right)
    {
        Check<double>(1e-14);
        Check<float>(4e-6);

        void Check<T>(double tolerance)
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            var a = Tensor<T>.RandomNormal(new RandomSource(1), 0, 1, left);
            var b = Tensor<T>.RandomNormal(new RandomSource(2), 0, 1, right);
            var product = a.MatMul(b);

            // The oracle: both as batches of matrices, repeated to the same batches by the operation that does just that.
            var (m, k, n) = (left.Length == 1 ? 1 : left[^2], left[^1], right.Length == 1 ? 1 : right[^1]);
            int[] batchA = left.Length > 2 ? left[..^2] : [], batchB = right.Length > 2 ? right[..^2] : [];
            int[] batch = [.. (Tensor<T>.Zeros(batchA) + Tensor<T>.Zeros(batchB)).Shape];
            var rowsA = a.Reshape([.. batchA, m, k]).BroadcastTo([.. batch, m, k]).AsReadOnlySpan();
            var rowsB = b.Reshape([.. batchB, k, n]).BroadcastTo([.. batch, k, n]).AsReadOnlySpan();
            Assert.Equal([.. batch, .. left.Length == 1 ? Array.Empty<int>() : [m], .. right.Length == 1 ? Array.Empty<int>() : [n]], product.Shape);
            for (var i = 0; i < product.Length; i++)
            {
                var (row, column) = Math.DivRem(i, n);
                double sum = 0, size = 1;
                for (var p = 0; p < k; p++)
                {
                    var term = double.CreateChecked(rowsA[(row * k) + p]) * double.CreateChecked(rowsB[(((row / m) * k) + p) * n + column]);
                    sum += term;
                    size += Math.Abs(term);
                }

                Assert.Equal(sum, double.CreateChecked(product.AsReadOnlySpan()[i]), tolerance * size);
            }
        }
    }

    [Fact]
    public void Matrix_products_name_wrong_shapes()
    {
        var error = Assert.Throws<ArgumentException>(() => Tensor<float>.Zeros(2, 3).MatMul(Tensor<float>.Zeros(4, 5)));
        Assert.StartsWith(
            "MatMul: the shapes [2, 3] and [4, 5] do not fit together; the last dimension of the left (3) must equal the rows of the right (4).",
            error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Tensor<float>.Zeros(2, 3, 4).MatMul(Tensor<float>.Zeros(3, 4, 5)));
        Assert.Throws<ArgumentException>(() => Tensor<float>.Scalar(2).MatMul(Tensor<float>.Zeros(4, 5)));
    }

    [Fact]
    public void Threads_do_not_change_a_bit_of_a_product()
    {
        var a = Tensor<float>.RandomNormal(new RandomSource(1), 0, 1, 301, 257);
        var b = Tensor<float>.RandomNormal(new RandomSource(2), 0, 1, 257, 129);
        var before = Rnn.Kernels.Workers.MaxThreads;
        try
        {
            Rnn.Kernels.Workers.MaxThreads = 1;
            var (one, gradientOne) = Run();
            Rnn.Kernels.Workers.MaxThreads = 3;
            var (three, gradientThree) = Run();
            Assert.Equal(one, three);
            Assert.Equal(gradientOne, gradientThree);
        }
        finally
        {
            Rnn.Kernels.Workers.MaxThreads = before;
        }

        (float[] Product, float[] Gradient) Run()
        {
            var left = a.Clone();
            var right = b.Clone();
            left.RequiresGradient = right.RequiresGradient = true;
            var product = left.MatMul(right);
            product.Square().Sum().Backward();
            return (product.ToArray(), [.. left.Gradient!.ToArray(), .. right.Gradient!.ToArray()]);
        }
    }

    [Fact]
    public void Softmax_is_exact_also_for_large_scores()
    {
        var x = Tensor<double>.From([1000.0, 1001, 999, -1000, -1000, -999], 2, 3);
        var e = Math.E;
        var sum = 1 + e + (1 / e);
        var y = x.Softmax();
        Assert.Equal([1 / sum, e / sum, 1 / e / sum], y.Row(0).ToArray(), Near);
        Assert.Equal([1 / (2 + e), 1 / (2 + e), e / (2 + e)], y.Row(1).ToArray(), Near);
        Assert.Equal([-Math.Log(sum), 1 - Math.Log(sum), -1 - Math.Log(sum)], x.LogSoftmax().Row(0).ToArray(), Near);
        Assert.True(x.Transpose().Softmax(0).AllClose(y.Transpose(), 1e-14, 0));
        Assert.True(x.Transpose().LogSoftmax(0).AllClose(x.LogSoftmax().Transpose(), 1e-14, 0));
        Assert.Equal(0, Tensor<double>.Zeros(3, 0).Softmax().Length);
        Assert.Equal(0, Tensor<double>.Zeros(0, 3).LogSoftmax(0).Length);
        Assert.Equal([1.0], Tensor<double>.From([5.0]).Softmax().ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => x.Softmax(2));
        var masked = Tensor<double>.From([1.0, double.NegativeInfinity, 1]).Softmax();
        Assert.Equal([0.5, 0, 0.5], masked.ToArray());
        foreach (var size in new[] { 1, 17, 129, 1000 })
        {
            var single = Tensor<float>.RandomNormal(new RandomSource(3), 0, 3, 3, size);
            var exact = single.To<double>().ToArray().Chunk(size).SelectMany(row => row.Select(v => Math.Exp(v) / row.Sum(Math.Exp))).ToArray();

            // A score minus the largest is rounded to float: half an ulp of it, about 6e-8 · |log p|, is the relative error of p.
            Assert.Equal(exact, single.Softmax().To<double>().ToArray(), (p, q) => Math.Abs(p - q) <= 1e-7 * p * (8 - Math.Log(p)));
            Assert.Equal(exact.Select(p => Math.Log(p)), single.LogSoftmax().To<double>().ToArray(), (p, q) => Math.Abs(p - q) <= 1e-6 * (1 + Math.Abs(p)));
        }
    }

    [Fact]
    public void Views_reorder_and_cut()
    {
        Assert.Equal([0.0, 12, 4, 16, 8, 20, 1, 13, 5, 17, 9, 21, 2, 14, 6, 18, 10, 22, 3, 15, 7, 19, 11, 23], Cube.Permute(2, 1, 0).ToArray());
        Assert.Equal([2, 4, 3], Cube.Transpose().Shape);
        Assert.Equal(Cube[1, 2, 3], Cube.Transpose()[1, 3, 2]);
        Assert.Equal(Cube[1, 2, 3], Cube.Transpose(0, 1)[2, 1, 3]);
        Assert.Equal([17.0, 18, 21, 22], Cube.Slice(1.., 1.., 1..^1).ToArray());
        Assert.Equal([3.0, 1, 7, 5, 11, 9], Cube.Slice(..1).Slice(-1, .., -2).ToArray());
        Assert.Equal([8.0, 9, 10, 11, 0, 1, 2, 3], Cube.Select(0, 0).Slice(0, .., -2).ToArray());
        Assert.Equal([4.0, 5, 6, 7], Cube.Select(1, 1).Select(0, 0).ToArray());
        Assert.Equal([2, 0, 4], Cube.Slice(.., 1..1).Shape);
        var parts = Cube.Split(2, 1, 3);
        Assert.Equal([0.0, 4, 8, 12, 16, 20], parts[0].ToArray());
        Assert.Equal([2, 3, 3], parts[1].Shape);
        Assert.Equal(new Shape(2, 12), Cube.Reshape(2, -1).Shape);
        Assert.Equal(new Shape(), Tensor<double>.Ones(1).Reshape(Shape.Create([])).Shape);
        Assert.Equal([2, 2, 3, 4], Cube.BroadcastTo(2, 2, 3, 4).Shape);
        Assert.Equal(Cube[1, 2, 3], Cube.BroadcastTo(2, 2, 3, 4)[1, 1, 2, 3]);
        Assert.Equal([1.0, 1, 2, 2], Tensor<double>.From([1.0, 2], 2, 1).BroadcastTo(2, 2).ToArray());
    }

    [Theory]
    [InlineData(new[] { 3, 70, 130 }, new[] { 0, 2, 1 })]
    [InlineData(new[] { 130, 70 }, new[] { 1, 0 })]
    [InlineData(new[] { 5, 3, 4, 17 }, new[] { 2, 0, 1, 3 })]
    [InlineData(new[] { 5, 3, 4, 17 }, new[] { 3, 1, 2, 0 })]
    [InlineData(new[] { 1, 9, 1 }, new[] { 2, 1, 0 })]
    [InlineData(new[] { 4, 0, 2 }, new[] { 2, 1, 0 })]
    public void Gradients_go_back_through_the_inverse_order_written_and_added(int[] shape, int[] order)
    {
        var x = Tensor<float>.RandomNormal(new RandomSource(1), 0, 1, shape);
        x.RequiresGradient = true;
        int[] permuted = [.. order.Select(d => shape[d])];
        int[] inverse = [.. Enumerable.Range(0, order.Length).Select(d => Array.IndexOf(order, d))];
        var gradient = Tensor<float>.RandomNormal(new RandomSource(2), 0, 1, permuted);

        // Through a product the gradient is written into an empty buffer; at the leaf, and the second time, it is added.
        (x * 2f).Permute(order).Backward(gradient);
        x.Permute(order).Backward(gradient);
        Assert.Equal((gradient.Permute(inverse) * 3f).ToArray(), x.Gradient!.ToArray());
    }

    [Fact]
    public void Views_name_wrong_arguments()
    {
        Message("order: expected each of the 3 dimensions of the shape [2, 3, 4] once but got [0, 1, 1].", () => Cube.Permute(0, 1, 1));
        Message("order: expected each", () => Cube.Permute(0, 1));
        Message("range: 0..4 reaches outside of dimension 1 of the shape [2, 3, 4], or ends before it starts.", () => Cube.Slice(.., ..4));
        Message("range:", () => Cube.Slice(1, 2..1));
        Message("ranges: expected at most 3 for the shape [2, 3, 4] but got 4.", () => Cube.Slice(.., .., .., ..));
        Message("step: expected a step other than zero but got 0.", () => Cube.Slice(1, .., 0));
        Message("index: expected -2 to 1 for dimension 0 of the shape [2, 3, 4] but got 2.", () => Cube.Select(0, 2));
        Message("sizes: expected parts that add up to 4, dimension 2 of the shape [2, 3, 4], but got [1, 2].", () => Cube.Split(2, 1, 2));
        Message("dimensions: the 24 elements of the shape [2, 3, 4] do not fill [5, -1]", () => Cube.Reshape(5, -1));
        Message("dimensions: the 24 elements", () => Cube.Reshape(-1, -1));
        Message("shape: expected a shape of 24 elements, as in [2, 3, 4], but got [5, 5] with 25.", () => Cube.Reshape(5, 5));
        Message("shape: [2, 3, 4] cannot be repeated to the smaller shape [3, 4].", () => Cube.BroadcastTo(3, 4));
        Message("BroadcastTo: the shapes", () => Cube.BroadcastTo(5, 3, 4));
        Message("tensors: expected shapes that differ from the first, [2, 3, 4], in dimension 0 only but number 1 is [2, 3, 5].", () => Tensor<double>.Concat([Cube, Tensor<double>.Zeros(2, 3, 5)], 0));
        Message("tensors: expected the shape of the first", () => Tensor<double>.Stack([Cube, Tensor<double>.Zeros(2, 3, 5)], 0));
        Message("tensors: expected at least one.", () => Tensor<double>.Concat([], 0));
        Message("indices: expected 0 to 2 for the shape [2, 3, 4] but got -1.", () => Cube.IndexSelect(1, [0, -1]));
        Message("table: expected [rows, columns] but got [2, 3, 4].", () => Cube.Embedding([0]));
        Message("indices: expected 6, one for each place of the shape [2, 3, 4] without dimension -1, but got 1.", () => Cube.Gather([0]));
        Message("weight: expected [4], the last dimension of the input, but got [3].", () => Cube.LayerNorm(Tensor<double>.Ones(3)));
        Message("probability: expected 0 or more and less than 1.", () => Cube.Dropout(1, new RandomSource(1)));

        static void Message(string start, Func<object> action)
        {
            var error = Assert.ThrowsAny<ArgumentException>(action);
            Assert.StartsWith(start, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Tensors_join_and_gather()
    {
        var a = Tensor<double>.From([1.0, 2, 3, 4], 2, 2);
        var b = Tensor<double>.From([5.0, 6], 2, 1);
        Assert.Equal([1.0, 2, 5, 3, 4, 6], Tensor<double>.Concat([a, b], -1).ToArray());
        Assert.Equal([1.0, 2, 3, 4, 1, 2, 3, 4], Tensor<double>.Concat([a, a], 0).ToArray());
        Assert.Equal([1.0, 2, 1, 2, 3, 4, 3, 4], Tensor<double>.Stack([a, a], 1).ToArray());
        Assert.Equal([1.0, 1, 2, 2, 3, 3, 4, 4], Tensor<double>.Stack([a, a], -1).ToArray());
        Assert.Equal([2, 3], Tensor<double>.Concat([a, Tensor<double>.Zeros(2, 0), b], 1).Shape);
        Assert.Equal([0, 2, 2], Tensor<double>.Stack([Tensor<double>.Zeros(0, 2), Tensor<double>.Zeros(0, 2)], 1).Shape);
        Assert.Equal([2.0, 1, 2, 4, 3, 4], a.IndexSelect(1, [1, 0, 1]).ToArray());
        Assert.Equal([0, 2], a.IndexSelect(0, []).Shape);
        Assert.Equal([3.0, 4, 1, 2, 3, 4], a.Embedding([1, 0, 1]).ToArray());
        Assert.Equal([1, 2, 2], a.Embedding([1, 0], [1, 2]).Shape);
        Assert.Equal([2.0, 3], a.Gather([1, 0]).ToArray());
        Assert.Equal([3.0, 2], a.Gather([1, 0], 0).ToArray());
        Assert.Equal([1, 2], a.Gather([1, 0], 0, keepDimensions: true).Shape);
        Assert.Equal(Cube.Max(1).ToArray(), Cube.Gather(Cube.ArgMax(1), 1).ToArray());
        Assert.Equal(Cube.Min(0, keepDimensions: true).ToArray(), Cube.Gather((-Cube).ArgMax(0), 0, keepDimensions: true).ToArray());
        Assert.Equal([-9.0, 2, -9, 4], a.MaskedFill(Tensor<double>.From([1.0, 0]), -9).ToArray());
        var kept = a.Dropout(0.5, new RandomSource(1)).ToArray();
        Assert.All(kept.Zip(a.ToArray()), pair => Assert.True(pair.First == 0 || pair.First == 2 * pair.Second));
        Assert.Same(a, a.Dropout(0, new RandomSource(1)));
    }

    private static bool Near(double expected, double actual) => Math.Abs(expected - actual) <= 1e-14 * Math.Max(1, Math.Abs(expected));
}
