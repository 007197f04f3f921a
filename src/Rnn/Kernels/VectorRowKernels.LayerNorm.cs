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
            if (kept.InverseDeviation != null)
            {
                kept.InverseDeviation[row] = r;
            }

            if (kept.Mean != null)
            {
                kept.Mean[row] = mean;
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
            Moments(source, dy[row], columns, gain, mean, r, out var sum, out var product);
            InputGradient(
                source, dy[row], dx[row], columns, gain, mean, r, kept.InverseDeviation[row], sum * minusInverseCount, product * minusInverseCount, accumulate);
        }
    }

    /// <inheritdoc/>
    public override void LayerNormParameters(
        Rows<T> x, in NormKept<T> kept, Rows<T> dy, int rows, T* dGain, T* dBias, int firstColumn, int endColumn)
    {
        var column = firstColumn;
        for (; column <= endColumn - V.Count; column += V.Count)
        {
            var gain = V.Load(dGain + column);
            var bias = dBias == null ? V.Zero : V.Load(dBias + column);
            ParameterColumn(x, kept, dy, rows, column, V.Count, ref gain, ref bias);
            gain.Store(dGain + column);
            if (dBias != null)
            {
                bias.Store(dBias + column);
            }
        }

        if (column < endColumn)
        {
            var rest = endColumn - column;
            var gain = V.LoadPartial(dGain + column, rest);
            var bias = dBias == null ? V.Zero : V.LoadPartial(dBias + column, rest);
            ParameterColumn(x, kept, dy, rows, column, rest, ref gain, ref bias);
            gain.StorePartial(dGain + column, rest);
            if (dBias != null)
            {
                bias.StorePartial(dBias + column, rest);
            }
        }
    }

    // x̂ = (source − mean)·r: where x̂ itself was kept, with mean 0 and r = 1.
    private static T* Source(Rows<T> x, in NormKept<T> kept, int row, out T mean, out T r)
    {
        var isKept = kept.Normalised.Start != null;
        mean = isKept ? T.Zero : kept.Mean[row];
        r = isKept ? T.One : kept.InverseDeviation[row];
        return isKept ? kept.Normalised[row] : x[row];
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

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
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

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
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
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
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

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
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

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void ParameterColumn(Rows<T> x, in NormKept<T> kept, Rows<T> dy, int rows, int column, int width, ref V gain, ref V bias)
    {
        var (g, b) = (gain, bias);
        for (var row = 0; row < rows; row++)
        {
            var source = Source(x, kept, row, out var mean, out var r) + column;
            var d = width == V.Count ? V.Load(dy[row] + column) : V.LoadPartial(dy[row] + column, width);
            var value = width == V.Count ? V.Load(source) : V.LoadPartial(source, width);
            g = V.MultiplyAdd(d, (value - V.Broadcast(mean)) * V.Broadcast(r), g);
            b += d;
        }

        (gain, bias) = (g, b);
    }
}
