using Rnn.Kernels;

namespace Rnn.Tests.Kernels;

/// <summary>Products with compressed weights against plain loops over rounded weights, bit by bit, at every width.</summary>
public unsafe class CompressedProductTests
{
    private static readonly int[] Sizes = [1, 3, 17, 37, 129, 300];

    public static TheoryData<int> Widths => new(Simd.SupportedVectorBits);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Weights_of_bfloat16_give_the_bits_of_rounded_weights(int bits)
    {
        var random = new Random(bits);
        foreach (var inner in Sizes)
        {
            foreach (var outputs in Sizes)
            {
                new Case(bits, 1, inner, outputs, random).Check(PackedFormat.BFloat16);
                new Case(bits, random.Next(2, 13), inner, outputs, random).Check(PackedFormat.BFloat16);
            }
        }

        for (var rows = 1; rows <= 40; rows++)
        {
            new Case(bits, rows, 19, 75, random).Check(PackedFormat.BFloat16);
        }

        new Case(bits, 2, 1030, 75, random).Check(PackedFormat.BFloat16);
        new Case(bits, 19, 1030, 75, random).Check(PackedFormat.BFloat16);
        new Case(bits, 307, 33, 40, random).Check(PackedFormat.BFloat16);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Weights_of_int8_give_the_bits_of_whole_numbers_with_scales(int bits)
    {
        var random = new Random(bits);
        foreach (var inner in Sizes)
        {
            foreach (var outputs in Sizes)
            {
                new Case(bits, 1, inner, outputs, random).Check(PackedFormat.Int8);
                new Case(bits, random.Next(2, 9), inner, outputs, random).Check(PackedFormat.Int8);
            }
        }

        for (var rows = 1; rows <= 40; rows++)
        {
            new Case(bits, rows, 19, 75, random).Check(PackedFormat.Int8);
        }

        foreach (var inner in new[] { 511, 512, 513, 1024, 1025, 5001 })
        {
            new Case(bits, 1, inner, 75, random).Check(PackedFormat.Int8);
            new Case(bits, 8, inner, 19, random).Check(PackedFormat.Int8);
        }

        // Several passes of rows.
        new Case(bits, 700, 130, 20, random).Check(PackedFormat.Int8);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void The_largest_whole_numbers_have_exact_sums(int bits)
    {
        foreach (var sign in new[] { 1f, -1f })
        {
            var test = new Case(bits, 3, 512, 40, new Random(1));
            test.A.AsSpan().Fill(2 * sign);
            test.Weights.AsSpan().Fill(127 / 32f);
            test.Check(PackedFormat.Int8);
            Assert.Equal(512 * 2 * 127 / 32f * sign, test.Run(PackedFormat.Int8, Start.Zero)[0], 1e-3f);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Rows_of_zeros_and_of_what_is_not_finite_stay_so(int bits)
    {
        var test = new Case(bits, 4, 37, 20, new Random(1));
        test.A.AsSpan(0, 37).Clear();
        test.A[37 + 5] = float.NaN;
        test.A[74 + 36] = float.NegativeInfinity;
        test.A.AsSpan(111, 37).Fill(1e-33f);
        test.Weights.AsSpan(3 * 37, 37).Clear();
        var c = test.Run(PackedFormat.Int8, Start.Bias);
        Assert.Equal(test.Bias, c[..20]);
        Assert.All(c[20..60], value => Assert.True(float.IsNaN(value)));
        Assert.Equal(test.Bias, c[60..]);
        test.A.AsSpan().Fill(1);
        Assert.Equal(test.Bias[3], test.Run(PackedFormat.Int8, Start.Bias)[3]);
    }

    [Fact]
    public void Rounding_to_bfloat16_takes_the_nearest_even_and_keeps_what_is_special()
    {
        Assert.Equal(0x3F80, WeightRounding.ToBFloat16(1f));
        Assert.Equal(0x3F80, WeightRounding.ToBFloat16(1f + (1f / 256)));
        Assert.Equal(0x3F81, WeightRounding.ToBFloat16(MathF.BitIncrement(1f + (1f / 256))));
        Assert.Equal(0x3F82, WeightRounding.ToBFloat16(1f + (3f / 256)));
        Assert.Equal(0x8000, WeightRounding.ToBFloat16(-0f));
        Assert.Equal(0x7F80, WeightRounding.ToBFloat16(float.MaxValue));
        Assert.Equal(0xFF80, WeightRounding.ToBFloat16(float.NegativeInfinity));
        Assert.True(float.IsNaN(WeightRounding.FromBFloat16(WeightRounding.ToBFloat16(float.NaN))));
        Assert.True(float.IsNaN(WeightRounding.FromBFloat16(WeightRounding.ToBFloat16(BitConverter.UInt32BitsToSingle(0x7F800001)))));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Rounding_what_is_rounded_changes_nothing(int format)
    {
        var random = new Random(format);
        for (var round = 0; round < 200; round++)
        {
            var matrix = new float[5 * 31];
            var size = Math.Pow(10, random.Next(-20, 20));
            for (var i = 0; i < matrix.Length; i++)
            {
                matrix[i] = (float)(size * (random.NextDouble() - 0.5));
            }

            var exact = (float[])matrix.Clone();
            WeightRounding.Round(matrix, 31, (PackedFormat)format);
            var once = (float[])matrix.Clone();
            WeightRounding.Round(matrix, 31, (PackedFormat)format);
            Assert.Equal(once, matrix);
            for (var row = 0; row < 5; row++)
            {
                var largest = exact.AsSpan(row * 31, 31).ToArray().Max(Math.Abs);
                for (var i = row * 31; i < (row + 1) * 31; i++)
                {
                    // Half a step: 2⁻⁸ of the number, or half of 1/127 of the largest (whose scale may be 2⁻¹⁵ larger).
                    Assert.True(Math.Abs(once[i] - exact[i]) <= (format == 1 ? Math.Abs(exact[i]) / 256 : largest / 127 * 0.5002f));
                }
            }
        }
    }

    private enum Start
    {
        Zero,
        Bias,
        Accumulate,
    }

    private sealed class Case
    {
        private readonly MatrixKernels<float> _kernels;
        private readonly int _rows;
        private readonly int _inner;
        private readonly int _outputs;
        private readonly int _turn;

        internal Case(int bits, int rows, int inner, int outputs, Random random)
        {
            _kernels = MatrixKernels<float>.For(bits);
            (_rows, _inner, _outputs, _turn) = (rows, inner, outputs, random.Next(100));
            A = Numbers(rows * inner);
            Weights = Numbers(inner * outputs);
            Bias = Numbers(outputs);
            Before = Numbers(rows * outputs);

            float[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() - 0.5))];
        }

        internal float[] A { get; }

        internal float[] Weights { get; }

        internal float[] Bias { get; }

        private float[] Before { get; }

        // Rows at equal distances or at offsets, all panels or in two ranges; three starts.
        internal void Check(PackedFormat format)
        {
            foreach (var start in Enum.GetValues<Start>())
            {
                var expected = format == PackedFormat.BFloat16 ? Rounded(start) : Whole(start);
                var actual = Run(format, start);
                for (var i = 0; i < expected.Length; i++)
                {
                    Assert.True(
                        BitConverter.SingleToInt32Bits(expected[i]) == BitConverter.SingleToInt32Bits(actual[i]),
                        $"{format} {_kernels.PanelWidth} {start} [{_rows}, {_inner}] [{_outputs}] at {i / _outputs}, {i % _outputs}: expected {expected[i]:R} but got {actual[i]:R}");
                }
            }
        }

        internal float[] Run(PackedFormat format, Start start)
        {
            const float Guard = 12345;
            var panels = _kernels.PanelCount(_outputs);
            var packed = GC.AllocateArray<float>((int)_kernels.PackedLength(_inner, _outputs, format), pinned: true);
            packed.AsSpan().Fill(float.NaN);
            var scratch = GC.AllocateArray<float>((int)_kernels.MultiplyScratch(_rows, _inner), pinned: true);
            var c = Enumerable.Repeat(Guard, (_rows * (_outputs + 1)) + 1).ToArray();
            for (var row = 0; row < _rows; row++)
            {
                Before.AsSpan(row * _outputs, _outputs).CopyTo(c.AsSpan(row * (_outputs + 1)));
            }

            // Rows of A back to front where they lie at offsets.
            var offsets = Enumerable.Range(0, _rows).Select(row => (nint)((_rows - 1 - row) * _inner)).ToArray();
            var a = (float[])A.Clone();
            var atOffsets = _turn % 2 == 1;
            for (var row = 0; atOffsets && row < _rows; row++)
            {
                A.AsSpan(row * _inner, _inner).CopyTo(a.AsSpan((int)offsets[row]));
            }

            fixed (float* pa = a, w = Weights, p = packed, pc = c, bias = Bias, s = scratch)
            fixed (nint* table = offsets)
            {
                var source = atOffsets ? new Rows<float>(pa, 0, table) : new(pa, _inner);
                var middle = panels / 2;
                _kernels.PackCompressed(w, _inner, _inner, _outputs, new(p, format), 0, middle);
                _kernels.PackCompressed(w, _inner, _inner, _outputs, new(p, format), middle, panels);
                var first = _turn % 3 == 0 ? middle : panels;
                foreach (var (from, to) in new[] { (0, first), (first, panels) })
                {
                    _kernels.Multiply(
                        source, _rows, new(p, format), _inner, _outputs, new(pc, _outputs + 1), start == Start.Accumulate, start == Start.Bias ? bias : null, from, to, s);
                }
            }

            var result = new float[_rows * _outputs];
            for (var row = 0; row < _rows; row++)
            {
                c.AsSpan(row * (_outputs + 1), _outputs).CopyTo(result.AsSpan(row * _outputs));
                Assert.Equal(Guard, c[(row * (_outputs + 1)) + _outputs]);
            }

            return result;
        }

        private float From(Start start, int row, int column) => start switch
        {
            Start.Bias => Bias[column],
            Start.Accumulate => Before[(row * _outputs) + column],
            _ => 0,
        };

        // The chain of multiply-adds with the rounded weights.
        private float[] Rounded(Start start)
        {
            var c = new float[_rows * _outputs];
            for (var i = 0; i < c.Length; i++)
            {
                var (row, column) = (i / _outputs, i % _outputs);
                var sum = From(start, row, column);
                for (var k = 0; k < _inner; k++)
                {
                    sum = Simd.MultiplyAdd(A[(row * _inner) + k], WeightRounding.FromBFloat16(WeightRounding.ToBFloat16(Weights[(column * _inner) + k])), sum);
                }

                c[i] = sum;
            }

            return c;
        }

        // Whole numbers by their definition: the nearest ones, 32767 steps to a row's largest number and 127 to that of an output's weights; exact sums of 512.
        private float[] Whole(Start start)
        {
            var c = new float[_rows * _outputs];
            var scales = new float[_outputs];
            var q = new int[Weights.Length];
            for (var column = 0; column < _outputs; column++)
            {
                var largest = Weights.AsSpan(column * _inner, _inner).ToArray().Max(Math.Abs);
                var bits = BitConverter.SingleToUInt32Bits(largest / 127);
                scales[column] = BitConverter.UInt32BitsToSingle((bits & 0xFF) == 0 ? bits : (bits | 0xFF) + 1);
                for (var k = column * _inner; k < (column + 1) * _inner; k++)
                {
                    q[k] = (int)MathF.Round(Weights[k] / scales[column]);
                }
            }

            for (var row = 0; row < _rows; row++)
            {
                var x = A.AsSpan(row * _inner, _inner).ToArray();
                var largest = x.Max(Math.Abs);
                var whole = x.Select(value => (long)MathF.Round(value * (32767 / largest))).ToArray();
                for (var column = 0; column < _outputs; column++)
                {
                    var element = From(start, row, column);
                    for (var block = 0; block < _inner; block += 512)
                    {
                        var sum = 0L;
                        for (var k = block; k < Math.Min(_inner, block + 512); k++)
                        {
                            sum += whole[k] * q[(column * _inner) + k];
                        }

                        element = Simd.MultiplyAdd((float)sum, largest / 32767 * scales[column], element);
                    }

                    c[(row * _outputs) + column] = element;
                }
            }

            return c;
        }
    }
}
