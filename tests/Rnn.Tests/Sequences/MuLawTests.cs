using Rnn.Sequences;

namespace Rnn.Tests.Sequences;

public sealed class MuLawTests
{
    [Fact]
    public void Levels_are_fine_near_silence_and_come_back_as_themselves()
    {
        Assert.Equal(0, MuLaw.Encode(-1));
        Assert.Equal(255, MuLaw.Encode(1));
        Assert.Equal(MuLaw.Silence, MuLaw.Encode(0));
        Assert.Equal(-1, MuLaw.Decode(0), 1e-15);
        Assert.Equal(1, MuLaw.Decode(255), 1e-15);
        for (var level = 0; level < 256; level++)
        {
            Assert.Equal(level, MuLaw.Encode(MuLaw.Decode(level)));
            Assert.Equal(-MuLaw.Decode(level), MuLaw.Decode(255 - level), 1e-15);
        }

        Assert.InRange(MuLaw.Decode(129) - MuLaw.Decode(128), 1e-4, 3e-4);
        Assert.InRange(MuLaw.Decode(255) - MuLaw.Decode(254), 0.04, 0.05);
    }

    // By the formula: the level whose companded value is nearest.
    [Fact]
    public void A_sample_gets_the_nearest_level_of_the_companded_scale()
    {
        for (var x = -1.2; x <= 1.2; x += 0.00317)
        {
            var clamped = Math.Clamp(x, -1, 1);
            var companded = Math.Sign(clamped) * Math.Log(1 + (255 * Math.Abs(clamped))) / Math.Log(256);
            var nearest = Enumerable.Range(0, 256).MinBy(level => Math.Abs((2 * level / 255.0) - 1 - companded));
            Assert.Equal(nearest, MuLaw.Encode(x));
        }
    }

    [Fact]
    public void Waves_are_encoded_sample_by_sample()
    {
        float[] wave = [0, -1, 0.3f, float.PositiveInfinity, -0.001f];
        Assert.Equal([128, 0, MuLaw.Encode(0.3f), 255, MuLaw.Encode(-0.001f)], MuLaw.Encode(wave));
        Assert.Equal([(float)MuLaw.Decode(7), 1f], MuLaw.Decode([7, 255]));
        Assert.Empty(MuLaw.Encode(ReadOnlySpan<float>.Empty));
    }

    [Fact]
    public void Mistakes_are_named()
    {
        Assert.Contains("sample: expected a number from -1 to 1 but got NaN", Assert.Throws<ArgumentException>(() => MuLaw.Encode(double.NaN)).Message, StringComparison.Ordinal);
        Assert.Contains("level: expected a level from 0 to 255 but got 256", Assert.Throws<ArgumentOutOfRangeException>(() => MuLaw.Decode(256)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => MuLaw.Decode(-1));
    }
}
