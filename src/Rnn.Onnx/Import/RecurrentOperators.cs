using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>RNN, GRU and LSTM with every attribute.</summary>
internal static class RecurrentOperators
{
    // The inputs behind X, W and R.
    internal const int Bias = 3;
    internal const int Lengths = 4;
    internal const int InitialHidden = 5;
    internal const int InitialCell = 6;
    internal const int Peephole = 7;

    /// <summary>The LSTM whose weights are numbers of 8 bits; W and R are [D, I, G·H] and [D, H, G·H] there.</summary>
    internal const string Quantized = "DynamicQuantizeLSTM";

    // Of the quantised operator: scale and zero point of W, then those of R.
    private const int InputScale = 8;
    private const int RecurrentScale = 10;

    internal static void Register<T>(OperatorSet<T> set)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (var name in new[] { "RNN", "GRU", "LSTM" })
        {
            set.AddSeveral(name, Run);
        }
    }

    /// <summary>Whether an operator is one of these.</summary>
    internal static bool IsRecurrent(string name) => name is "RNN" or "GRU" or "LSTM" or Quantized;

    /// <summary>Makes this library's layers of a node's constant weights; null where a weight is computed in the run.</summary>
    internal static RecurrentLayers<T>? Prepare<T>(NodeProgram<T> node, IReadOnlyList<OnnxValue<T>?> constants)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var isQuantized = node.Operator == Quantized;
        var (w, r) = isQuantized ? (Dequantized(1, InputScale), Dequantized(2, RecurrentScale)) : (Constant(1), Constant(2));
        var (b, p) = (Constant(Bias), Constant(Peephole));
        if (w is null || r is null || (b is null && IsGiven(Bias)) || (p is null && IsGiven(Peephole)))
        {
            return null;
        }

        var settings = new RecurrentSettings(node.Operator, node.Attributes);
        return new(settings, RecurrentWeights<T>.Check(settings, w.Floating, r.Floating, b?.Floating, settings.HasCellState ? p?.Floating : null));

        bool IsGiven(int input) => input < node.Inputs.Length && node.Inputs[input] >= 0;

        OnnxValue<T>? Constant(int input) => IsGiven(input) ? constants[node.Inputs[input]] : null;

        // One scale for a direction, or one for each column.
        OnnxValue<T>? Dequantized(int input, int scales)
        {
            if (Constant(input) is not { Rank: 3 } weights || Constant(scales) is not { IsFloatingPoint: true } scale || (Constant(scales + 1) is null && IsGiven(scales + 1)))
            {
                return null;
            }

            var factors = Spread(scale.Tensor);
            var numbers = ArithmeticOperators.Cast(weights, OnnxElementType.Float).Tensor;
            var centred = Constant(scales + 1) is { } zero ? numbers - Spread(ArithmeticOperators.Cast(zero, OnnxElementType.Float).Tensor) : numbers;
            return (centred * factors).Transpose(1, 2);

            Tensor<T> Spread(Tensor<T> each) => each.Rank == 2 ? each.Unsqueeze(1) : each.Reshape(each.Length, 1, 1);
        }
    }

    /// <summary>Runs a recurrent node.</summary>
    internal static OnnxValue<T>?[] Run<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var layers = call.Node.Prepared as RecurrentLayers<T>;
        if (layers is null && call.Node.Operator == Quantized)
        {
            throw new InvalidDataException("weights that are computed in the run are not supported here");
        }

        var settings = layers?.Settings ?? new RecurrentSettings(call.Node.Operator, call.Attributes);
        var weights = layers is not null ? null : RecurrentWeights<T>.Check(
            settings, call.Tensor(1), call.Tensor(2), call.OptionalTensor(Bias), settings.HasCellState ? call.OptionalTensor(Peephole) : null);
        var (inputSize, hidden) = weights is null ? (layers!.InputSize, layers.HiddenSize) : (weights.InputSize, weights.HiddenSize);
        var batch = RecurrentBatch<T>.Read(call, settings, inputSize, hidden);
        if (batch.Steps == 0 || batch.Rows == 0)
        {
            return batch.Empty();
        }

        for (var direction = 0; direction < settings.Directions; direction++)
        {
            batch.Add(layers?.Forward(batch, direction) ?? ComposedRecurrence.Forward(batch, direction, settings, weights!));
        }

        return batch.Outputs();
    }
}
