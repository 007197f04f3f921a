using System.Runtime.InteropServices;
using Rnn.Kernels;

namespace Rnn.Tests.Architecture;

/// <summary>
/// The width that <c>RNN_SIMD</c> chooses changes no bit of a recurrent layer's outputs and gradients, whichever options it has and whether its weights are compressed; sums along a
/// normalised row are taken lane by lane, and there the last digits may differ. Some options run through the runtime's own sweeps, which know nothing
/// of the variable. Without a fused multiply-add everything is near, and all widths agree again.
/// </summary>
public class WidthTests
{
    [Fact]
    public void Every_width_gives_the_same_bits()
    {
        var expected = Run(new() { [Simd.EnvironmentVariable] = "scalar" }, out var line);
        Assert.StartsWith("width 0", line);
        Assert.Equal(28, expected.Count);
        foreach (var bits in Simd.SupportedVectorBits.Where(bits => bits > 0))
        {
            var actual = Run(new() { [Simd.EnvironmentVariable] = $"{bits}" }, out line);
            Assert.StartsWith($"width {bits}", line);
            CompareBits(expected, actual, $"{bits} bits");
        }
    }

    [Fact]
    public void Without_fused_multiply_add_all_widths_agree_and_are_near()
    {
        if (!System.Runtime.Intrinsics.X86.X86Base.IsSupported)
        {
            // Arm's vectors always fuse.
            return;
        }

        var expected = Run(new() { [Simd.EnvironmentVariable] = "128", ["DOTNET_EnableAVX2"] = "0" }, out var line);
        Assert.Equal("width 128 unfused", line);
        CompareBits(expected, Run(new() { [Simd.EnvironmentVariable] = "scalar", ["DOTNET_EnableAVX2"] = "0" }, out line), "scalar");
        Assert.Equal("width 0 unfused", line);
        foreach (var (name, numbers) in Run(new() { [Simd.EnvironmentVariable] = null }, out _))
        {
            Near(numbers, expected[name], name);
        }
    }

    private static Dictionary<string, Numbers> Run(Dictionary<string, string?> environment, out string width)
    {
        var lines = ProbeProcess.Run(WidthProbe.Word, environment);
        width = lines[0];
        return lines.Skip(1).Select(line => line.Split(' ')).ToDictionary(
            parts => $"{parts[0]} {parts[1]}",
            parts => new Numbers(Convert.FromBase64String(parts[3]), parts[1] == nameof(Single), parts[2] == WidthProbe.Near));
    }

    private static void CompareBits(Dictionary<string, Numbers> expected, Dictionary<string, Numbers> actual, string what)
    {
        foreach (var (name, numbers) in expected)
        {
            if (numbers.IsNear)
            {
                Near(numbers, actual[name], $"{name}, {what}");
            }
            else
            {
                Assert.True(numbers.Bytes.AsSpan().SequenceEqual(actual[name].Bytes), $"{name}, {what}: not the same bits");
            }
        }
    }

    private static void Near(Numbers expected, Numbers actual, string name)
    {
        var (e, a) = (expected.ToDoubles(), actual.ToDoubles());
        Assert.Equal(e.Length, a.Length);
        var tolerance = expected.InSingle ? 2e-5 : 2e-14;
        for (var i = 0; i < e.Length; i++)
        {
            Assert.True(Math.Abs(e[i] - a[i]) <= tolerance * (1 + Math.Abs(e[i])), $"{name}[{i}]: {e[i]} but {a[i]}");
        }
    }

    /// <summary>What a layer gave in the probe.</summary>
    /// <param name="Bytes">The numbers.</param>
    /// <param name="InSingle">Whether they are of single precision.</param>
    /// <param name="IsNear">Whether their last digits may depend on the width.</param>
    private sealed record Numbers(byte[] Bytes, bool InSingle, bool IsNear)
    {
        public double[] ToDoubles() => InSingle
            ? [.. MemoryMarshal.Cast<byte, float>(Bytes).ToArray().Select(value => (double)value)]
            : MemoryMarshal.Cast<byte, double>(Bytes).ToArray();
    }
}
