using NWaves.Signals;
using Rnn.Tensors;
using Samples;

namespace AudioClassifier;

/// <summary>Sounds that a computer makes: tones, chirps and noise of random pitch, length and loudness, with noise behind them.</summary>
internal static class Sounds
{
    private const int Rate = 8000;
    private static readonly string[] Classes = ["low tone", "high tone", "rising chirp", "falling chirp", "vibrato", "two beeps", "noise burst"];

    /// <summary>Sounds of random classes.</summary>
    internal static Recordings Generate(RandomSource random, int count)
    {
        int[] labels = [.. Enumerable.Range(0, count).Select(_ => random.Next(Classes.Length))];
        return new([.. labels.Select(label => LogMel.Of(new DiscreteSignal(Rate, Make(random, Classes[label]))))], labels, Classes);
    }

    private static float[] Make(RandomSource random, string name)
    {
        var (before, length) = (random.Next(Rate / 10), (Rate / 4) + random.Next(Rate / 3));
        var samples = new float[before + length + random.Next(Rate / 10) + 400];
        var loudness = Math.Pow(10, -1.2 * random.NextDouble());
        var pitch = name switch
        {
            "low tone" => Between(200, 600),
            "high tone" => Between(1000, 3000),
            _ => Between(300, 1500),
        };
        var (width, speed, phase) = (Between(1.5, 2.5), Between(5, 8), 0.0);
        for (var i = 0; i < length; i++)
        {
            var time = (double)i / length;
            phase += 2 * Math.PI / Rate * pitch * name switch
            {
                "rising chirp" => Math.Pow(width, time),
                "falling chirp" => Math.Pow(width, 1 - time),
                "vibrato" => 1 + (0.1 * Math.Sin(2 * Math.PI * speed * i / Rate)),
                _ => 1,
            };
            var silent = name == "two beeps" && time is > 0.35 and < 0.65;
            var fade = Math.Min(1, 10 * Math.Min(time, 1 - time));
            samples[before + i] = silent ? 0 : (float)(loudness * fade * (name == "noise burst" ? 0.3 * random.NextNormal() : 0.5 * Math.Sin(phase)));
        }

        var noise = 0.02 * random.NextDouble();
        foreach (ref var value in samples.AsSpan())
        {
            value += (float)(noise * random.NextNormal());
        }

        return samples;

        double Between(double low, double high) => low + ((high - low) * random.NextDouble());
    }
}
