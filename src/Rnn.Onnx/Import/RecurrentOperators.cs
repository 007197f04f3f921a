using System.Numerics;

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

    internal static void Register<T>(OperatorSet<T> set)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (var name in new[] { "RNN", "GRU", "LSTM" })
        {
            set.AddSeveral(name, Run);
        }
    }

    /// <summary>Whether an operator is one of these.</summary>
    internal static bool IsRecurrent(string name) => name is "RNN" or "GRU" or "LSTM";

    /// <summary>Makes this library's layers of a node's constant weights; null where a weight is computed in the run.</summary>
    internal static RecurrentLayers<T>? Prepare<T>(NodeProgram<T> node, IReadOnlyList<OnnxValue<T>?> constants)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (w, r, b, p) = (Constant(1), Constant(2), Constant(Bias), Constant(Peephole));
        if (w is null || r is null || (b is null && IsGiven(Bias)) || (p is null && IsGiven(Peephole)))
        {
            return null;
        }

        var settings = new RecurrentSettings(node.Operator, node.Attributes);
        return new(settings, RecurrentWeights<T>.Check(settings, w.Floating, r.Floating, b?.Floating, settings.HasCellState ? p?.Floating : null));

        bool IsGiven(int input) => input < node.Inputs.Length && node.Inputs[input] >= 0;

        OnnxValue<T>? Constant(int input) => IsGiven(input) ? constants[node.Inputs[input]] : null;
    }

    private static OnnxValue<T>?[] Run<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var layers = call.Node.Prepared as RecurrentLayers<T>;
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
