using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>
/// Fourier transforms, windows and mel filters, which models contain that take a signal and not its spectrum. A transform is one product with a matrix of cosines and sines, kept with its node, so that
/// gradients flow through.
/// </summary>
internal static class SpectralOperators
{
    internal static void Register<T>(OperatorSet<T> set)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        set.Add("DFT", call => Transform(call));
        set.Add("STFT", call => ShortTime(call));
        set.Add("HannWindow", call => CosineWindow(call, 0.5, 0.5, 0));
        set.Add("HammingWindow", call => CosineWindow(call, 25.0 / 46, 21.0 / 46, 0));
        set.Add("BlackmanWindow", call => CosineWindow(call, 0.42, 0.5, 0.08));
        set.Add("MelWeightMatrix", call => MelWeights(call));
    }

    /// <summary>What STFT cuts out of its signal.</summary>
    internal readonly record struct Frames(int Count, int Length, int Step, int Bins);

    /// <summary>Reads the numbers of an STFT node and checks its signal, [N, L] or [N, L, 1].</summary>
    internal static Frames ReadFrames<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (signal, window) = (call.Tensor(0), call.OptionalTensor(2));
        if (signal.Rank is not (2 or 3) || (signal.Rank == 3 && signal.Shape[2] != 1))
        {
            throw new InvalidDataException($"a signal {signal.Shape}; expected real numbers [batch, length] or [batch, length, 1]");
        }

        var step = Only(call, 1);
        var length = call.Has(3) ? Only(call, 3) : window?.Length ?? throw new InvalidDataException("neither a window nor a frame_length is given");
        if (step < 1 || step > int.MaxValue || length < 1 || length > signal.Shape[1] || (window is not null && window.Length != length))
        {
            throw new InvalidDataException($"frames of {length} with a step of {step}{(window is null ? string.Empty : $" and a window {window.Shape}")} in a signal of {signal.Shape[1]}");
        }

        return new(1 + (int)((signal.Shape[1] - length) / step), (int)length, (int)step, call.Attributes.Int("onesided", 1) != 0 ? (int)(length / 2) + 1 : (int)length);
    }

    /// <summary>e^(∓2πi·nk/N) of real numbers as a matrix [N, 2·bins]: of each bin the real part, then the imaginary one.</summary>
    internal static Tensor<T> RealMatrix<T>(NodeCall<T> call, int length, int bins, bool inverse)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        call.Run.CheckElements(2.0 * length * bins);
        return Kept(call, (length, bins, inverse), () =>
        {
            var values = new T[2 * length * bins];
            for (var n = 0; n < length; n++)
            {
                for (var k = 0; k < bins; k++)
                {
                    // The product is reduced to one turn before it loses digits.
                    var (sine, cosine) = double.SinCosPi(2.0 * ((long)n * k % length) / length);
                    values[((n * bins) + k) * 2] = T.CreateTruncating(cosine);
                    values[(((n * bins) + k) * 2) + 1] = T.CreateTruncating(inverse ? sine : -sine);
                }
            }

            return Tensor<T>.From(values, length, 2 * bins);
        });
    }

    private static OnnxValue<T> ShortTime<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var frames = ReadFrames(call);
        var signal = call.Tensor(0);
        var rows = signal.Shape[0];
        call.Run.CheckElements((double)rows * frames.Count * Math.Max(frames.Length, 2 * frames.Bins));
        var places = new int[frames.Count * frames.Length];
        for (var i = 0; i < places.Length; i++)
        {
            places[i] = (i / frames.Length * frames.Step) + (i % frames.Length);
        }

        var cut = signal.Reshape(rows, signal.Shape[1]).IndexSelect(1, places).Reshape(rows * frames.Count, frames.Length);
        cut = call.OptionalTensor(2) is { } window ? cut * window.Reshape(frames.Length) : cut;
        return cut.MatMul(RealMatrix(call, frames.Length, frames.Bins, inverse: false)).Reshape(rows, frames.Count, frames.Bins, 2);
    }

    private static OnnxValue<T> Transform<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var x = call.Tensor(0);
        if (x.Rank < 2 || x.Shape[-1] is not (1 or 2))
        {
            throw new InvalidDataException($"an input {x.Shape}; expected real numbers […, 1] or complex ones […, 2]");
        }

        var axis = NodeCall<T>.Axis(call.Opset >= 20 ? (call.Has(2) ? Only(call, 2) : -2) : call.Attributes.Int("axis", 1), x.Rank);
        var (inverse, oneSided) = (call.Attributes.Flag("inverse"), call.Attributes.Flag("onesided"));
        if (axis == x.Rank - 1 || (inverse && oneSided))
        {
            throw new InvalidDataException(inverse && oneSided ? "an inverse transform of one side is not supported" : $"the axis {axis} is that of real and imaginary parts");
        }

        var size = call.Has(1) ? Only(call, 1) : x.Shape[axis];
        if (size is < 1 or > int.MaxValue)
        {
            throw new InvalidDataException($"a transform of {size} numbers");
        }

        var (length, bins) = ((int)size, oneSided ? (int)(size / 2) + 1 : (int)size);

        // The axis goes to the end of the real and of the imaginary parts: […, length].
        int[] order = [.. Enumerable.Range(0, x.Rank - 1).Where(d => d != axis), axis, x.Rank - 1];
        int[] back = [.. Enumerable.Range(0, x.Rank - 1).Select(d => d < axis ? d : d == axis ? x.Rank - 2 : d - 1), x.Rank - 1];
        var moved = Resized(call, x.Permute(order), length);
        var outer = moved.Shape.Dimensions[..^2].ToArray();
        var rows = new Shape(outer).ElementCount;
        call.Run.CheckElements(2.0 * rows * bins);
        var flat = moved.Reshape(rows, length, x.Shape[-1]);
        var matrix = RealMatrix(call, length, bins, inverse);
        var spectrum = flat.Select(2, 0).MatMul(matrix).Reshape(rows, bins, 2);
        if (x.Shape[-1] == 2)
        {
            // i·(c + is) = −s + ic.
            var imaginary = flat.Select(2, 1).MatMul(matrix).Reshape(rows, bins, 2);
            spectrum += Tensor<T>.Stack([imaginary.Select(2, 1).Negate(), imaginary.Select(2, 0)], 2);
        }

        spectrum = inverse ? spectrum.Divide(T.CreateTruncating(length)) : spectrum;
        return spectrum.Reshape([.. outer, bins, 2]).Permute(back);
    }

    // The dimension before the last cut or filled up with zeros.
    private static Tensor<T> Resized<T>(NodeCall<T> call, Tensor<T> x, int length)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (axis, missing) = (x.Rank - 2, length - x.Shape[-2]);
        if (missing <= 0)
        {
            return missing == 0 ? x : x.Slice(axis, ..length);
        }

        var zeros = x.Shape.Dimensions.ToArray();
        zeros[axis] = missing;
        _ = call.Shape(Array.ConvertAll(zeros, dimension => (long)dimension));
        return Tensor<T>.Concat([x, Tensor<T>.Zeros(new Shape(zeros))], axis);
    }

    private static OnnxValue<T> CosineWindow<T>(NodeCall<T> call, double constant, double first, double second)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var size = (int)call.Shape([Only(call, 0)]).ElementCount;
        var period = call.Attributes.Int("periodic", 1) != 0 ? size : Math.Max(1, size - 1);
        var values = new T[size];
        for (var n = 0; n < size; n++)
        {
            values[n] = T.CreateTruncating(constant - (first * double.CosPi(2.0 * n / period)) + (second * double.CosPi(4.0 * n / period)));
        }

        return ArithmeticOperators.Cast<T>(Tensor<T>.From(values), (OnnxElementType)call.Attributes.Int("output_datatype", (long)OnnxElementType.Float));
    }

    // Triangles over the bins of a spectrum whose corners lie at equal distances on the mel scale.
    private static OnnxValue<T> MelWeights<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (filters, length, rate) = (Only(call, 0), Only(call, 1), Only(call, 2));
        var (low, high) = (Mel(Real(call, 3)), Mel(Real(call, 4)));
        if (filters < 1 || length < 1 || rate < 1)
        {
            throw new InvalidDataException($"{filters} mel filters for transforms of {length} at {rate} Hz");
        }

        var shape = call.Shape([(length / 2) + 1, filters]);
        var corners = new int[filters + 2];
        for (var i = 0; i < corners.Length; i++)
        {
            var hertz = 700 * (Math.Pow(10, (low + (i * (high - low) / (filters + 2))) / 2595) - 1);
            corners[i] = (int)Math.Clamp(Math.Floor((length + 1) * hertz / rate), 0, int.MaxValue);
        }

        var weights = Tensor<T>.Zeros(shape);
        using (var edit = weights.Edit())
        {
            for (var i = 0; i < filters; i++)
            {
                var (left, middle, right) = (corners[i], corners[i + 1], corners[i + 2]);
                for (var bin = left; bin <= middle && bin < shape[0]; bin++)
                {
                    edit.Span[(int)((bin * filters) + i)] = middle == left ? T.One : T.CreateTruncating((double)(bin - left) / (middle - left));
                }

                for (var bin = middle; bin < right && bin < shape[0]; bin++)
                {
                    edit.Span[(int)((bin * filters) + i)] = T.CreateTruncating((double)(right - bin) / (right - middle));
                }
            }
        }

        return ArithmeticOperators.Cast<T>(weights, (OnnxElementType)call.Attributes.Int("output_datatype", (long)OnnxElementType.Float));

        static double Mel(double hertz) => 2595 * Math.Log10(1 + (hertz / 700));
    }

    private static Tensor<T> Kept<T>(NodeCall<T> call, (int, int, bool) key, Func<Tensor<T>> make)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // Threads that make it at the same time make the same.
        if (call.Node.Prepared is KeptMatrix<T> kept && kept.Key == key)
        {
            return kept.Matrix;
        }

        var matrix = make();
        call.Node.Prepared = new KeptMatrix<T>(key, matrix);
        return matrix;
    }

    private static long Only<T>(NodeCall<T> call, int input)
        where T : unmanaged, IFloatingPointIeee754<T> => call.Integers(input) is [var number] ? number : throw new InvalidDataException($"expected one number but got {call.Value(input)}");

    private static double Real<T>(NodeCall<T> call, int input)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        call.Tensor(input) is { Length: 1 } value ? double.CreateTruncating(value.AsReadOnlySpan()[0]) : throw new InvalidDataException($"expected one number but got {call.Value(input)}");

    private sealed record KeptMatrix<T>((int, int, bool) Key, Tensor<T> Matrix)
        where T : unmanaged, IFloatingPointIeee754<T>;
}
