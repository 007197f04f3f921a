using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Tests.Layers;

/// <summary>Impossible options, and options that would do nothing, are refused by name.</summary>
public sealed class RecurrentCheckTests
{
    public static TheoryData<string, string, RecurrentOptions> Refused() => new()
    {
        { "lstm", "Layers: expected 1 or more but got 0", new() { Layers = 0 } },
        { "lstm", "HiddenSizes: expected 1 or more but got -2", new() { HiddenSizes = [3, -2] } },
        { "lstm", "HiddenSizes: expected one size for each layer but got none", new() { HiddenSizes = [] } },
        { "lstm", "Layers: 3 layers but 2 HiddenSizes", new() { Layers = 3, HiddenSizes = [3, 3] } },
        { "lstm", "Dropout: expected a probability from 0 to below 1 but got 1", new() { Layers = 2, Dropout = 1 } },
        { "lstm", "Dropout: it acts between layers, and there is only one", new() { Dropout = 0.5 } },
        { "lstm", "HiddenZoneout: expected a probability", new() { HiddenZoneout = -0.1 } },
        { "lstm", "CellZoneout: expected a probability", new() { CellZoneout = double.NaN } },
        { "lstm", "RecurrentDropout: expected a probability", new() { RecurrentDropout = 1.5 } },
        { "lstm", "WeightDrop: expected a probability", new() { WeightDrop = 1 } },
        { "gru", "CellZoneout: the cell 'gru' has no cell state", new() { CellZoneout = 0.1 } },
        { "indrnn-relu", "RecurrentDropout: the cell 'indrnn-relu' has no product of its hidden state", new() { RecurrentDropout = 0.1 } },
        { "indrnn-relu", "WeightDrop: the cell 'indrnn-relu' has no recurrent matrix", new() { WeightDrop = 0.1 } },
        { "lstm", "Reverse: a bidirectional layer runs both ways already", new() { Bidirectional = true, Reverse = true } },
        { "lstm", "Merge: there is only one direction; set Bidirectional", new() { Merge = DirectionMerge.Sum } },
        { "lstm", "Heads: expected 1 or more but got 0", new() { Heads = 0 } },
        { "lstm", "Heads: expected a number that divides the hidden size 4 but got 3", new() { Heads = 3 } },
        { "lstm", "Heads: expected a number that divides the hidden size 6 but got 4", new() { Heads = 4, HiddenSizes = [4, 6] } },
        { "indrnn-relu", "Heads: the cell 'indrnn-relu' has no recurrent matrix that heads could divide", new() { Heads = 2 } },
        { "lstm", "Residual: no layer's input and output have the same size", new() { Residual = true } },
        { "lstm", "ChronoSteps: it acts with Initialization = Chrono only", new() { ChronoSteps = 5 } },
        { "lstm", "ChronoSteps: expected 2 or more but got 1", new() { ChronoSteps = 1, Initialization = RecurrentInitialization.Chrono } },
        { "lstm", "Initialization: Chrono sets biases, and Bias is off", new() { Bias = false, Initialization = RecurrentInitialization.Chrono } },
        { "rnn-tanh", "Initialization: the cell 'rnn-tanh' has no forget, input or update gate", new() { Initialization = RecurrentInitialization.Chrono } },
        { "gru", "ForgetBias: no gate of the cell 'gru' starts with a raised bias", new() { ForgetBias = 2 } },
        { "lstm", "ForgetBias: Bias is off", new() { ForgetBias = 2, Bias = false } },
        { "lstm", "ForgetBias: Initialization = Uniform sets the biases itself", new() { ForgetBias = 2, Initialization = RecurrentInitialization.Uniform } },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void Options_are_refused_by_name(string cell, string message, RecurrentOptions options)
    {
        var error = Assert.ThrowsAny<ArgumentException>(() => RecurrentLayer<float>.Create(cell, 3, 4, options));
        Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sizes_are_refused_by_name()
    {
        Assert.StartsWith("inputSize: expected 1 or more but got 0", Message(() => new Lstm<float>(0, 4)), StringComparison.Ordinal);
        Assert.StartsWith("hiddenSize: expected 1 or more but got -1", Message(() => new Gru<float>(3, -1)), StringComparison.Ordinal);
        Assert.Contains("expected less than the hidden size (4) but got 4", Message(() => new Lstm<float>(3, 4, new() { ProjectionSize = 4 })), StringComparison.Ordinal);
        Assert.Contains("carries its hidden state on directly", Message(() => RecurrentLayer<float>.Create("gru", 3, 4, new(), 2)), StringComparison.Ordinal);

        static string Message(Action action) => Assert.ThrowsAny<ArgumentException>(action).Message;
    }

    [Fact]
    public void Numbers_out_of_range_say_so_by_their_type()
    {
        Assert.Equal(("inputSize", 0), Error(() => new Lstm<float>(0, 4)));
        Assert.Equal(("hiddenSize", -1), Error(() => new Gru<float>(3, -1)));
        Assert.Equal(("Layers", 0), Error(() => new Gru<float>(3, 4, new() { Layers = 0 })));
        Assert.Equal(("HiddenSizes", -2), Error(() => new Gru<float>(3, 4, new() { HiddenSizes = [4, -2] })));
        Assert.Equal(("Dropout", 1.0), Error(() => new Gru<float>(3, 4, new() { Layers = 2, Dropout = 1 })));
        Assert.Equal(("RecurrentDropout", double.NaN), Error(() => new Gru<float>(3, 4, new() { RecurrentDropout = double.NaN })));
        Assert.Equal(("HiddenZoneout", -0.5), Error(() => new Gru<float>(3, 4, new() { HiddenZoneout = -0.5 })));
        Assert.Equal(("CellZoneout", 2.0), Error(() => new Lstm<float>(3, 4, new() { CellZoneout = 2 })));
        Assert.Equal(("WeightDrop", 1.5), Error(() => new Lstm<float>(3, 4, new() { WeightDrop = 1.5 })));
        Assert.Equal(("projectionSize", -1), Error(() => new Lstm<float>(3, 4, new() { ProjectionSize = -1 })));
        Assert.Equal(("projectionSize", 4), Error(() => new Lstm<float>(3, 4, new() { ProjectionSize = 4 })));
        Assert.Equal(("options", 1), Error(() => new Lstm<float>(3, 4, new() { Initialization = RecurrentInitialization.Chrono, ChronoSteps = 1 })));
        Assert.Equal(("lengths", 6), Error(() => new Lstm<float>(3, 4).Forward(Tensor<float>.Zeros(2, 5, 3), [5, 6])));
        static (string?, object?) Error(Action action)
        {
            var error = Assert.Throws<ArgumentOutOfRangeException>(action);
            return (error.ParamName, error.ActualValue);
        }
    }

    // Without a recurrent matrix, or with one of the projected state alone, so many units are no more than others of their sizes.
    [Fact]
    public void Wide_layers_with_small_matrices_are_made()
    {
        Assert.Equal(50_000 * (2 + 2), new IndRnn<float>(2, 50_000).ParameterCount);
        Assert.Equal((4 * 25_000 * (2 + 1 + 1)) + 25_000, new Lstm<float>(2, 25_000, new() { ProjectionSize = 1 }).ParameterCount);
    }

    [Theory]
    [InlineData(3, 30_000, "4 gates of 30000 units that read 30000 numbers have 3600000000 weights")]
    [InlineData(3, 600_000_000, "4 gates of 600000000 units that read 600000000 numbers have 1440000000000000000 weights")]
    [InlineData(2_000_000_000, 1, "4 gates of 1 units that read 2000000000 numbers have 8000000000 weights")]
    [InlineData(int.MaxValue, int.MaxValue, "have 18446744056529682436 weights")]
    public void Layers_beyond_an_array_are_refused_with_their_sizes(int inputSize, int hiddenSize, string message) =>
        Assert.Contains(message, Assert.Throws<ArgumentException>(() => new Lstm<float>(inputSize, hiddenSize)).Message, StringComparison.Ordinal);

    [Fact]
    public void States_that_do_not_fit_are_refused_under_the_name_of_the_argument()
    {
        var (layer, x) = (new Lstm<float>(3, 4), Tensor<float>.Zeros(2, 5, 3));
        Assert.Equal("initialState", Assert.Throws<ArgumentException>(() => layer.Forward(x, [], new Gru<float>(3, 4).ZeroState(2))).ParamName);
        Assert.Equal("initialState", Assert.Throws<ArgumentException>(() => layer.Forward(x, [], layer.ZeroState(3))).ParamName);
        Assert.Equal("initialState", Assert.Throws<ArgumentException>(() => layer.Forward(x, [], new Lstm<float>(3, 5).ZeroState(2))).ParamName);
    }
}
