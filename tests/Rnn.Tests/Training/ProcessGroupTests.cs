using Rnn.Tensors;

namespace Rnn.Tests.Training;

/// <summary>The operations of a group, which are the same for every way of communication.</summary>
public class ProcessGroupTests
{
    [Theory]
    [InlineData(1, 5)]
    [InlineData(2, 0)]
    [InlineData(2, 1)]
    [InlineData(3, 1000)]
    [InlineData(5, 17)]
    [InlineData(2, 1_100_003)]
    public void Sums_are_those_in_the_order_of_ranks(int size, int length)
    {
        var inputs = Enumerable.Range(0, size).Select(rank => Tensor<float>.RandomNormal(new RandomSource((ulong)rank), 0, 1, Math.Max(1, length)).ToArray()[..length]).ToArray();
        var expected = inputs[0].ToArray();
        for (var rank = 1; rank < size; rank++)
        {
            for (var i = 0; i < length; i++)
            {
                expected[i] += inputs[rank][i];
            }
        }

        foreach (var (sums, error) in ThreadGroup.Run(size, group =>
        {
            var values = inputs[group.Rank].ToArray();
            group.AllSum(values.AsSpan());
            return values;
        }))
        {
            Assert.Null(error);
            Assert.Equal(expected.Select(BitConverter.SingleToInt32Bits), sums!.Select(BitConverter.SingleToInt32Bits));
        }
    }

    [Fact]
    public void Values_come_from_the_root_and_from_all()
    {
        foreach (var (result, error) in ThreadGroup.Run(3, group =>
        {
            Span<int> values = [group.Rank, 10 + group.Rank];
            group.Broadcast(values, root: 2);
            var all = new double[6];
            group.AllGather([group.Rank, group.Rank * 0.5], all);
            return (values.ToArray(), all);
        }))
        {
            Assert.Null(error);
            Assert.Equal([2, 12], result.Item1);
            Assert.Equal([0, 0, 1, 0.5, 2, 1], result.all);
        }
    }

    [Fact]
    public void Wrong_arguments_are_refused()
    {
        var group = ThreadGroup.Of(2)[0];
        Assert.Contains("from 0 to 1 but got 2", Assert.Throws<ArgumentOutOfRangeException>(() => group.Broadcast<int>(new int[1], 2)).Message, StringComparison.Ordinal);
        Assert.Contains("expected 6 values, 3 for each of 2", Assert.Throws<ArgumentException>(() => group.AllGather<int>([1, 2, 3], new int[5])).Message, StringComparison.Ordinal);
    }
}
