using System.Diagnostics;
using System.Globalization;
using Rnn.Kernels;
using Rnn.Layers;

namespace Rnn.AotSmoke;

/// <summary>
/// How long one step of an LSTM stream of 128 units takes: the line by which a program compiled ahead of time is compared with the same program
/// under the JIT (.ci/run aot). Prints and asserts nothing.
/// </summary>
internal static class StepTime
{
    private const int Units = 128;

    private const int Steps = 200;

    public static void Print()
    {
        var lstm = new Lstm<float>(Units, Units, new() { Seed = 1 });
        var stream = lstm.CreateStream();
        float[] input = [.. Enumerable.Range(0, Units).Select(i => MathF.Sin(i))], output = new float[Units];

        // Half a second is enough for the JIT's last tier; a median then leaves out what other programs take.
        for (var begun = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begun).TotalSeconds < 0.5;)
        {
            stream.Step(input, output);
        }

        var rounds = new double[25];
        for (var round = 0; round < rounds.Length; round++)
        {
            var begun = Stopwatch.GetTimestamp();
            for (var step = 0; step < Steps; step++)
            {
                stream.Step(input, output);
            }

            rounds[round] = Stopwatch.GetElapsedTime(begun).TotalMicroseconds / Steps;
        }

        Array.Sort(rounds);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"step of lstm 128: {rounds[rounds.Length / 2]:f2} us, fastest {rounds[0]:f2} us ({Simd.VectorBits} bits)"));
    }
}
