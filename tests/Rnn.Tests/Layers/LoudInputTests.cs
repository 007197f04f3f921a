using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Tests.Cells;
using Rnn.Tests.Golden;
using Rnn.Tests.Oracles;

namespace Rnn.Tests.Layers;

/// <summary>Layers that normalise, fed with numbers far from one: finite, and what the same layer computes in double.</summary>
public sealed class LoudInputTests
{
    private const int Inputs = 5;

    private const int Hidden = 19;

    public static TheoryData<string, double> Cases()
    {
        var cases = new TheoryData<string, double>();
        foreach (var name in TestCells.Normalized)
        {
            foreach (var size in new[] { 1e20, 1e30, 1e37, 1e-25 })
            {
                // Without a recurrent product the outputs are as small as the inputs, and the gradients of weights are denormal.
                if (size > 1 || CellOracle.Named(name) is not IndRnnOracle)
                {
                    cases.Add(name, size);
                }
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_normalised_layer_agrees_with_double(string cell, double size)
    {
        var single = RecurrentLayer<float>.Create(cell, Inputs, Hidden, new() { Seed = 1 });
        var exact = RecurrentLayer<double>.Create(cell, Inputs, Hidden, new() { Seed = 1 });
        var parameters = exact.NamedParameters.ToDictionary(pair => pair.Key, pair => pair.Value);
        foreach (var (name, parameter) in single.NamedParameters)
        {
            double[] values64 = [.. parameter.Value.ToArray().Select(value => (double)value)];
            values64.CopyTo(parameters[name].Value.AsSpan());
        }

        float[] values = [.. Tensor<float>.RandomNormal(new RandomSource(2), 0, 1, 3 * 6 * Inputs).ToArray().Select(value => (float)(value * size))];
        var x = Tensor<float>.From(values, 3, 6, Inputs);
        var xExact = Tensor<double>.From([.. values.Select(value => (double)value)], 3, 6, Inputs);
        x.RequiresGradient = xExact.RequiresGradient = true;
        var (y, expected) = (single.Forward(x), exact.Forward(xExact));
        GoldenAssert.Close(expected, y, 2e-5, "output");
        y.Square().Sum().Backward();
        expected.Square().Sum().Backward();
        GoldenAssert.Close(xExact.Gradient, x.Gradient, 1e-4, "input gradient");
        foreach (var (name, parameter) in single.NamedParameters)
        {
            GoldenAssert.Close(parameters[name].Value.Gradient, parameter.Value.Gradient, 1e-4, name);
        }

        // Inference, and the stream.
        single.Evaluate();
        GoldenAssert.Close(expected, single.Forward(x), 2e-5, "inference");
        var stream = single.CreateStream();
        var step = new float[single.OutputSize];
        for (var t = 0; t < 6; t++)
        {
            stream.Step(values.AsSpan(t * Inputs, Inputs), step);
        }

        GoldenAssert.Close<float>(expected.AsReadOnlySpan().Slice(5 * single.OutputSize, single.OutputSize), step, 2e-5, "stream");
    }

    [Theory]
    [InlineData(1e20)]
    [InlineData(3e37)]
    [InlineData(1e-25)]
    public void The_operation_agrees_with_double(double size)
    {
        float[] values = [.. Tensor<float>.RandomNormal(new RandomSource(3), 0, 1, 4 * 50).ToArray().Select(value => (float)(value * size))];
        var (x, weight, bias) = (Tensor<float>.From(values, 4, 50), Row<float>(4), Row<float>(5));
        var (xExact, weightExact, biasExact) = (Tensor<double>.From([.. values.Select(value => (double)value)], 4, 50), Row<double>(4), Row<double>(5));
        x.RequiresGradient = xExact.RequiresGradient = true;
        var (y, expected) = (x.LayerNorm(weight, bias), xExact.LayerNorm(weightExact, biasExact));
        GoldenAssert.Close(expected, y, 1e-6, "output");
        y.Square().Sum().Backward();
        expected.Square().Sum().Backward();
        GoldenAssert.Close(xExact.Gradient, x.Gradient, 1e-5, "input gradient");
        GoldenAssert.Close(weightExact.Gradient, weight.Gradient, 1e-5, "weight gradient");
        GoldenAssert.Close(biasExact.Gradient, bias.Gradient, 1e-5, "bias gradient");

        static Tensor<T> Row<T>(ulong seed)
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            var values = Tensor<float>.RandomNormal(new RandomSource(seed), 0, 1, 50).ToArray();
            var row = Tensor<T>.From([.. values.Select(T.CreateTruncating)], 50);
            row.RequiresGradient = true;
            return row;
        }
    }
}
