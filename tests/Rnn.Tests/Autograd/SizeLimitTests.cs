using Rnn.Tensors;

namespace Rnn.Tests.Autograd;

/// <summary>Shapes of more elements than an array can have are refused with the shape and the limit, before any memory is asked for.</summary>
public class SizeLimitTests
{
    private const int Many = 1 << 16;

    [Fact]
    public void Tensors_that_are_too_large_are_named()
    {
        Refuses("[65536, 65536]", () => Tensor<float>.Zeros(Many, Many));
        Refuses("[65536, 65536]", () => Tensor<float>.Identity(Many));
        Refuses("[65536, 65536]", () => Tensor<double>.RandomNormal(new RandomSource(1), 0, 1, Many, Many));
        Refuses("[65536, 65536]", () => Tensor<double>.From(new double[3], Many, Many));
        Refuses("[0, 65536, 65536]", () => Tensor<float>.Zeros(0, Many, Many));
        Refuses("[2147483647]", () => Tensor<float>.Arange(int.MaxValue));
    }

    [Fact]
    public void Results_that_are_too_large_are_named()
    {
        var row = Tensor<float>.Zeros(Many);
        var column = Tensor<float>.Zeros(Many, 1);
        Refuses("[65536, 65536]", () => row + column);
        Refuses("[65536, 65536]", () => row.Maximum(column));
        Refuses("[65536, 65536]", () => Tensor<float>.Where(row, column, row));
        Refuses("[65536, 65536]", () => row.BroadcastTo(Many, Many));
        Refuses("[65536, 65536]", () => column.MatMul(row.Reshape(1, Many)));
        Refuses("[65536, 65536]", () => row.Reshape(Many, Many));
        Refuses("[65536, 65536, 1]", () => row.Reshape(Many, Many, -1));
        Refuses("[65536, 65536]", () => row.Reshape(1, Many).Embedding(new int[Many]));
        Refuses("[65536, 65536]", () => row.Reshape(1, Many).IndexSelect(0, new int[Many]));
        Refuses("[40000, 65536]", () => Tensor<float>.Stack([.. Enumerable.Repeat(row, 40_000)]));
        Refuses("make 2621440000 along dimension 0", () => Tensor<float>.Concat([.. Enumerable.Repeat(row, 40_000)], 0));
    }

    [Fact]
    public void Large_steps_and_empty_shapes_are_counted_right()
    {
        Assert.Equal([1f], Tensor<float>.Arange(1, 5, 1).Slice(0, .., int.MaxValue).ToArray());
        Assert.Equal([5f], Tensor<float>.Arange(1, 5, 1).Slice(0, .., -int.MaxValue).ToArray());
        Assert.Equal(new Shape(0, Many), Tensor<float>.Concat([Tensor<float>.Zeros(0, Many), Tensor<float>.Zeros(0, Many)], 0).Shape);
        Assert.Empty(Tensor<float>.Zeros(3, 0, Many).Sum(0).ToArray());
    }

    private static void Refuses(string part, Func<object> make)
    {
        var error = Assert.ThrowsAny<ArgumentException>(make);
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.Contains("2147483591", error.Message, StringComparison.Ordinal);
    }
}
