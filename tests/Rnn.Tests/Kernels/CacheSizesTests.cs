using Rnn.Kernels;

namespace Rnn.Tests.Kernels;

/// <summary>Sizes of caches, whatever a processor or a virtual machine says of itself, cut products into blocks that are not empty.</summary>
public class CacheSizesTests
{
    [Fact]
    public void The_sizes_of_this_machine_are_usable() => AssertUsable((CacheSizes.First, CacheSizes.Second));

    [Theory]
    [InlineData(0, 0)] // nothing found
    [InlineData(32 << 10, 0)]
    [InlineData(0, 1 << 20)]
    [InlineData(48 << 10, 2 << 20)]
    [InlineData(1 << 20, 256 << 10)] // a first-level cache larger than the second
    [InlineData(4 << 20, 4 << 20)]
    [InlineData(int.MaxValue, int.MaxValue)]
    [InlineData(int.MinValue, -1)]
    [InlineData(1, 1)]
    public void Odd_sizes_become_usable_ones(int first, int second) => AssertUsable(CacheSizes.Usable(first, second));

    [Fact]
    public void Ordinary_sizes_stay()
    {
        Assert.Equal((32 << 10, 512 << 10), CacheSizes.Usable(32 << 10, 512 << 10));
        Assert.Equal((48 << 10, 1 << 20), CacheSizes.Usable(48 << 10, 1 << 20));
        Assert.Equal((128 << 10, 2 << 20), CacheSizes.Usable(128 << 10, 16 << 20));
    }

    [Fact]
    public void Equal_blocks_cover_the_summed_dimension()
    {
        foreach (var largest in new[] { 64, 160, 256, 2720 })
        {
            for (var inner = 1; inner < 6000; inner += 7)
            {
                var length = TileShape.BlockLength(inner, largest);
                Assert.InRange(length, 1, largest);
                Assert.Equal((inner + largest - 1) / largest, (inner + length - 1) / length);
            }
        }
    }

    // The second-level cache holds a group of at least one panel in its half, and a block of a panel fills two thirds of the first.
    private static void AssertUsable((int First, int Second) sizes)
    {
        Assert.InRange(sizes.First, 32 << 10, 128 << 10);
        Assert.InRange(sizes.Second, 256 << 10, 2 << 20);
        Assert.True(sizes.Second / 2 >= sizes.First * 2 / 3);
    }
}
