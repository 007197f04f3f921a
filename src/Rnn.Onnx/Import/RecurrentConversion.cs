using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>Weights in ONNX's order of gates to layers of this library.</summary>
internal static class RecurrentConversion
{
    // A block of ONNX's gates for each of ours. A coupled LSTM has f = 1 − i = σ(−·), the block of i with its sign turned, in the place of i.
    private static readonly int[] PlainOrder = [0];
    private static readonly int[] GruOrder = [1, 0, 2];
    private static readonly int[] LstmOrder = [0, 2, 3, 1];
    private static readonly int[] CoupledOrder = [0, 3, 1];

    // Peepholes are i, o, f there, and here i, f, o; coupled f, o.
    private static readonly int[] PeepholeOrder = [0, 2, 1];
    private static readonly int[] CoupledPeepholeOrder = [0, 1];

    /// <summary>The layer of a direction.</summary>
    internal static RecurrentLayer<T> Create<T>(RecurrentSettings settings, RecurrentWeights<T> weights, int direction)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var layer = MakeLayer<T>(settings, weights, direction);
        var size = weights.HiddenSize;
        int[] order = settings.Kind switch
        {
            RecurrentKind.Plain => PlainOrder,
            RecurrentKind.Gru => GruOrder,
            _ => settings.CouplesGates ? CoupledOrder : LstmOrder,
        };
        var negates = NegatesInput(settings, direction);
        Fill(layer, "weight_ih_l0", Blocks(Part(weights.Input, direction), order, size * weights.InputSize, negates));
        Fill(layer, "weight_hh_l0", Blocks(Part(weights.Recurrent, direction), order, size * size, negates));
        if (weights.Bias is { } bias)
        {
            Fill(layer, "bias_l0", Blocks(Biases(settings, Part(bias, direction), size), settings.ResetsAfter ? [.. order, 3] : order, size, negates));
        }

        if (weights.Peephole is { } peephole)
        {
            Fill(layer, "weight_peephole_l0", Blocks(Part(peephole, direction), settings.CouplesGates ? CoupledPeepholeOrder : PeepholeOrder, size, negates));
        }

        return layer;
    }

    private static RecurrentLayer<T> MakeLayer<T>(RecurrentSettings settings, RecurrentWeights<T> weights, int direction)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // Every weight is overwritten; uniform numbers are the quickest to make.
        var (inputs, size, reverse, bias) = (weights.InputSize, weights.HiddenSize, settings.Reverses[direction], weights.Bias is not null);
        const RecurrentInitialization Start = RecurrentInitialization.Uniform;
        var functions = Array.ConvertAll(settings.Activations[direction], activation => activation.ToFunction());
        return settings.Kind switch
        {
            RecurrentKind.Plain => new SimpleRnn<T>(inputs, size, new()
            {
                Activation = functions[0],
                ActivationClip = settings.Clip,
                Reverse = reverse,
                Bias = bias,
                Initialization = Start,
                Seed = 0,
            }),
            RecurrentKind.Gru => new Gru<T>(inputs, size, new()
            {
                GateActivation = functions[0],
                CandidateActivation = functions[1],
                ActivationClip = settings.Clip,
                ResetAfter = settings.ResetsAfter,
                Reverse = reverse,
                Bias = bias,
                Initialization = Start,
                Seed = 0,
            }),
            _ => new Lstm<T>(inputs, size, new()
            {
                GateActivation = functions[0],
                CandidateActivation = functions[1],
                OutputActivation = functions[2],
                ActivationClip = settings.Clip,
                Peepholes = weights.Peephole is null ? Peepholes.None : Peepholes.Diagonal,
                CoupledGates = NegatesInput(settings, direction),
                ForgetFromInput = settings.CouplesGates && !NegatesInput(settings, direction),
                Reverse = reverse,
                Bias = bias,
                Initialization = Start,
                Seed = 0,
            }),
        };
    }

    // f = 1 − σ(a) = σ(−a), as the coupled cell computes it; clipped or not.
    private static bool NegatesInput(RecurrentSettings settings, int direction) => settings.CouplesGates && settings.Activations[direction][0].Name == "sigmoid";

    private static ReadOnlySpan<T> Part<T>(Tensor<T> tensor, int direction)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var length = tensor.Length / tensor.Shape[0];
        return tensor.AsReadOnlySpan().Slice(direction * length, length);
    }

    // One bias a gate: Wb + Rb, but for the candidate of a GRU whose reset gate multiplies Rb.
    private static T[] Biases<T>(RecurrentSettings settings, ReadOnlySpan<T> both, int size)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (half, separate) = (both.Length / 2, settings.ResetsAfter);
        var biases = new T[half + (separate ? size : 0)];
        for (var i = 0; i < half; i++)
        {
            biases[i] = separate && i >= 2 * size ? both[i] : both[i] + both[half + i];
        }

        if (separate)
        {
            both[^size..].CopyTo(biases.AsSpan(half));
        }

        return biases;
    }

    private static T[] Blocks<T>(ReadOnlySpan<T> source, ReadOnlySpan<int> order, int length, bool negatesFirst)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var result = new T[order.Length * length];
        for (var i = 0; i < order.Length; i++)
        {
            source.Slice(order[i] * length, length).CopyTo(result.AsSpan(i * length));
        }

        for (var i = 0; i < length && negatesFirst; i++)
        {
            result[i] = -result[i];
        }

        return result;
    }

    private static void Fill<T>(RecurrentLayer<T> layer, string name, T[] values)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (var (parameterName, parameter) in layer.NamedParameters)
        {
            if (parameterName == name)
            {
                using var edit = parameter.Value.Edit();
                values.CopyTo(edit.Span);
                return;
            }
        }

        throw new InvalidOperationException($"the layer has no parameter '{name}'");
    }
}
