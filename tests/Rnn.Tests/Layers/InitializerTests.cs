using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Tests.Tensors;

namespace Rnn.Tests.Layers;

public class InitializerTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(17, 17)]
    [InlineData(37, 12)]
    [InlineData(3, 37)]
    [InlineData(1, 5)]
    [InlineData(129, 129)]
    [InlineData(200, 200)]
    public void Orthogonal_matrices_are_orthonormal_on_their_short_side(int rows, int columns)
    {
        var wide = Initializer.Orthogonal.Create<double>(new RandomSource(1), rows, columns);
        var single = Initializer.OrthogonalWithGain(2).Create<float>(new RandomSource(1), rows, columns);
        Assert.True(Gram(wide).AllClose(Tensor<double>.Identity(Math.Min(rows, columns)), 0, 1e-12));
        Assert.True(Gram(single.To<double>()).AllClose(Tensor<double>.Identity(Math.Min(rows, columns)) * 4.0, 0, 4e-6));
        Assert.True(wide.To<float>().AllClose(single / 2f, 1e-6, 1e-7));

        Tensor<double> Gram(Tensor<double> q) => rows >= columns ? q.Transpose().MatMul(q) : q.MatMul(q.Transpose());
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(17, 37)]
    [InlineData(33, 33)]
    [InlineData(65, 200)]
    [InlineData(193, 201)]
    public void Orthonormal_rows_are_those_of_a_factorisation_by_reflections(int rows, int columns)
    {
        var a = Tensor<double>.RandomNormal(new RandomSource(8), 0, 1, rows, columns);
        var ours = a.Clone();
        Orthonormalizer.Run(ours.AsSpan(), rows, columns);
        var factors = a.ToMatrix().Transpose().QR(MathNet.Numerics.LinearAlgebra.Factorization.QRMethod.Thin);
        var q = Tensor<double>.From(factors.Q.Transpose());
        for (var i = 0; i < rows; i++)
        {
            var sign = Math.Sign(factors.R[i, i]);
            Assert.Equal(q.Row(i).ToArray().Select(v => sign * v), ours.Row(i).ToArray(), (e, v) => Math.Abs(e - v) < 1e-11);
        }
    }

    [Theory]
    [InlineData(40, 70, "3E8039E6F39FAB48", "A11E4086F7329B34")]
    [InlineData(200, 200, "C6903530451565B4", "3E680BAF14000885")]
    public void Orthogonal_matrices_are_the_same_bits_on_every_machine_that_fuses_and_on_all_others(int rows, int columns, string fused, string unfused) =>
        Assert.Equal(Simd.HasFusedMultiplyAdd ? fused : unfused, RandomSourceTests.Hash(Initializer.Orthogonal.Create<double>(new RandomSource(5), rows, columns).AsReadOnlySpan()));

    [Fact]
    public void Orthogonal_matrices_are_evenly_distributed()
    {
        // Entries of an evenly distributed 2×2 orthogonal matrix have mean 0, and both signs of the determinant are equally likely.
        var random = new RandomSource(2);
        double sum = 0, positive = 0;
        for (var i = 0; i < 2000; i++)
        {
            var q = Initializer.Orthogonal.Create<double>(random, 2, 2);
            sum += q[0, 0] + q[1, 1];
            positive += (q[0, 0] * q[1, 1]) - (q[0, 1] * q[1, 0]) > 0 ? 1 : 0;
        }

        Assert.Equal(0, sum / 4000, 0.05);
        Assert.Equal(0.5, positive / 2000, 0.05);
    }

    [Theory]
    [InlineData(nameof(Initializer.GlorotUniform), 2.0 / 500, false)]
    [InlineData(nameof(Initializer.GlorotNormal), 2.0 / 500, true)]
    [InlineData(nameof(Initializer.HeUniform), 2.0 / 200, false)]
    [InlineData(nameof(Initializer.HeNormal), 2.0 / 200, true)]
    [InlineData(nameof(Initializer.PyTorchLinear), 1.0 / 600, false)]
    public void Random_rules_have_the_variance_they_name(string name, double variance, bool isNormal)
    {
        var rule = (Initializer)typeof(Initializer).GetProperty(name)!.GetValue(null)!;
        var values = rule.Create<float>(new RandomSource(3), 300, 200).ToArray();
        Assert.Equal(0, values.Average(), 4 * Math.Sqrt(variance / values.Length));
        Assert.Equal(1, values.Select(v => (double)v * v).Average() / variance, 0.03);
        if (!isNormal)
        {
            Assert.Equal(Math.Sqrt(3 * variance), values.Max(MathF.Abs), 1e-3 * Math.Sqrt(variance));
        }
        else
        {
            Assert.InRange(values.Max(MathF.Abs), 3.5 * Math.Sqrt(variance), 6 * Math.Sqrt(variance));
        }
    }

    [Fact]
    public void Fixed_rules_give_their_values()
    {
        var random = new RandomSource(4);
        Assert.Equal([0f, 0, 0], Initializer.Zeros.Create<float>(random, 3).ToArray());
        Assert.Equal([2.5f, 2.5f], Initializer.Constant(2.5).Create<float>(random, 2).ToArray());
        Assert.Equal([1.0, 0, 0, 0, 1, 0], Initializer.Identity.Create<double>(random, 2, 3).ToArray());
        Assert.Equal([0.5, 0, 0, 0.5, 0, 0], Initializer.IdentityWithGain(0.5).Create<double>(random, 3, 2).ToArray());
        Assert.All(Initializer.Uniform(-2, -1).Create<float>(random, 100).ToArray(), v => Assert.InRange(v, -2, -1));
        Assert.Equal(7, Initializer.Normal(7, 0).Create<double>(random).Item());
        Assert.Empty(Initializer.Orthogonal.Create<double>(random, 0, 4).ToArray());
        Assert.Empty(Initializer.HeNormal.Create<double>(random, 4, 0).ToArray());
        Assert.Throws<ArgumentException>(() => Initializer.Uniform(1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Initializer.Normal(0, -1));
    }
}
