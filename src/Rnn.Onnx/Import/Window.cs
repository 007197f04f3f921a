using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>Where the windows of a convolution or pooling lie in its input [N, C, …]: strides, dilations and padding of each dimension.</summary>
internal sealed class Window
{
    private readonly int[] _kernel;
    private readonly int[] _dilations;
    private readonly int[] _before;
    private readonly int[] _after;

    /// <param name="attributes">The node's attributes.</param>
    /// <param name="input">The shape of the input.</param>
    /// <param name="kernel">The size of the window.</param>
    /// <param name="transposed">Whether the convolution is a transposed one, whose outputs are larger than its inputs.</param>
    /// <param name="rounds">Whether the attribute <c>ceil_mode</c> counts.</param>
    internal Window(NodeAttributes attributes, Shape input, ReadOnlySpan<int> kernel, bool transposed = false, bool rounds = false)
    {
        var rank = kernel.Length;
        _kernel = kernel.ToArray();
        (Strides, _dilations) = (Sizes(attributes.Ints("strides"), rank, 1), Sizes(attributes.Ints("dilations"), rank, 1));
        var pads = Sizes(attributes.Ints("pads"), 2 * rank, 0);
        (_before, _after, Outputs) = (pads[..rank], pads[rank..], new int[rank]);
        var automatic = attributes.String("auto_pad") ?? "NOTSET";
        var extra = Sizes(transposed ? attributes.Ints("output_padding") : null, rank, 0);
        var wanted = transposed ? attributes.Ints("output_shape") : null;
        for (var d = 0; d < rank; d++)
        {
            var (size, reach) = ((long)input[d + 2], ((_kernel[d] - 1L) * _dilations[d]) + 1);
            var total = automatic switch
            {
                "NOTSET" => -1L,
                "VALID" => 0,
                "SAME_UPPER" or "SAME_LOWER" when transposed => Math.Max(0, ((size - 1) * Strides[d]) + extra[d] + reach - (size * Strides[d])),
                "SAME_UPPER" or "SAME_LOWER" => Math.Max(0, ((((size + Strides[d] - 1) / Strides[d]) - 1) * Strides[d]) + reach - size),
                _ => throw new InvalidDataException($"the auto_pad '{automatic}' is not supported"),
            };
            if (wanted is not null)
            {
                var place = wanted.Length == rank ? d : d + wanted.Length - rank;
                total = place >= 0 ? ((size - 1) * Strides[d]) + extra[d] + reach - wanted[place] : throw new InvalidDataException("the output_shape has too few dimensions");
            }

            if (total is > int.MaxValue or < int.MinValue)
            {
                throw new InvalidDataException($"a padding of {total}");
            }

            if (total >= 0 || wanted is not null)
            {
                // The odd one goes behind, but before where the standard says so: SAME_LOWER, and output_shape without SAME_UPPER.
                var first = (int)(automatic == "SAME_LOWER" || (wanted is not null && automatic != "SAME_UPPER") ? total - (total / 2) : total / 2);
                (_before[d], _after[d]) = (first, (int)total - first);
            }

            if (transposed)
            {
                // The convolution that stands in for it: what is spread over, less what is cut off.
                (_before[d], _after[d]) = (checked((int)(reach - 1 - _before[d])), checked((int)(reach - 1 - _after[d] + extra[d])));
                continue;
            }

            var free = size + _before[d] + _after[d] - reach;
            var steps = free < 0 ? -1 : free / Strides[d];
            if (rounds && attributes.Flag("ceil_mode") && free >= 0 && free % Strides[d] != 0 && (steps + 1) * Strides[d] < size + _before[d])
            {
                steps++;
                _after[d] += (int)(Strides[d] - (free % Strides[d]));
            }

            Outputs[d] = (int)Math.Min(int.MaxValue, steps + 1);
        }
    }

    private Window(int[] kernel, int[] strides, int[] dilations, int[] before, int[] after, int[] outputs) =>
        (_kernel, Strides, _dilations, _before, _after, Outputs) = (kernel, strides, dilations, before, after, outputs);

    internal int[] Strides { get; }

    /// <summary>The number of windows along each dimension.</summary>
    internal int[] Outputs { get; }

    /// <summary>The number of windows.</summary>
    internal int OutputCount => new Shape(Outputs).ElementCount;

    /// <summary>The elements of a window.</summary>
    internal int Size => new Shape(_kernel).ElementCount;

    /// <summary>The window of the convolution that a transposed one becomes once its input has been spread.</summary>
    internal Window TransposedWindow(Shape spread, ReadOnlySpan<int> kernel)
    {
        var (outputs, ones) = (new int[kernel.Length], new int[kernel.Length]);
        Array.Fill(ones, 1);
        for (var d = 0; d < outputs.Length; d++)
        {
            var free = spread[d + 2] + (long)_before[d] + _after[d] - ((kernel[d] - 1L) * _dilations[d]);
            outputs[d] = free >= 0 ? checked((int)free) : throw new InvalidDataException($"an output of {free} elements along dimension {d + 2}");
        }

        return new(_kernel, ones, _dilations, _before, _after, outputs);
    }

    /// <summary>Where, along a dimension of the output of a transposed convolution, an input's part lies; outside of it for what is cut off.</summary>
    internal int Target(int dimension, int input, int kernel) =>
        (input * Strides[dimension]) + (kernel * _dilations[dimension]) - (((_kernel[dimension] - 1) * _dilations[dimension]) - _before[dimension]);

    /// <summary>The input with its padding.</summary>
    internal Tensor<T> Padded<T>(NodeCall<T> call, Tensor<T> x, T fill)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        long[] before = [0, 0, .. Array.ConvertAll(_before, pad => (long)pad)];
        long[] after = [0, 0, .. Array.ConvertAll(_after, pad => (long)pad)];
        return MovementOperators.Pad(call, x, before, after, Tensor<T>.Scalar(fill), "constant").Tensor;
    }

    /// <summary>The elements of every window: [N, C, windows, elements].</summary>
    internal Tensor<T> Patches<T>(Tensor<T> padded)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var strides = Broadcasting.Strides(new Shape(padded.Shape.Dimensions[2..]));
        var starts = Broadcasting.Strided(new Shape(Outputs), [.. strides.Select((stride, d) => stride * Strides[d])], 0);
        var offsets = Broadcasting.Strided(new Shape(_kernel), [.. strides.Select((stride, d) => stride * _dilations[d])], 0);
        var indices = new int[starts.Length * offsets.Length];
        for (var i = 0; i < indices.Length; i++)
        {
            indices[i] = starts[i / offsets.Length] + offsets[i % offsets.Length];
        }

        var (rows, channels) = (padded.Shape[0], padded.Shape[1]);
        var flat = padded.Reshape(rows, channels, new Shape(padded.Shape.Dimensions[2..]).ElementCount);
        return flat.IndexSelect(2, indices).Reshape(rows, channels, starts.Length, offsets.Length);
    }

    private static int[] Sizes(long[]? given, int count, int missing)
    {
        if (given is null)
        {
            var sizes = new int[count];
            Array.Fill(sizes, missing);
            return sizes;
        }

        return given.Length == count && given.All(size => size >= missing && size <= int.MaxValue)
            ? Array.ConvertAll(given, size => (int)size)
            : throw new InvalidDataException($"[{string.Join(", ", given)}] are not {count} sizes");
    }
}
