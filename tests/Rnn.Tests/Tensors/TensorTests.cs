using MathNet.Numerics.LinearAlgebra;
using Rnn.Tensors;

namespace Rnn.Tests.Tensors;

public class TensorTests
{
    private static readonly int[] TwoThree = [2, 3];

    [Fact]
    public void Tensors_are_made_in_many_ways()
    {
        Assert.Equal([0f, 0, 0, 0, 0, 0], Tensor<float>.Zeros(2, 3).ToArray());
        Assert.Equal(TwoThree, Tensor<float>.Zeros([2, 3]).Shape);
        Assert.Equal([1.0, 1], Tensor<double>.Ones(2).ToArray());
        Assert.Equal([7.0, 7], Tensor<double>.Full(7, 1, 2).ToArray());
        Assert.Equal(5, Tensor<double>.Scalar(5).Item());
        Assert.Equal(0, Tensor<double>.Scalar(5).Rank);
        Assert.Equal([1f, 0, 0, 1], Tensor<float>.Identity(2).ToArray());
        Assert.Equal([0f, 1, 2], Tensor<float>.Arange(3).ToArray());
        Assert.Equal([1.0, 0.5, 0], Tensor<double>.Arange(1, 3, -0.5).ToArray());
        Assert.Equal([1f, 2, 3], Tensor<float>.From([1f, 2, 3]).ToArray());
        Assert.Equal(TwoThree, Tensor<float>.From([1f, 2, 3, 4, 5, 6], 2, 3).Shape);
        Assert.Equal(6, Tensor<float>.From(new float[,] { { 1, 2, 3 }, { 4, 5, 6 } })[1, 2]);
        Assert.Equal([2, 1, 2], Tensor<float>.From(new float[,,] { { { 1, 2 } }, { { 3, 4 } } }).Shape);
        Assert.Equal([1f, 2, 3, 4], Tensor<float>.FromRows([1, 2], [3, 4]).ToArray());
        Assert.Equal([0, 0], Tensor<float>.FromRows().Shape);
        Assert.Equal(new Shape(0, 3), Tensor<float>.From(new float[0, 3]).Shape);
        var normal = Tensor<float>.RandomNormal(new RandomSource(1), 5, 0.1, 3, 4);
        Assert.All(normal.ToArray(), v => Assert.InRange(v, 4, 6));
        Assert.All(Tensor<double>.RandomUniform(new RandomSource(1), 2, 3, 17).ToArray(), v => Assert.InRange(v, 2, 3));
    }

    [Fact]
    public void Wrong_sizes_are_named()
    {
        var error = Assert.Throws<ArgumentException>(() => Tensor<float>.From([1f, 2], 3));
        Assert.StartsWith("values: expected 3 elements for the shape [3] but got 2.", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<ArgumentException>(() => Tensor<float>.FromRows([1, 2], [3]));
        Assert.StartsWith("rows: expected 2 elements in every row, as in the first, but row 1 has 1.", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<ArgumentException>(() => Tensor<float>.Zeros(2, -1));
        Assert.StartsWith("dimensions: expected sizes of zero or more but got [2, -1].", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<ArgumentException>(() => new Shape(1 << 20, 1 << 20));
        Assert.StartsWith("dimensions: [1048576, 1048576] has more than 2147483591 elements", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new Shape(0, 1 << 20, 1 << 20));
        Assert.Throws<InvalidOperationException>(() => Tensor<float>.Zeros(2).Item());
        Assert.Throws<InvalidOperationException>(() => Tensor<float>.Scalar(2).Row());
    }

    [Fact]
    public void Elements_are_read_and_written_by_index_also_from_the_end()
    {
        var cube = Tensor<double>.From(Tensor<double>.Arange(24).AsReadOnlySpan(), 2, 3, 4);
        Assert.Equal((1 * 12) + (2 * 4) + 3, cube[1, 2, 3]);
        Assert.Equal(23, cube[-1, -1, -1]);
        Assert.Equal(12, cube[-1, 0, 0]);
        cube[0, 1, 2] = 100;
        Assert.Equal(100, cube.AsReadOnlySpan()[6]);
        Assert.Equal([20.0, 21, 22, 23], cube.Row(1, -1).ToArray());
        Assert.Equal(7, Tensor<double>.Scalar(7)[[]]);
        var error = Assert.Throws<ArgumentException>(() => cube[1, 2]);
        Assert.StartsWith("index: expected 3 indices for the shape [2, 3, 4] but got 2.", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => cube.Row(1).Length);
        error = Assert.Throws<ArgumentOutOfRangeException>(() => cube[0, 3, 0]);
        Assert.Contains("expected -3 to 2 for dimension 1 of the shape [2, 3, 4] but got 3", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => cube[0, 0, -5] = 1);
    }

    [Fact]
    public void Writable_access_raises_the_version_and_reading_does_not()
    {
        var t = Tensor<float>.Zeros(3);
        var version = t.Version;
        _ = t.AsReadOnlySpan()[0] + t[1] + t.ToArray()[2] + t.Clone().Length + t.AsReadOnlyTensorSpan().Rank;
        _ = t.ToString();
        Assert.Equal(version, t.Version);
        t[0] = 1;
        Assert.NotEqual(version, t.Version);
        version = t.Version;
        _ = t.Detach().AsSpan();
        Assert.NotEqual(version, t.Version);
        version = t.Version;
        using (t.Edit())
        {
            Assert.NotEqual(version, t.Version);
        }
    }

    [Fact]
    public void Copies_have_memory_of_their_own_and_detached_tensors_share_it()
    {
        var t = Tensor<float>.From([1f, 2, 3]);
        t.RequiresGradient = true;
        var copy = t.Detach().Clone();
        var view = t.Detach();
        t[0] = 9;
        Assert.Equal(1, copy[0]);
        Assert.Equal(9, view[0]);
        Assert.False(copy.RequiresGradient || view.RequiresGradient);
        copy.CopyTo(t);
        Assert.Equal(1, view[0]);
        Assert.Throws<ArgumentException>(() => t.CopyTo(Tensor<float>.Zeros(3, 1)));
        var target = new float[4];
        t.CopyTo(target);
        Assert.Equal([1f, 2, 3, 0], target);
    }

    [Fact]
    public void Element_types_convert()
    {
        var t = Tensor<double>.From([1.0 / 3, 1e300, -2, double.NaN]);
        Assert.Equal([1f / 3, float.PositiveInfinity, -2, float.NaN], t.To<float>().ToArray());
        Assert.Equal([1.0f / 3f, 2], Tensor<float>.From([1f / 3, 2]).To<double>().ToArray());
        Assert.Equal([1.5, 2], Tensor<double>.From([1.5, 2]).To<double>().ToArray());
    }

    [Fact]
    public void No_gradient_is_lost_silently_by_copies_and_conversions()
    {
        var x = Tensor<double>.From([1.0, 2, 3]);
        x.RequiresGradient = true;
        var y = x.Square();
        var copy = y.Clone();
        Assert.Equal([1.0, 4, 9], copy.ToArray());
        Assert.NotSame(y.Memory, copy.Memory);
        (copy * x.Clone()).Sum().Backward();
        Assert.Equal([3.0, 12, 27], x.Gradient!.ToArray());
        foreach (var tensor in new[] { x, x.Square() })
        {
            var error = Assert.Throws<InvalidOperationException>(() => tensor.To<float>());
            Assert.StartsWith("To: this tensor [3] requires a gradient", error.Message, StringComparison.Ordinal);
            Assert.False(tensor.Detach().To<float>().RequiresGradient);
            using (NoGradient.Enter())
            {
                Assert.Equal(tensor.ToArray(), tensor.To<float>().To<double>().ToArray());
                Assert.False(tensor.Clone().RequiresGradient);
            }
        }
    }

    [Fact]
    public void Closeness_compares_shapes_infinities_and_NaN()
    {
        var a = Tensor<double>.From([1.0, double.PositiveInfinity]);
        Assert.True(a.AllClose(Tensor<double>.From([1.000001, double.PositiveInfinity])));
        Assert.False(a.AllClose(Tensor<double>.From([1.0001, double.PositiveInfinity])));
        Assert.False(a.AllClose(Tensor<double>.From([1.0, double.NegativeInfinity])));
        Assert.False(a.AllClose(Tensor<double>.From([1.0, 5])));
        Assert.False(a.AllClose(Tensor<double>.From([1.0, double.PositiveInfinity], 1, 2)));
        var nan = Tensor<double>.Scalar(double.NaN);
        Assert.False(nan.AllClose(nan));
    }

    [Fact]
    public void Tensors_of_the_runtime_convert_both_ways()
    {
        var t = Tensor<float>.From([1f, 2, 3, 4, 5, 6], 2, 3);
        using (var edit = t.Edit())
        {
            var span = edit.TensorSpan;
            Assert.Equal(6, span[1, 2]);
            span[1, 2] = 60;
        }

        Assert.Equal(60, t[1, 2]);
        Assert.Equal(2, t.AsReadOnlyTensorSpan()[0, 1]);
        Assert.True(Tensor<float>.From(t.AsReadOnlyTensorSpan()).AllClose(t, 0, 0));
        System.Numerics.Tensors.Tensor<float> other = System.Numerics.Tensors.Tensor.Create([1f, 2, 3, 4, 5, 6], [3, 2]);
        Assert.Equal([3, 2], Tensor<float>.From(other).Shape);
        var part = Tensor<float>.From(other.AsReadOnlyTensorSpan()[1..3, 1..2]);
        Assert.Equal([2, 1], part.Shape);
        Assert.Equal([4f, 6], part.ToArray());
        Assert.Equal(7, Tensor<float>.From(Tensor<float>.Scalar(7).AsReadOnlyTensorSpan())[0]);
        using (var edit = Tensor<float>.Zeros(0, 4).Edit())
        {
            Assert.True(edit.TensorSpan.IsEmpty);
        }

        Assert.Equal(0, Tensor<float>.From(Tensor<float>.Zeros(0, 4).AsReadOnlyTensorSpan()).Length);
    }

    [Fact]
    public void MathNet_matrices_and_vectors_convert_both_ways()
    {
        var t = Tensor<double>.From([1.0, 2, 3, 4, 5, 6], 2, 3);
        var matrix = t.ToMatrix();
        Assert.Equal((2, 3, 6.0), (matrix.RowCount, matrix.ColumnCount, matrix[1, 2]));
        Assert.True(Tensor<double>.From(matrix).AllClose(t, 0, 0));
        Assert.True(Tensor<double>.From(matrix.Transpose())[2, 1] == 6);
        var vector = Tensor<float>.From([1f, 2, 3]).ToVector();
        Assert.Equal(6, vector.Sum());
        Assert.Equal([1f, 2, 3], Tensor<float>.From(vector).ToArray());
        Assert.Equal(2, Tensor<float>.From([1f, 2], 1, 2).ToMatrix()[0, 1]);
        Assert.Throws<InvalidOperationException>(() => t.ToVector());
        Assert.Throws<InvalidOperationException>(() => Tensor<double>.Scalar(1).ToMatrix());
        Assert.Equal([2, 2], Tensor<double>.From(Matrix<double>.Build.DenseIdentity(2)).Shape);
    }

    [Fact]
    public void Text_shows_shape_type_and_aligned_values()
    {
        Assert.Equal("Tensor<float> [2, 3]\n[[ 1,  2,  3],\n [-4,  5, 60]]", Text(Tensor<float>.From([1f, 2, 3, -4, 5, 60], 2, 3)));
        Assert.Equal("Tensor<double> [3]\n[ 0.5000, -0.2500, 10.0000]", Text(Tensor<double>.From([0.5, -0.25, 10])));
        Assert.Equal("Tensor<double> [] 2.5000", Text(Tensor<double>.Scalar(2.5)));
        Assert.Equal("Tensor<double> [0, 4] (empty)", Text(Tensor<double>.Zeros(0, 4)));
        Assert.Equal("Tensor<double> [2]\n[1.0000e-05, 2.0000e+03]", Text(Tensor<double>.From([1e-5, 2000])));
        Assert.Equal("Tensor<float> [3]\n[NaN,  -∞,   ∞]", Text(Tensor<float>.From([float.NaN, float.NegativeInfinity, float.PositiveInfinity])));
        Assert.Equal("Tensor<float> [2000]\n[   0,    1,    2, …, 1997, 1998, 1999]", Text(Tensor<float>.Arange(2000)));
        Assert.Equal("Tensor<float> [2, 1, 2]\n[[[0, 0]],\n [[0, 0]]]", Text(Tensor<float>.Zeros(2, 1, 2)));
        Assert.Equal(8, Text(Tensor<float>.Zeros(40, 40)).Split('\n').Length);

        static string Text<T>(Tensor<T> tensor)
            where T : unmanaged, System.Numerics.IFloatingPointIeee754<T> => tensor.ToString().ReplaceLineEndings("\n");
    }

    [Fact]
    public void Shapes_compare_index_and_print()
    {
        Shape shape = [2, 3, 4];
        Assert.Equal(24, shape.ElementCount);
        Assert.Equal((3, 2, 4, 4, 2, 3), (shape.Rank, shape[0], shape[-1], shape[^1], shape[^3], shape[1]));
        Assert.Equal("[2, 3, 4]", shape.ToString());
        Assert.True(shape == new Shape(2, 3, 4) && shape != new Shape(2, 3) && shape.Equals((object)new Shape(2, 3, 4)));
        Assert.Equal(shape.GetHashCode(), new Shape(2, 3, 4).GetHashCode());
        Assert.Equal(1, default(Shape).ElementCount);
        Assert.Equal(default, new Shape());
        Assert.Equal(0, new Shape(3, 0, 5).ElementCount);
        Assert.Throws<ArgumentOutOfRangeException>(() => shape[3]);
        Assert.Throws<ArgumentOutOfRangeException>(() => shape[^4]);
        Assert.Throws<ArgumentOutOfRangeException>(() => shape[^0]);
    }
}
