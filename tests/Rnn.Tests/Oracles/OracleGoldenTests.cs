using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Tests.Golden;

namespace Rnn.Tests.Oracles;

/// <summary>The composed oracle itself against PyTorch: outputs, final states and all gradients in double.</summary>
public class OracleGoldenTests
{
    private const double Tolerance = 1e-12;

    public static TheoryData<string> Cases => [.. GoldenCase.All.Select(golden => golden.Name)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_oracle_agrees_with_PyTorch(string name)
    {
        var golden = GoldenCase.Named(name);
        var parameters = GoldenWeights.Of(golden).ToDictionary(p => p.Name, p => Leaf(p.Values, p.Shape));
        var x = Leaf(golden, "x");
        string[] letters = golden.IsLstm ? ["h", "c"] : ["h"];
        var initial = letters.Select(letter => golden.State
            ? Leaf(golden, $"{letter}0")
            : Tensor<double>.Zeros(golden.Layers * golden.Directions, golden.Batch, letter == "h" ? golden.Visible : golden.Hidden)).ToArray();

        var oracle = new LayerOracle(CellOf(golden), golden.Layers, golden.Directions == 2);
        var (output, _, final, _) = oracle.Run(
            parameters.GetValueOrDefault, x, golden.Lengths,
            [.. from k in Enumerable.Range(0, golden.Layers * golden.Directions) from s in initial select s.Select(0, k)]);

        GoldenAssert.Close(golden.Values("output"), output.AsReadOnlySpan(), Tolerance, "output");
        var loss = (output * Constant(golden, "loss.output")).Sum();
        for (var s = 0; s < letters.Length; s++)
        {
            var finals = Tensor<double>.Stack([.. final.Where((_, index) => index % letters.Length == s)]);
            GoldenAssert.Close(golden.Values($"{letters[s]}_n"), finals.AsReadOnlySpan(), Tolerance, $"{letters[s]}_n");
            loss += (finals * Constant(golden, $"loss.{letters[s]}_n")).Sum();
        }

        loss.Backward();
        GoldenAssert.Close(golden.Values("grad.x"), x.Gradient!.AsReadOnlySpan(), Tolerance, "gradient of x");
        foreach (var (parameter, _, values) in GoldenWeights.Of(golden, "grad."))
        {
            GoldenAssert.Close(values, parameters[parameter].Gradient!.AsReadOnlySpan(), Tolerance, $"gradient of {parameter}");
        }

        for (var s = 0; golden.State && s < letters.Length; s++)
        {
            GoldenAssert.Close(golden.Values($"grad.{letters[s]}0"), initial[s].Gradient!.AsReadOnlySpan(), Tolerance, $"gradient of {letters[s]}0");
        }
    }

    private static CellOracle CellOf(GoldenCase golden) => golden.Kind switch
    {
        "rnn_tanh" => new SimpleRnnOracle(Activation.Tanh),
        "rnn_relu" => new SimpleRnnOracle(Activation.Relu),
        "gru" => new GruOracle(),
        _ => new LstmOracle(Projected: golden.Projection > 0),
    };

    private static Tensor<double> Constant(GoldenCase golden, string tensor) => Tensor<double>.From(golden.Values(tensor), golden.Shape(tensor));

    private static Tensor<double> Leaf(GoldenCase golden, string tensor) => Leaf(golden.Values(tensor), golden.Shape(tensor));

    private static Tensor<double> Leaf(double[] values, int[] shape)
    {
        var leaf = Tensor<double>.From(values, shape);
        leaf.RequiresGradient = true;
        return leaf;
    }
}
