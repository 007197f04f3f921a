using System.Numerics;

namespace Rnn.Onnx.Tests.Support;

/// <summary>Asserts that values agree.</summary>
internal static class Compare
{
    internal static void Same<T, TOther>(OnnxValue<T> expected, OnnxValue<TOther> actual, double tolerance, string what)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOther : unmanaged, IFloatingPointIeee754<TOther>
    {
        Assert.True(expected.Shape == actual.Shape, $"{what}: expected {expected} but got {actual}");
        Assert.True(expected.IsFloatingPoint == actual.IsFloatingPoint, $"{what}: expected {expected} but got {actual}");
        if (!expected.IsFloatingPoint)
        {
            Assert.True(expected.ElementType == actual.ElementType, $"{what}: expected {expected} but got {actual}");
            Assert.Equal(expected.Integers.ToArray(), actual.Integers.ToArray());
            return;
        }

        var (a, b) = (expected.Tensor.ToArray(), actual.Tensor.ToArray());
        for (var i = 0; i < a.Length; i++)
        {
            var (x, y) = (double.CreateTruncating(a[i]), double.CreateTruncating(b[i]));
            Assert.True(x.Equals(y) || Math.Abs(x - y) <= tolerance * Math.Max(1, Math.Abs(x)), $"{what}: element {i} is {y}; expected {x}");
        }
    }
}
