using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Tests.Training;

/// <summary>A module of bare parameters p0, p1, … with given values.</summary>
internal sealed class TestModule<T> : Module<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public TestModule(params double[][] values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            AddParameter($"p{i}", Tensor<T>.From([.. values[i].Select(T.CreateTruncating)]));
        }
    }

    public TestModule(IEnumerable<Parameter<T>> shared)
    {
        foreach (var parameter in shared)
        {
            AddParameter(parameter);
        }
    }

    public static TestModule<T> Of(Tensor<T> values)
    {
        var module = new TestModule<T>(Array.Empty<double[]>());
        module.AddParameter("p0", values);
        return module;
    }

    public double[] Values => [.. Parameters.SelectMany(parameter => parameter.Value.ToArray()).Select(double.CreateTruncating)];

    public double[] Gradients => [.. Parameters.SelectMany(parameter => parameter.Gradient!.ToArray()).Select(double.CreateTruncating)];

    public static TestModule<T> Split(double[] values, params int[] lengths)
    {
        var offset = 0;
        return new([.. lengths.Select(length => values[offset..(offset += length)])]);
    }

    /// <summary>Sets all gradients, one parameter after the other.</summary>
    public void SetGradients(ReadOnlySpan<double> gradients)
    {
        foreach (var parameter in Parameters)
        {
            var span = parameter.Value.GradientToAccumulate().AsSpan();
            for (var i = 0; i < span.Length; i++)
            {
                span[i] = T.CreateTruncating(gradients[i]);
            }

            gradients = gradients[span.Length..];
        }
    }

    /// <summary>Asserts that numbers are within a tolerance of others, relative to the larger of 1 and the number.</summary>
    public static void AssertClose(IReadOnlyList<double> expected, IReadOnlyList<double> actual, double tolerance)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (var i = 0; i < expected.Count; i++)
        {
            Assert.Equal(expected[i], actual[i], tolerance * Math.Max(1, Math.Abs(expected[i])));
        }
    }
}
