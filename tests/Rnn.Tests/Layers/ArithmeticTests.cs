using Rnn.Formats;
using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Tests.Cells;
using Rnn.UserTests.Cells;

namespace Rnn.Tests.Layers;

/// <summary>A file says what its modules compute; weights do not come to compute something else unnoticed.</summary>
public sealed class ArithmeticTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("rnn-arithmetic-").FullName;

    // Layers with the same parameters that compute something else.
    private static readonly Dictionary<string, (Module<float> Saved, Module<float> Other, string Message)> Others = new()
    {
        ["activation"] = (new SimpleRnn<float>(2, 3), new SimpleRnn<float>(2, 3, new() { Activation = Activation.Relu }), "it computes 'rnn-relu' but is saved from 'rnn-tanh'"),
        ["independent"] = (new IndRnn<float>(2, 3), new IndRnn<float>(2, 3, new() { Activation = Activation.Tanh }), "'indrnn-tanh' but is saved from 'indrnn-relu'"),
        ["sign"] = (new Gru<float>(2, 3), new Gru<float>(2, 3, new() { UpdateGateKeepsState = false }), "'gru-replacing' but is saved from 'gru'"),
        ["coupled and no forget gate"] = (
            new Lstm<float>(2, 3, new() { CoupledGates = true }), new Lstm<float>(2, 3, new() { ForgetGate = false }), "'lstm-noforget' but is saved from 'lstm-coupled'"),
        ["direction"] = (new Gru<float>(2, 3), new Gru<float>(2, 3, new() { Reverse = true }), "'gru, reverse' but is saved from 'gru'"),
        ["sum and mean"] = (
            new Gru<float>(2, 3, new() { Bidirectional = true, Merge = DirectionMerge.Sum }),
            new Gru<float>(2, 3, new() { Bidirectional = true, Merge = DirectionMerge.Mean }), "'gru, Mean' but is saved from 'gru, Sum'"),
        ["residual"] = (new Gru<float>(3, 3), new Gru<float>(3, 3, new() { Residual = true }), "'gru, residual' but is saved from 'gru'"),
        ["zoneout"] = (
            new Lstm<float>(2, 3, new() { HiddenZoneout = 0.1, CellZoneout = 0.5 }), new Lstm<float>(2, 3),
            "'lstm' but is saved from 'lstm, hidden zoneout 0.1, cell zoneout 0.5'"),
        ["epsilon"] = (new LayerNorm<float>(3), new LayerNorm<float>(3, new() { Epsilon = 1e-3 }), "epsilon 0.001' but is saved from 'layer normalisation, epsilon 1E-05'"),
        ["table"] = (new Linear<float>(3, 5, new() { Bias = false }), new Embedding<float>(5, 3), "it computes 'embedding' but is saved from 'linear'"),
        ["own cells"] = (
            RecurrentLayer<float>.Create<LeakyCell>(2, 3), new SimpleRnn<float>(2, 3), $"'rnn-tanh' but is saved from '{LeakyCell.Layout.Name}'"),
        ["below"] = (
            new Sequential<float>(new Linear<float>(2, 2), new Gru<float>(2, 3)), new Sequential<float>(new Linear<float>(2, 2), new Gru<float>(2, 3, new() { UpdateGateKeepsState = false })),
            "1 computes 'gru-replacing' but is saved from 'gru'"),
    };

    public static TheoryData<string> Cases => [.. Others.Keys];

    private string Location => Path.Combine(_folder, "model.safetensors");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Weights_of_another_arithmetic_are_refused(string name)
    {
        var (saved, other, message) = Others[name];
        saved.Save(Location);
        var before = other.Parameters.SelectMany(parameter => parameter.Value.ToArray()).ToArray();
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => other.Load(Location)).Message, StringComparison.Ordinal);
        Assert.Equal(before, other.Parameters.SelectMany(parameter => parameter.Value.ToArray()));
        saved.Load(Location);

        // A file that says nothing, of another library or an older version, is taken as it is.
        SafeTensors.Write(Location, saved.NamedParameters.Select(pair => new KeyValuePair<string, Tensor<float>>(pair.Key, pair.Value.Value)));
        other.Load(Location);
        Assert.Equal(saved.Parameters.SelectMany(parameter => parameter.Value.ToArray()), other.Parameters.SelectMany(parameter => parameter.Value.ToArray()));
    }

    [Fact]
    public void No_two_cells_with_the_same_parameters_are_taken_for_each_other()
    {
        foreach (var cell in TestCells.All)
        {
            RecurrentLayer<float>.Create(cell, 2, 3).Save(Location);
            foreach (var other in TestCells.All)
            {
                var layer = RecurrentLayer<float>.Create(other, 2, 3);
                if (other == cell)
                {
                    layer.Load(Location);
                }
                else
                {
                    Assert.Throws<InvalidDataException>(() => layer.Load(Location));
                }
            }
        }
    }

    [Fact]
    public void Options_that_act_in_training_only_do_not_matter()
    {
        new Gru<float>(2, 3, new() { Bidirectional = true, Layers = 2, Dropout = 0.5, Merge = DirectionMerge.Separate }).Save(Location);
        new Gru<float>(2, 3, new() { Bidirectional = true, Layers = 2, RecurrentDropout = 0.1, WeightDrop = 0.2 }).Load(Location);
    }

    [Fact]
    public void What_is_damaged_is_refused()
    {
        var layer = new Gru<float>(2, 3);
        foreach (var text in new[] { "", "[]", "{\"\":1}", "{\"\":null}", "gru" })
        {
            SafeTensors.Write(Location, layer.NamedParameters.Select(pair => new KeyValuePair<string, Tensor<float>>(pair.Key, pair.Value.Value)), [new("rnn.arithmetic", text)]);
            Assert.Contains("is damaged", Assert.Throws<InvalidDataException>(() => layer.Load(Location)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_file_says_it_by_path()
    {
        new Sequential<float>(new Embedding<float>(5, 2), new Dropout<float>(0.5), new Gru<float>(2, 3), new Linear<float>(3, 2)).Save(Location);
        Assert.Equal("""{"0":"embedding","2":"gru","3":"linear"}""", SafeTensors.Read(Location).Metadata["rnn.arithmetic"]);
        new Sequential<float>().Save(Location);
        Assert.False(SafeTensors.Read(Location).Metadata.ContainsKey("rnn.arithmetic"));
    }
}
