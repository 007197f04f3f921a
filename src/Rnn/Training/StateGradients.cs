using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>The norms of ∂L/∂s_t, of the whole state and of each of its tensors.</summary>
internal static class StateGradients
{
    /// <summary>Measures them.</summary>
    /// <param name="layer">The layer that was run.</param>
    /// <param name="tail">Layers between its outputs and the loss.</param>
    /// <param name="track">Its states.</param>
    /// <param name="lengths">The length of each row.</param>
    /// <param name="options">The loss.</param>
    /// <returns>The curve of the whole state, then one for each tensor.</returns>
    internal static StateGradient[] Measure<T>(SequenceLayer<T> layer, Layer<T>[] tail, StateTrack<T> track, int[] lengths, GradientFlowOptions<T> options)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (steps, width, size) = (track.Output.Shape[1], layer.OutputSize, track.Size);
        var outputGradients = OutputGradients(tail, track.Output, lengths, options);

        // Where the output is a part of the state, its gradient is one of the state; elsewhere it enters on the way back through the step.
        var places = OutputPlaces(layer, track.Offsets);
        var curves = new double[track.Names.Count + 1][];
        for (var i = 0; i < curves.Length; i++)
        {
            curves[i] = new double[steps + 1];
            Array.Fill(curves[i], double.NaN);
        }

        // The gradients of the rows that run, as numbers of about one times a power of two for each.
        var (values, exponents) = (new T[lengths.Length * size], new int[lengths.Length]);
        for (var t = lengths.Max(); t >= 0; t--)
        {
            var rows = track.Rows(Math.Max(t, 1), lengths.Length);
            var gradients = new T[rows.Length * size];
            var outputs = places.Count == 0 && t > 0 ? new T[rows.Length * width] : [];
            for (var i = 0; i < rows.Length; i++)
            {
                var row = values.AsSpan(rows[i] * size, size);
                if (t > 0)
                {
                    var given = outputGradients.Slice(((rows[i] * steps) + t - 1) * width, width).ToArray();
                    var scaled = Align(row, ref exponents[rows[i]], given);
                    foreach (var place in places)
                    {
                        SpanKernels<T>.Add(scaled, row.Slice(place, width));
                    }

                    if (places.Count == 0)
                    {
                        scaled.CopyTo(outputs.AsSpan(i * width));
                    }
                }

                row.CopyTo(gradients.AsSpan(i * size));
            }

            AddNorms(curves, t, track.Offsets, gradients, rows, exponents);
            if (t > 0)
            {
                track.Back(t - 1, rows, gradients, outputs);
                for (var i = 0; i < rows.Length; i++)
                {
                    var row = values.AsSpan(rows[i] * size, size);
                    gradients.AsSpan(i * size, size).CopyTo(row);
                    exponents[rows[i]] += StateTrack<T>.Normalize(row);
                }
            }
        }

        var result = new StateGradient[curves.Length];
        for (var i = 0; i < result.Length; i++)
        {
            result[i] = i == 0 ? new("state", size, curves[0]) : new(track.Names[i - 1], track.Offsets[i] - track.Offsets[i - 1], curves[i]);
        }

        return result;
    }

    // ∂L/∂y [N, T, O].
    private static ReadOnlySpan<T> OutputGradients<T>(Layer<T>[] tail, Tensor<T> values, int[] lengths, GradientFlowOptions<T> options)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var output = values.Clone();
        output.RequiresGradient = true;
        var y = output;
        foreach (var layer in tail)
        {
            y = layer.Forward(y);
        }

        y = tail.Length > 0 && options.Lengths is not null ? StepMask.ClearPastEnds(y, lengths) : y;
        var loss = options.Loss is null ? LastOutputs(y, lengths, options.Seed) : options.Loss(y);
        if (loss is not { Length: 1, RequiresGradient: true })
        {
            throw new ArgumentException(loss is { Length: 1 } ? "Loss: its value does not depend on the outputs." : $"Loss: expected a tensor with one element but got {loss?.Shape.ToString() ?? "null"}.", nameof(options));
        }

        LeafGradients.Backward(loss, output);
        return output.Gradient is { } gradient ? gradient.AsReadOnlySpan() : throw new ArgumentException("Loss: its value does not depend on the outputs.", nameof(options));
    }

    // The sum over rows of the output after the last step times a random vector of length one.
    private static Tensor<T> LastOutputs<T>(Tensor<T> outputs, int[] lengths, ulong seed)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (steps, width) = (outputs.Shape[1], outputs.Shape[2]);
        var direction = new double[width];
        new RandomSource(seed).Split("direction of the loss").FillNormal<double>(direction);
        var length = Math.Sqrt(direction.Sum(value => value * value));
        var weights = Tensor<T>.Zeros(outputs.Shape);
        for (var row = 0; row < lengths.Length; row++)
        {
            for (var unit = 0; unit < width && lengths[row] > 0; unit++)
            {
                weights.AsSpan()[(((row * steps) + lengths[row] - 1) * width) + unit] = Element.From<T>(direction[unit] / length);
            }
        }

        return (outputs * weights).Sum();
    }

    // Where the parts of a state's vector begin whose sum is the layer's output: that of a recurrent layer is the hidden state of its top layer; where a layer adds its input, that is the one below. None where it is not known.
    private static List<int> OutputPlaces<T>(SequenceLayer<T> layer, int[] offsets)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var places = new List<int>();
        if ((layer is SequenceChain<T> { Count: > 0 } chain ? chain[^1] : layer) is RecurrentLayer<T> recurrent)
        {
            var states = recurrent.Layout.States.Count;
            for (var below = 1; below <= recurrent.LayerCount; below++)
            {
                places.Add(offsets[^((below * states) + 1)]);
                var shape = recurrent.ShapeOf(recurrent.LayerCount - below);
                if (!recurrent.Options.Residual || shape.InputSize != shape.OutputSize)
                {
                    break;
                }
            }
        }

        return places;
    }

    // Brings a row's gradient, values · 2^exponent, and another vector to one power of two; gives the other one.
    private static T[] Align<T>(Span<T> values, ref int exponent, T[] other)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (values.IndexOfAnyExcept(T.Zero) < 0)
        {
            exponent = StateTrack<T>.Normalize(other);
            return other;
        }

        if (other.AsSpan().IndexOfAnyExcept(T.Zero) >= 0)
        {
            var own = StateTrack<T>.Normalize(other);
            var common = Math.Max(exponent, own);
            StateTrack<T>.Scale(values, exponent - common);
            StateTrack<T>.Scale(other, own - common);
            exponent = common;
        }

        return other;
    }

    private static void AddNorms<T>(double[][] curves, int t, int[] offsets, T[] gradients, int[] rows, int[] exponents)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var curve = 0; curve < curves.Length; curve++)
        {
            var (start, end) = curve == 0 ? (0, offsets[^1]) : (offsets[curve - 1], offsets[curve]);
            var sum = 0.0;
            for (var i = 0; i < rows.Length; i++)
            {
                var squares = 0.0;
                foreach (var value in gradients.AsSpan((i * offsets[^1]) + start, end - start))
                {
                    squares += Element.ToDouble(value) * Element.ToDouble(value);
                }

                sum += Math.ScaleB(Math.Sqrt(squares), exponents[rows[i]]);
            }

            curves[curve][t] = sum / rows.Length;
        }
    }
}
