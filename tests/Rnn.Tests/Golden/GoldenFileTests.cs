namespace Rnn.Tests.Golden;

public class GoldenFileTests
{
    [Fact]
    public void Cases_cover_every_kind_depth_and_direction()
    {
        Assert.Equal(80, GoldenCase.All.Count);
        foreach (var kind in new[] { "rnn_tanh", "rnn_relu", "lstm", "lstm_projection", "gru" })
        {
            var ofKind = GoldenCase.All.Where(golden => golden.Kind == kind).ToList();
            foreach (var (layers, directions) in from l in Enumerable.Range(1, 3) from d in Enumerable.Range(1, 2) select (l, d))
            {
                var group = ofKind.Where(golden => golden.Layers == layers && golden.Directions == directions).ToList();
                Assert.Contains(group, golden => golden.Lengths is null);
                Assert.Contains(group, golden => golden.Lengths is not null);
                Assert.Contains(group, golden => golden.State);
                Assert.Contains(group, golden => !golden.State);
            }
        }
    }

    [Fact]
    public void Tensors_have_the_shapes_of_their_case()
    {
        foreach (var golden in GoldenCase.All)
        {
            Assert.Equal([golden.Batch, golden.Steps, golden.Inputs], golden.Shape("x"));
            Assert.Equal([golden.Batch, golden.Steps, golden.Directions * golden.Visible], golden.Shape("output"));
            Assert.Equal([golden.Layers * golden.Directions, golden.Batch, golden.Visible], golden.Shape("h_n"));
            Assert.Equal(golden.IsLstm, golden.Has("c_n"));
            Assert.Equal(golden.State, golden.Has("grad.h0"));
            foreach (var suffix in golden.Suffixes)
            {
                Assert.Equal(golden.Shape($"weight_ih_{suffix}"), golden.Shape($"grad.weight_ih_{suffix}"));
                Assert.Equal(golden.Projection > 0, golden.Has($"grad.weight_hr_{suffix}"));
            }

            Assert.Equal(golden.Shape("output").Aggregate(1, (a, b) => a * b), golden.Values("output").Length);
        }
    }

    // One step of one row by hand: h = tanh(W x + b + b'), where h starts at zero.
    [Fact]
    public void The_smallest_case_is_its_equation()
    {
        var golden = GoldenCase.Named("rnn_tanh_1layer_one_full_zero_n1t1i3h4");
        var (w, x) = (golden.Values("weight_ih_l0"), golden.Values("x"));
        var (b, b2) = (golden.Values("bias_ih_l0"), golden.Values("bias_hh_l0"));
        var expected = Enumerable.Range(0, 4).Select(row =>
            Math.Tanh((w[row * 3] * x[0]) + (w[(row * 3) + 1] * x[1]) + (w[(row * 3) + 2] * x[2]) + b[row] + b2[row]));
        Assert.All(expected.Zip(golden.Values("output")), pair => Assert.Equal(pair.First, pair.Second, 1e-15));
    }

    [Fact]
    public void Padded_outputs_are_zero()
    {
        foreach (var golden in GoldenCase.All.Where(golden => golden.Lengths is not null))
        {
            var (output, width) = (golden.Values("output"), golden.Directions * golden.Visible);
            for (var row = 0; row < golden.Batch; row++)
            {
                var past = output.AsSpan(((row * golden.Steps) + golden.Lengths![row]) * width, (golden.Steps - golden.Lengths[row]) * width);
                Assert.False(past.ContainsAnyExcept(0.0));
            }
        }
    }

    [Fact]
    public void A_missing_tensor_is_named()
    {
        var error = Assert.Throws<KeyNotFoundException>(() => GoldenFile.Open("losses.safetensors").Values("nothing"));
        Assert.Contains("'nothing'", error.Message);
    }
}
