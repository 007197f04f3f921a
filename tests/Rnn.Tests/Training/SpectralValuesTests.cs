using MathNet.Numerics.LinearAlgebra;
using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Training;

public class SpectralValuesTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 17)]
    [InlineData(3, 3)]
    [InlineData(17, 3)]
    [InlineData(37, 37)]
    [InlineData(100, 64)]
    [InlineData(150, 150)]
    public void A_norm_is_the_largest_singular_value(int rows, int columns)
    {
        var random = new RandomSource(4);
        for (var trial = 0; trial < 5; trial++)
        {
            var matrix = Matrix<double>.Build.Dense(rows, columns, (_, _) => random.NextNormal());
            var expected = matrix.Svd(computeVectors: false).S[0];
            foreach (var scale in new[] { 1, 1e-250, 1e250 })
            {
                double[] values = [.. matrix.ToRowMajorArray().Select(value => value * scale)];
                Assert.Equal(1, SpectralValues.Norm(values, rows, columns) / scale / expected, 1e-13);
            }
        }
    }

    [Fact]
    public void Equal_singular_values_and_single_ones_are_found()
    {
        var random = new RandomSource(4);
        var orthogonal = Matrix<double>.Build.Dense(37, 37, (_, _) => random.NextNormal()).QR().Q;
        Assert.Equal(1, SpectralValues.Norm(orthogonal.ToRowMajorArray(), 37, 37), 1e-13);
        var (u, v) = (Vector<double>.Build.Dense(17, _ => random.NextNormal()), Vector<double>.Build.Dense(17, _ => random.NextNormal()));
        Assert.Equal(1, SpectralValues.Norm(u.OuterProduct(v).ToRowMajorArray(), 17, 17) / u.L2Norm() / v.L2Norm(), 1e-13);

        // Two that are nearly the same.
        double[] diagonal = [.. Enumerable.Range(0, 100).Select(i => i % 10 != i / 10 ? 0 : i == 0 ? 1 : i == 11 ? 1 - 1e-9 : 0.5)];
        Assert.Equal(1, SpectralValues.Norm(diagonal, 10, 10), 1e-11);
    }

    [Fact]
    public void Zeros_have_a_norm_of_zero_and_what_is_not_finite_has_none()
    {
        Assert.Equal(0, SpectralValues.Norm(new double[9], 3, 3));
        Assert.Equal(0, SpectralValues.Norm([], 0, 0));
        Assert.Equal(0, SpectralValues.Radius(new double[9], 3));
        Assert.Equal(double.NaN, SpectralValues.Norm([1, double.NaN], 1, 2));
        Assert.Equal(double.NaN, SpectralValues.Norm([1, double.PositiveInfinity], 1, 2));
        Assert.Equal(double.NaN, SpectralValues.Radius([double.NaN], 1));
    }

    [Fact]
    public void A_radius_is_the_largest_eigenvalue_real_or_not()
    {
        // A turn by 90 degrees times 0.8 has ±0.8i; a shear has 1 and a larger norm.
        Assert.Equal(0.8, SpectralValues.Radius([0, -0.8, 0.8, 0], 2), 1e-14);
        Assert.Equal(1, SpectralValues.Radius([1, 9, 0, 1], 2), 1e-7);
        Assert.Equal(3, SpectralValues.Radius([-3], 1));
        Assert.Equal(0, SpectralValues.Radius([0, 5, 0, 0], 2), 1e-7);
        Assert.Equal(8e-200, SpectralValues.Radius([0, -8e-200, 8e-200, 0], 2), 1e-213);
    }

    [Fact]
    public void Recurrent_matrices_are_named_gate_by_gate()
    {
        var chain = new SequenceChain<float>(new Gru<float>(3, 4, new() { Layers = 2 }), new Linear<float>(4, 2), new Lstm<float>(2, 3));
        var spectra = GradientFlow.Measure(chain, Tensor<float>.Ones(1, 2, 3), new() { Jacobians = false }).Spectra;
        Assert.Equal(
            ["0.weight_hh_l0 r", "0.weight_hh_l0 z", "0.weight_hh_l0 m", "0.weight_hh_l1 r", "0.weight_hh_l1 z", "0.weight_hh_l1 m", "2.weight_hh_l0 i", "2.weight_hh_l0 f", "2.weight_hh_l0 g", "2.weight_hh_l0 o"],
            spectra.Select(spectrum => $"{spectrum.Parameter} {spectrum.Gate}"));

        // As they start, orthogonal.
        Assert.All(spectra, spectrum => Assert.Equal((1.0, 1.0), (Math.Round(spectrum.SpectralRadius!.Value, 5), Math.Round(spectrum.Norm, 5))));
    }

    [Fact]
    public void Each_gate_has_its_own_block_of_the_matrix()
    {
        var layer = new Lstm<double>(2, 3, new() { Peepholes = Peepholes.Full, Seed = 1 });
        var spectra = GradientFlow.Measure(layer, Tensor<double>.Ones(1, 2, 2), new() { Jacobians = false }).Spectra;
        Assert.Equal(
            ["weight_hh_l0 i", "weight_hh_l0 f", "weight_hh_l0 g", "weight_hh_l0 o", "weight_ch_l0 i", "weight_ch_l0 f", "weight_ch_l0 o"], spectra.Select(spectrum => $"{spectrum.Parameter} {spectrum.Gate}"));
        GradientFlowTests.Edit(layer.NamedParameters.Single(pair => pair.Key == "weight_ch_l0").Value.Value, (value, i) => value * ((i / 9) + 2));
        spectra = GradientFlow.Measure(layer, Tensor<double>.Ones(1, 2, 2), new() { Jacobians = false }).Spectra;
        Assert.Equal([1, 1, 1, 1, 2, 3, 4], spectra.Select(spectrum => Math.Round(spectrum.Norm, 12)));
    }

    [Fact]
    public void Projected_cells_have_no_radius_and_cells_without_matrices_that_of_their_diagonal()
    {
        var projected = new Lstm<double>(2, 5, new() { ProjectionSize = 2 });
        var spectra = GradientFlow.Measure(projected, Tensor<double>.Ones(1, 2, 2)).Spectra;
        Assert.All(spectra, spectrum => Assert.Null(spectrum.SpectralRadius));
        Assert.All(spectra, spectrum => Assert.Equal(1, spectrum.Norm, 1e-9));
        var independent = new IndRnn<double>(2, 3);
        GradientFlowTests.Edit(independent.NamedParameters.Single(pair => pair.Value.Shape == new Shape(1, 3)).Value.Value, (_, i) => new[] { 0.2, -0.9, 0.4 }[i]);
        var diagonal = Assert.Single(GradientFlow.Measure(independent, Tensor<double>.Ones(1, 2, 2)).Spectra);
        Assert.Equal(("h", 0.9, 0.9), (diagonal.Gate, diagonal.SpectralRadius, diagonal.Norm));
    }
}
