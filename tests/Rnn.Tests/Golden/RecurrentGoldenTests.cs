using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Tests.Golden;

/// <summary>The recurrent layers against PyTorch: outputs, final states and the gradients of everything.</summary>
public class RecurrentGoldenTests
{
    public static TheoryData<string> Cases => [.. GoldenCase.All.Select(golden => golden.Name)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_layer_agrees_with_PyTorch_in_double(string name) => Check<double>(GoldenCase.Named(name), 1e-10);

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_layer_agrees_with_PyTorch_in_float(string name) => Check<float>(GoldenCase.Named(name), 1e-5);

    private static void Check<T>(GoldenCase golden, double tolerance)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var layer = Create<T>(golden);
        var parameters = layer.NamedParameters.ToDictionary(p => p.Key, p => p.Value);
        foreach (var (name, shape, values) in GoldenWeights.Of(golden))
        {
            Assert.Equal(shape, parameters[name].Shape);
            Convert<T>(values).CopyTo(parameters[name].Value.AsSpan());
        }

        var x = Leaf<T>(golden, "x");
        string[] letters = golden.IsLstm ? ["h", "c"] : ["h"];
        var initial = golden.State ? letters.Select(letter => Leaf<T>(golden, $"{letter}0")).ToArray() : [];
        var state = golden.State
            ? layer.CreateState([.. from k in Enumerable.Range(0, golden.Layers * golden.Directions) from s in initial select s.Select(0, k)])
            : null;
        var result = layer.Forward(x, golden.Lengths, state);

        GoldenAssert.Close(golden.Values("output"), result.Output.AsReadOnlySpan(), tolerance, "output");
        var loss = (result.Output * Constant<T>(golden, "loss.output")).Sum();
        for (var s = 0; s < letters.Length; s++)
        {
            var finals = s == 0 ? result.FinalState.StackHidden() : result.FinalState.StackCell();
            GoldenAssert.Close(golden.Values($"{letters[s]}_n"), finals.AsReadOnlySpan(), tolerance, $"{letters[s]}_n");
            loss += (finals * Constant<T>(golden, $"loss.{letters[s]}_n")).Sum();
        }

        loss.Backward();
        GoldenAssert.Close(golden.Values("grad.x"), x.Gradient!.AsReadOnlySpan(), tolerance, "gradient of x");
        foreach (var (name, _, values) in GoldenWeights.Of(golden, "grad."))
        {
            GoldenAssert.Close(values, parameters[name].Gradient!.AsReadOnlySpan(), tolerance, $"gradient of {name}");
        }

        for (var s = 0; s < initial.Length; s++)
        {
            GoldenAssert.Close(golden.Values($"grad.{letters[s]}0"), initial[s].Gradient!.AsReadOnlySpan(), tolerance, $"gradient of {letters[s]}0");
        }
    }

    private static RecurrentLayer<T> Create<T>(GoldenCase golden)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (layers, both) = (golden.Layers, golden.Directions == 2);
        return golden.Kind switch
        {
            "rnn_tanh" => new SimpleRnn<T>(golden.Inputs, golden.Hidden, new() { Layers = layers, Bidirectional = both }),
            "rnn_relu" => new SimpleRnn<T>(golden.Inputs, golden.Hidden, new() { Layers = layers, Bidirectional = both, Activation = Activation.Relu }),
            "gru" => new Gru<T>(golden.Inputs, golden.Hidden, new() { Layers = layers, Bidirectional = both }),
            _ => new Lstm<T>(golden.Inputs, golden.Hidden, new() { Layers = layers, Bidirectional = both, ProjectionSize = golden.Projection }),
        };
    }

    private static Tensor<T> Constant<T>(GoldenCase golden, string tensor)
        where T : unmanaged, IFloatingPointIeee754<T> => Tensor<T>.From(Convert<T>(golden.Values(tensor)), golden.Shape(tensor));

    private static Tensor<T> Leaf<T>(GoldenCase golden, string tensor)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var leaf = Constant<T>(golden, tensor);
        leaf.RequiresGradient = true;
        return leaf;
    }

    private static T[] Convert<T>(double[] values)
        where T : unmanaged, IFloatingPointIeee754<T> => Array.ConvertAll(values, T.CreateTruncating);
}
