using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Tests.Kernels;

public sealed unsafe class TinyTests
{
    [Fact]
    public void Any_place_of_any_length_is_found() => EveryPlaceIsFound(1e-35f, -1e-40f);

    [Fact]
    public void Any_place_of_any_length_is_found_in_double() => EveryPlaceIsFound(1e-300, -5e-324);

    // Lengths around all multiples of what is read at once, NaN and infinity beside.
    private static void EveryPlaceIsFound<T>(T small, T denormal)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        T[] others = [T.Zero, T.NegativeZero, T.One, Tiny<T>.Threshold, -Tiny<T>.Threshold, T.NaN, T.PositiveInfinity, T.NegativeInfinity];
        for (var length = 0; length <= 137; length++)
        {
            var values = new T[length];
            for (var i = 0; i < length; i++)
            {
                values[i] = others[i % others.Length];
            }

            Assert.False(IsAny(values));
            for (var place = 0; place < length; place++)
            {
                var before = values[place];
                foreach (var tiny in (T[])[small, denormal])
                {
                    values[place] = tiny;
                    Assert.True(IsAny(values));
                    var expected = values.ToArray();
                    expected[place] = T.Zero;
                    Assert.Equal(expected, Flushed(values));
                }

                values[place] = before;
            }

            Assert.Equal(values, Flushed(values));
        }
    }

    private static bool IsAny<T>(T[] values)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        fixed (T* start = values)
        {
            return Tiny<T>.IsAny(start, values.Length);
        }
    }

    private static T[] Flushed<T>(T[] values)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var result = new T[values.Length];
        fixed (T* from = values, to = result)
        {
            Tiny<T>.CopyFlushed(from, to, values.Length);
        }

        return result;
    }
}
