using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

internal sealed unsafe partial class VectorRowKernels<V, T>
{
    /// <inheritdoc/>
    public override void LayerNorm(Rows<T> x, Rows<T> y, int rows, int columns, T* gain, T* bias, T epsilon, in NormKept<T> kept)
    {
        var inverseCount = T.One / T.CreateTruncating(columns);
        for (var row = 0; row < rows; row++)
        {
            // Two passes over a row that stays in the first-level cache: the squares of x itself would lose the digits of a large mean.
            var mean = WeightedSum(x[row], null, columns, T.Zero) * inverseCount;
            var variance = SquaredDistance(x[row], columns, mean) * inverseCount;
            var r = T.One / T.Sqrt(variance + epsilon);
            if (ExtremeRow<T>.IsLost(variance + epsilon))
            {
                ExtremeRow<T>.Moments(x[row], columns, epsilon, out mean, out r);
            }

            if (kept.InverseDeviation != null)
            {
                kept.InverseDeviation[row] = r;
            }

            if (kept.Mean != null)
            {
                kept.Mean[row] = mean;
            }

            if (ExtremeRow<T>.IsWide(r))
            {
                ExtremeRow<T>.Normalise(x[row], mean, r, gain, bias, Row(kept.Normalised, row), y[row], columns);
                continue;
            }

            Normalise(x[row], Row(kept.Normalised, row), y[row], columns, gain, bias, mean, r);
        }
    }

    /// <inheritdoc/>
    public override void LayerNormBackward(
        Rows<T> x, in NormKept<T> kept, Rows<T> dy, Rows<T> dx, int rows, int columns, T* gain, bool accumulate)
    {
        var minusInverseCount = -(T.One / T.CreateTruncating(columns));
        for (var row = 0; row < rows; row++)
        {
            var source = Source(x, kept, row, out var mean, out var r);
            if (ExtremeRow<T>.IsWide(r))
            {
                ExtremeRow<T>.Backward(source, mean, r, dy[row], gain, dx[row], accumulate, null, columns);
                continue;
            }

            Moments(source, dy[row], columns, gain, mean, r, out var sum, out var product);
            InputGradient(
                source, dy[row], dx[row], columns, gain, mean, r, kept.InverseDeviation[row], sum * minusInverseCount, product * minusInverseCount, accumulate);
        }
    }

    /// <inheritdoc/>
    public override void LayerNormParameters(
        Rows<T> x, in NormKept<T> kept, Rows<T> dy, int rows, T* dGain, T* dBias, int firstColumn, int endColumn)
    {
        if (kept.Normalised.Start == null && AnyWide(kept.InverseDeviation, rows))
        {
            ExtremeParameters(x, kept, dy, rows, dGain, dBias, firstColumn, endColumn);
            return;
        }

        // Four vectors side by side where there are as many: each row then gives some whole cache lines, not one.
        var column = firstColumn;
        for (; column <= endColumn - (4 * V.Count); column += 4 * V.Count)
        {
            ParameterColumns(x, kept, dy, rows, column, dGain, dBias);
        }

        for (; column < endColumn; column += V.Count)
        {
            ParameterColumn(x, kept, dy, rows, column, Math.Min(V.Count, endColumn - column), dGain, dBias);
        }
    }

    // x̂ = (source − mean)·r: where x̂ itself was kept, with mean 0 and r = 1.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T* Source(Rows<T> x, in NormKept<T> kept, int row, out T mean, out T r)
    {
        var isKept = kept.Normalised.Start != null;
        mean = isKept ? T.Zero : kept.Mean[row];
        r = isKept ? T.One : kept.InverseDeviation[row];
        return isKept ? kept.Normalised[row] : x[row];
    }

    private static bool AnyWide(T* inverseDeviations, int rows)
    {
        for (var row = 0; row < rows; row++)
        {
            if (ExtremeRow<T>.IsWide(inverseDeviations[row]))
            {
                return true;
            }
        }

        return false;
    }

    private static void ExtremeParameters(
        Rows<T> x, in NormKept<T> kept, Rows<T> dy, int rows, T* dGain, T* dBias, int firstColumn, int endColumn)
    {
        for (var row = 0; row < rows; row++)
        {
            ExtremeRow<T>.GainGradient(x[row], kept.Mean[row], kept.InverseDeviation[row], dy[row], dGain, firstColumn, endColumn);
            for (var column = firstColumn; dBias != null && column < endColumn; column++)
            {
                dBias[column] += dy[row][column];
            }
        }
    }

    private static T SquaredDistance(T* x, int count, T mean)
    {
        var total = SquaredDistanceOfChunk(x, Math.Min(count, Chunk), mean);
        for (var start = Chunk; start < count; start += Chunk)
        {
            total += SquaredDistanceOfChunk(x + start, Math.Min(count - start, Chunk), mean);
        }

        return total;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static T SquaredDistanceOfChunk(T* x, int count, T mean)
    {
        var m = V.Broadcast(mean);
        var sum = V.Zero;
        var i = 0;
        for (; i <= count - V.Count; i += V.Count)
        {
            var d = V.Load(x + i) - m;
            sum = V.MultiplyAdd(d, d, sum);
        }

        if (i < count)
        {
            var d = V.Select(V.FirstLanes(count - i), V.LoadPartial(x + i, count - i) - m, V.Zero);
            sum = V.MultiplyAdd(d, d, sum);
        }

        return V.Sum(sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Normalise(T* x, T* normalised, T* y, int count, T* gain, T* bias, T mean, T r)
    {
        var m = V.Broadcast(mean);
        var scale = V.Broadcast(r);
        var i = 0;
        for (; i <= count - V.Count; i += V.Count)
        {
            var hat = (V.Load(x + i) - m) * scale;
            if (normalised != null)
            {
                hat.Store(normalised + i);
            }

            var value = gain == null ? hat : hat * V.Load(gain + i);
            (bias == null ? value : value + V.Load(bias + i)).Store(y + i);
        }

        if (i < count)
        {
            var rest = count - i;
            var hat = (V.LoadPartial(x + i, rest) - m) * scale;
            if (normalised != null)
            {
                hat.StorePartial(normalised + i, rest);
            }

            var value = gain == null ? hat : hat * V.LoadPartial(gain + i, rest);
            (bias == null ? value : value + V.LoadPartial(bias + i, rest)).StorePartial(y + i, rest);
        }
    }

    // Σ d and Σ d⊙x̂ with d = gain⊙dy
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Moments(T* source, T* dy, int count, T* gain, T mean, T r, out T sum, out T product)
    {
        var m = V.Broadcast(mean);
        var scale = V.Broadcast(r);
        var sums = V.Zero;
        var products = V.Zero;
        var i = 0;
        for (; i <= count - V.Count; i += V.Count)
        {
            var d = gain == null ? V.Load(dy + i) : V.Load(dy + i) * V.Load(gain + i);
            sums += d;
            products = V.MultiplyAdd(d, (V.Load(source + i) - m) * scale, products);
        }

        if (i < count)
        {
            // The lanes past the end have d = 0.
            var rest = count - i;
            var d = gain == null ? V.LoadPartial(dy + i, rest) : V.LoadPartial(dy + i, rest) * V.LoadPartial(gain + i, rest);
            sums += d;
            products = V.MultiplyAdd(d, (V.LoadPartial(source + i, rest) - m) * scale, products);
        }

        sum = V.Sum(sums);
        product = V.Sum(products);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void InputGradient(
        T* source, T* dy, T* dx, int count, T* gain, T mean, T r, T inverseDeviation, T minusMeanD, T minusMeanProduct, bool accumulate)
    {
        var m = V.Broadcast(mean);
        var scale = V.Broadcast(r);
        var deviation = V.Broadcast(inverseDeviation);
        var shift = V.Broadcast(minusMeanD);
        var slope = V.Broadcast(minusMeanProduct);
        var i = 0;
        for (; i <= count - V.Count; i += V.Count)
        {
            var d = gain == null ? V.Load(dy + i) : V.Load(dy + i) * V.Load(gain + i);
            var inner = V.MultiplyAdd((V.Load(source + i) - m) * scale, slope, d + shift);
            V.MultiplyAdd(inner, deviation, accumulate ? V.Load(dx + i) : V.Zero).Store(dx + i);
        }

        if (i < count)
        {
            var rest = count - i;
            var d = gain == null ? V.LoadPartial(dy + i, rest) : V.LoadPartial(dy + i, rest) * V.LoadPartial(gain + i, rest);
            var inner = V.MultiplyAdd((V.LoadPartial(source + i, rest) - m) * scale, slope, d + shift);
            V.MultiplyAdd(inner, deviation, accumulate ? V.LoadPartial(dx + i, rest) : V.Zero).StorePartial(dx + i, rest);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void ParameterColumns(Rows<T> x, in NormKept<T> kept, Rows<T> dy, int rows, int column, T* dGain, T* dBias)
    {
        var (g0, g1, g2, g3) = (V.Zero, V.Zero, V.Zero, V.Zero);
        var (b0, b1, b2, b3) = (V.Zero, V.Zero, V.Zero, V.Zero);
        for (var row = 0; row < rows; row++)
        {
            var source = Source(x, kept, row, out var mean, out var r) + column;
            var m = V.Broadcast(mean);
            var scale = V.Broadcast(r);
            var gradient = dy[row] + column;
            var d0 = V.Load(gradient);
            var d1 = V.Load(gradient + V.Count);
            var d2 = V.Load(gradient + (2 * V.Count));
            var d3 = V.Load(gradient + (3 * V.Count));
            b0 += d0;
            b1 += d1;
            b2 += d2;
            b3 += d3;
            g0 = V.MultiplyAdd(d0, (V.Load(source) - m) * scale, g0);
            g1 = V.MultiplyAdd(d1, (V.Load(source + V.Count) - m) * scale, g1);
            g2 = V.MultiplyAdd(d2, (V.Load(source + (2 * V.Count)) - m) * scale, g2);
            g3 = V.MultiplyAdd(d3, (V.Load(source + (3 * V.Count)) - m) * scale, g3);
        }

        Add(dGain + column, g0, g1, g2, g3);
        if (dBias != null)
        {
            Add(dBias + column, b0, b1, b2, b3);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(T* target, V a, V b, V c, V d)
    {
        (V.Load(target) + a).Store(target);
        (V.Load(target + V.Count) + b).Store(target + V.Count);
        (V.Load(target + (2 * V.Count)) + c).Store(target + (2 * V.Count));
        (V.Load(target + (3 * V.Count)) + d).Store(target + (3 * V.Count));
    }

    // One vector of columns, or the few of its lanes that are left at the end.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void ParameterColumn(Rows<T> x, in NormKept<T> kept, Rows<T> dy, int rows, int column, int width, T* dGain, T* dBias)
    {
        var (g, b) = (V.Zero, V.Zero);
        for (var row = 0; row < rows; row++)
        {
            var source = Source(x, kept, row, out var mean, out var r) + column;
            var d = LoadSome(dy[row] + column, width);
            g = V.MultiplyAdd(d, (LoadSome(source, width) - V.Broadcast(mean)) * V.Broadcast(r), g);
            b += d;
        }

        AddSome(dGain + column, g, width);
        if (dBias != null)
        {
            AddSome(dBias + column, b, width);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V LoadSome(T* source, int width) => width == V.Count ? V.Load(source) : V.LoadPartial(source, width);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddSome(T* target, V value, int width)
    {
        if (width == V.Count)
        {
            (V.Load(target) + value).Store(target);
        }
        else
        {
            (V.LoadPartial(target, width) + value).StorePartial(target, width);
        }
    }
}
