using MathNet.Numerics.Distributions;
using Rnn.Tensors;

namespace Rnn.Tests.Tensors;

public class RandomSourceTests
{
    [Fact]
    public void The_generator_is_xoshiro256_starstar_seeded_by_SplitMix()
    {
        // SplitMix64 from 0 gives these four words (published check values of that generator) …
        var state = new RandomSource(0).GetState();
        Assert.Equal(0xE220A8397B1DCDAFUL, state.S0);
        Assert.Equal(0x6E789E6AA1B965F4UL, state.S1);
        Assert.Equal(0x06C45D188009454FUL, state.S2);
        Assert.Equal(0xF88BB8A8724C81ECUL, state.S3);

        // … and from the state 1, 2, 3, 4 xoshiro256** gives these.
        var random = new RandomSource(new RandomState(0, 1, 2, 3, 4));
        Assert.Equal([11520UL, 0UL, 1509978240UL, 1215971899390074240UL], Enumerable.Range(0, 4).Select(_ => random.NextUInt64()));
    }

    [Fact]
    public void Equal_seeds_give_equal_streams_and_others_do_not()
    {
        var (a, b, c) = (new RandomSource(5), new RandomSource(5), new RandomSource(6));
        var (x, y, z) = (Draw(a), Draw(b), Draw(c));
        Assert.Equal(x, y);
        Assert.NotEqual(x, z);

        static ulong[] Draw(RandomSource random) => [.. Enumerable.Range(0, 10).Select(_ => random.NextUInt64())];
    }

    [Fact]
    public void Forks_depend_on_seed_and_name_only_and_differ_from_each_other()
    {
        var random = new RandomSource(1);
        var first = random.Split("dropout").NextUInt64();
        random.NextUInt64();
        Assert.Equal(first, random.Split("dropout").NextUInt64());
        var seen = new HashSet<ulong> { random.NextUInt64(), first };
        Assert.True(seen.Add(random.Split("weights").NextUInt64()));
        Assert.True(seen.Add(random.Split("dropout").Split("dropout").NextUInt64()));
        for (var seed = 0UL; seed < 50; seed++)
        {
            for (var number = 0UL; number < 50; number++)
            {
                Assert.True(seen.Add(new RandomSource(seed).Split(number).NextUInt64()));
            }
        }
    }

    [Fact]
    public void A_saved_state_goes_on_with_the_same_numbers()
    {
        var random = new RandomSource(99);
        random.NextDouble();
        var state = random.GetState();
        var expected = (random.NextUInt64(), random.NextNormal(), random.Split("a").NextUInt64());
        var other = new RandomSource(RandomState.Parse(state.ToString()));
        Assert.Equal(expected, (other.NextUInt64(), other.NextNormal(), other.Split("a").NextUInt64()));
        random.SetState(state);
        Assert.Equal(expected, (random.NextUInt64(), random.NextNormal(), random.Split("a").NextUInt64()));
        Assert.Throws<ArgumentException>(() => new RandomSource(100).SetState(state));
        Assert.Throws<ArgumentException>(() => new RandomSource(default(RandomState)));
        Assert.Throws<FormatException>(() => RandomState.Parse("1-2-3"));
        Assert.Throws<FormatException>(() => RandomState.Parse("1-2-3-4-x"));
    }

    [Fact]
    public void The_normal_quantile_agrees_with_an_independent_one()
    {
        for (var i = 1; i < 1000; i++)
        {
            Assert.Equal(Normal.InvCDF(0, 1, i / 1000.0), NormalDistribution.Quantile(i / 1000.0), 1e-9);
        }

        // Quantiles to sixteen digits (Wichura's own check values).
        Assert.Equal(-0.6744897501960817, NormalDistribution.Quantile(0.25), 1e-15);
        Assert.Equal(-3.090232306167814, NormalDistribution.Quantile(0.001), 1e-14);
        Assert.Equal(-9.262340089798408, NormalDistribution.Quantile(1e-20), 1e-14);
        for (var x = 1e-300; x < 1e300; x *= 17.3)
        {
            Assert.Equal(1, NormalDistribution.Logarithm(x) / Math.Log(x), 1e-15);
        }
    }

    [Fact]
    public void Uniform_and_normal_numbers_have_their_moments_and_range()
    {
        const int count = 200_000;
        var random = new RandomSource(3);
        var values = new float[count];
        random.FillUniform<float>(values, -2, 3);
        Assert.All([values.Min(), values.Max()], value => Assert.InRange(value, -2f, MathF.BitDecrement(3f)));
        Assert.Equal(0.5, values.Average(), 0.02);
        Assert.Equal(25.0 / 12, values.Select(v => (v - 0.5) * (v - 0.5)).Average(), 0.02);
        random.FillNormal<float>(values, 1, 2);
        Assert.Equal(1, values.Average(), 0.02);
        Assert.Equal(4, values.Select(v => (v - 1.0) * (v - 1.0)).Average(), 0.05);
        Assert.Equal(3 * 16, values.Select(v => Math.Pow(v - 1.0, 4)).Average(), 1.5);
        Assert.Equal(0.158655, values.Count(v => v > 3) / (double)count, 0.005);
    }

    [Fact]
    public void Whole_numbers_are_even_and_in_range()
    {
        var random = new RandomSource(4);
        var counts = new int[7];
        for (var i = 0; i < 70_000; i++)
        {
            counts[random.Next(7)]++;
        }

        Assert.All(counts, count => Assert.InRange(count, 9_500, 10_500));
        Assert.All(Enumerable.Range(0, 100), _ => Assert.InRange(random.Next(-3, 2), -3, 1));
        Assert.Equal(0, random.Next(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => random.Next(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => random.Next(3, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => random.Next(int.MinValue, int.MaxValue));
    }

    [Fact]
    public void Shuffling_reaches_every_order_evenly()
    {
        var random = new RandomSource(5);
        var counts = new Dictionary<string, int>();
        for (var i = 0; i < 24_000; i++)
        {
            var order = string.Join(",", random.Permutation(4));
            counts[order] = counts.GetValueOrDefault(order) + 1;
        }

        Assert.Equal(24, counts.Count);
        Assert.All(counts.Values, count => Assert.InRange(count, 850, 1150));
    }

    [Fact]
    public void Masks_have_the_given_share_of_ones()
    {
        Check<float>();
        Check<double>();
        Assert.Throws<ArgumentOutOfRangeException>(() => new RandomSource(1).FillMask<float>([], 1.5, 1));

        static void Check<T>()
            where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
        {
            var five = T.CreateChecked(5);
            foreach (var probability in new[] { 0, 0.1, 0.5, 0.9, 1 })
            {
                foreach (var length in new[] { 0, 1, 3, 17, 129, 100_001 })
                {
                    var mask = new T[length];
                    new RandomSource(6).FillMask<T>(mask, probability, five);
                    var kept = mask.Count(value => value == five);
                    Assert.Equal(length - kept, mask.Count(value => value == T.Zero));
                    Assert.InRange(kept, Lowest(length, probability), length - Lowest(length, 1 - probability));
                }
            }

            static double Lowest(int length, double probability) =>
                (length * probability) - (4 * Math.Sqrt(length * probability * (1 - probability))) - (length < 1000 && probability < 1 ? 3 : 0);
        }
    }

    [Fact]
    public void Masks_are_the_same_in_pieces_and_in_both_element_types()
    {
        var whole = new float[1000];
        RandomMask.Fill<float>(whole, 12345, 0.3, 1);
        foreach (var piece in new[] { 1, 3, 17, 64, 129 })
        {
            var pieces = new double[1000];
            for (var i = 0; i < pieces.Length; i += piece)
            {
                RandomMask.Fill(pieces.AsSpan(i, Math.Min(piece, pieces.Length - i)), 12345, 0.3, 1.0, (uint)i);
            }

            Assert.Equal(whole.Select(v => (double)v), pieces);
        }
    }

    [Fact]
    public void Masks_are_SplitMix64_by_count_two_elements_to_a_number()
    {
        var mask = new float[129];
        RandomMask.Fill<float>(mask, 99, 0.25, 3);
        for (var i = 0; i < mask.Length; i++)
        {
            var z = 99 + (0x9E3779B97F4A7C15UL * ((ulong)(i / 2) + 1));
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
            z ^= z >> 31;
            Assert.Equal((uint)(z >> (32 * (i % 2))) < 1u << 30 ? 3 : 0, mask[i]);
        }
    }

    [Fact]
    public void Masks_do_not_correlate_with_neighbours_shifts_or_other_keys()
    {
        const int count = 100_000;
        var random = new RandomSource(9);
        ulong[] keys = [0, 1, random.NextUInt64(), random.NextUInt64(), RandomMask.Key(7, 0), RandomMask.Key(7, 1), RandomMask.Key(RandomMask.Key(7, 0), 0)];
        var masks = new float[keys.Length][];
        for (var i = 0; i < masks.Length; i++)
        {
            masks[i] = new float[count];
            RandomMask.Fill<float>(masks[i], keys[i], 0.5, 1);
        }

        for (var a = 0; a < masks.Length; a++)
        {
            for (var b = 0; b < masks.Length; b++)
            {
                foreach (var shift in new[] { 0, 1, 2, 3, 4, 8, 16, 17, 64, 256, 1000, 1024 })
                {
                    if (a == b && shift == 0)
                    {
                        continue;
                    }

                    var sum = 0.0;
                    for (var i = shift; i < count; i++)
                    {
                        sum += (masks[a][i] - 0.5) * (masks[b][i - shift] - 0.5) * 4;
                    }

                    // Five standard deviations of a sum of independent signs.
                    Assert.InRange(Math.Abs(sum), 0, 5 * Math.Sqrt(count));
                }
            }
        }
    }

    [Fact]
    public void Seeded_numbers_are_the_same_bits_on_every_machine()
    {
        // Recorded once; a change of them changes every seeded run.
        var random = new RandomSource(2026);
        var (uniform, normal, mask) = (new double[1001], new double[1001], new float[1001]);
        random.FillUniform<double>(uniform, -1, 3);
        random.FillNormal<double>(normal, 0.5, 2);
        random.FillMask<float>(mask, 0.3, 2);
        Assert.Equal(("399EE46449093F50", "558AFD19AE4F8942", "B981D1EEF680CD57"), (Hash<double>(uniform), Hash<double>(normal), Hash<float>(mask)));
    }

    internal static string Hash<T>(ReadOnlySpan<T> values)
        where T : unmanaged =>
        Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(values))[..8]);
}
