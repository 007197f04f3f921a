using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Tests.Layers;

/// <summary>States are values: what selects, repeats, resets, joins or saves them gives others, with gradients where there is history.</summary>
public sealed class SequenceStateTests
{
    [Fact]
    public void Rows_are_selected_repeated_and_joined()
    {
        var state = Three();
        var selected = state.SelectRows(2, 0, 2, 1);
        Assert.Equal(4, selected.Rows);
        Assert.Equal([5, 6, 1, 2, 5, 6, 3, 4], selected["h"].ToArray());
        Assert.Equal([90, 100, 110, 120, 10, 20, 30, 40, 90, 100, 110, 120, 50, 60, 70, 80], selected["memory"].ToArray());
        Assert.Equal([4, 2, 2], selected["memory"].Shape);
        var repeated = state.Repeat(3);
        Assert.Equal([1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4, 5, 6, 5, 6, 5, 6], repeated["h"].ToArray());
        Assert.Equal(0, state.Repeat(0).Rows);
        Assert.Equal([0, 2], state.SelectRows()["h"].Shape);
        var joined = SequenceState<double>.Concat(state, selected, state.SelectRows());
        Assert.Equal([.. state["h"].ToArray(), .. selected["h"].ToArray()], joined["h"].ToArray());
        Assert.Equal(7, joined.Rows);
        Assert.Equal(["h", "memory"], joined.Names);
        Assert.Equal([1, 2, 3, 4, 5, 6], state["h"].ToArray());
    }

    [Fact]
    public void Rows_are_reset_to_zeros_or_to_a_given_state()
    {
        var sick = new SequenceState<double>(2, ("h", Tensor<double>.From([double.NaN, double.PositiveInfinity, 3, 4], 2, 2)));
        Assert.Equal([0, 0, 3, 4], sick.ResetRows([true, false])["h"].ToArray());
        var state = Three();
        var initial = new SequenceState<double>(3, ("memory", Tensor<double>.Ones(3, 2, 2)), ("h", Tensor<double>.Full(-1, 3, 2)));
        var reset = state.ResetRows([false, true, false], initial);
        Assert.Equal([1, 2, -1, -1, 5, 6], reset["h"].ToArray());
        Assert.Equal([10, 20, 30, 40, 1, 1, 1, 1, 90, 100, 110, 120], reset["memory"].ToArray());
        Assert.Equal([1, 2, 3, 4, 5, 6], state["h"].ToArray());
        Assert.Equal("rows", Assert.Throws<ArgumentException>(() => state.ResetRows([true])).ParamName);
        Assert.Equal("initial", Assert.Throws<ArgumentException>(() => state.ResetRows([true, true, true], sick)).ParamName);
    }

    [Fact]
    public void Gradients_flow_through_all_of_it_until_it_is_detached()
    {
        var h = Tensor<double>.From([1, 2, 3], 3, 1);
        h.RequiresGradient = true;
        var state = new SequenceState<double>(3, ("h", h));
        var weights = Tensor<double>.From([1, 10, 100, 1000, 10_000, 100_000], 6, 1);
        (SequenceState<double>.Concat(state.SelectRows(2, 2, 0).Repeat(1), state.ResetRows([false, true, false]))["h"] * weights).Sum().Backward();
        Assert.Equal([100 + 1000, 0, 1 + 10 + 100_000], h.Gradient!.ToArray());
        Assert.False(state.SelectRows(1).Detach()["h"].RequiresGradient);
        Assert.False(state.SelectRows(1).Clone()["h"].RequiresGradient);
        Assert.True(state.SelectRows(1)["h"].RequiresGradient);
    }

    [Fact]
    public void Files_and_streams_keep_states_with_their_order()
    {
        var state = new SequenceState<float>(2, ("z", Tensor<float>.From([1, 2], 2, 1)), ("a", Tensor<float>.From([3, 4, 5, 6, 7, 8], 2, 1, 3)));
        using var stream = new MemoryStream();
        state.Save(stream);
        stream.Position = 0;
        var loaded = SequenceState<double>.Load(stream);
        Assert.Equal(["z", "a"], loaded.Names);
        Assert.Equal([3, 4, 5, 6, 7, 8], loaded["a"].ToArray());
        Assert.Equal([2, 1, 3], loaded["a"].Shape);
        var path = Path.Combine(Path.GetTempPath(), $"rnn-state-{Environment.ProcessId}.safetensors");
        try
        {
            new SequenceState<float>(5).Save(path);
            Assert.Equal((5, 0), (SequenceState<float>.Load(path).Rows, SequenceState<float>.Load(path).Names.Count));
            new Linear<float>(2, 3).Save(path);
            Assert.Contains("is not a state", Assert.Throws<InvalidDataException>(() => SequenceState<float>.Load(path)).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void States_of_recurrent_layers_are_found_by_layer_and_direction()
    {
        var layer = new Lstm<double>(3, 5, new() { Layers = 2, Bidirectional = true, Seed = 1 });
        var state = layer.Forward(Tensor<double>.Ones(2, 4, 3), layer.ZeroState(2)).FinalState;
        Assert.Equal(["h_l0", "c_l0", "h_l0_reverse", "c_l0_reverse", "h_l1", "c_l1", "h_l1_reverse", "c_l1_reverse"], state.Names);
        Assert.Same(state["c_l1_reverse"], state.Cell(-1, 1));
        Assert.Same(state["h_l0"], state.Hidden(-2));
        Assert.Same(state["h_l1"], state.Hidden(1));
        Assert.Equal([4, 2, 5], state.StackHidden().Shape);
        Assert.Equal(state["c_l0_reverse"].ToArray(), state.StackCell().Select(0, 1).ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => state.Hidden(2));
        Assert.Throws<ArgumentOutOfRangeException>(() => state.Hidden(-3));
        Assert.Throws<ArgumentOutOfRangeException>(() => state.Hidden(0, 2));
        var gru = new Gru<double>(3, 5).ZeroState(1);
        Assert.Contains("it has h_l0", Assert.Throws<ArgumentException>(() => gru.Cell()).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => gru.Hidden(0, 1));
        Assert.Contains("take the state of one layer by Part", Assert.Throws<ArgumentException>(() => Three().Hidden()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Mistakes_are_named()
    {
        var two = Tensor<double>.Zeros(2, 3);
        Assert.Contains("expected [3, …] for the state 'h' but got [2, 3]", Assert.Throws<ArgumentException>(() => new SequenceState<double>(3, ("h", two))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new SequenceState<double>(2, ("h", two), ("h", two)));
        Assert.Throws<ArgumentException>(() => new SequenceState<double>(2, (string.Empty, two)));
        Assert.Throws<ArgumentException>(() => new SequenceState<double>(2, ("h", Tensor<double>.Scalar(1))));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SequenceState<double>(-1));
        Assert.Equal("rows", Assert.Throws<ArgumentOutOfRangeException>(() => Three().SelectRows(0, 3)).ParamName);
        Assert.Throws<ArgumentOutOfRangeException>(() => Three().SelectRows(-1));
        Assert.Contains("it has h, memory", Assert.Throws<ArgumentException>(() => Three()["c"]).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => SequenceState<double>.Concat());
        Assert.Throws<ArgumentException>(() => SequenceState<double>.Concat(Three(), new SequenceState<double>(2, ("h", two))));
        var layer = new Lstm<double>(3, 4);
        Assert.Contains("expected a state of h_l0, c_l0 but got h, memory", Assert.Throws<ArgumentException>(() => layer.Forward(Tensor<double>.Zeros(3, 2, 3), Three())).Message, StringComparison.Ordinal);
        Assert.Equal("tensors", Assert.Throws<ArgumentException>(() => layer.CreateState(two)).ParamName);
        Assert.Equal("tensors", Assert.Throws<ArgumentException>(() => layer.CreateState(two, two)).ParamName);
    }

    private static SequenceState<double> Three() => new(
        3,
        ("h", Tensor<double>.From([1, 2, 3, 4, 5, 6], 3, 2)),
        ("memory", Tensor<double>.From([10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120], 3, 2, 2)));
}
