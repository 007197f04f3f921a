using Rnn.Cells;

namespace Rnn.Layers;

/// <content>Options that would do nothing: saying so is kinder than silence.</content>
internal static partial class RecurrentChecks
{
    private static void CheckEffects(int inputSize, int hiddenSize, RecurrentOptions options, int projectionSize, CellLayout layout)
    {
        var defaults = new RecurrentOptions();
        var sizes = options.HiddenSizes ?? Enumerable.Repeat(hiddenSize, options.Layers).ToArray();
        var hasMemoryGate = layout.Gates.Any(gate => gate.Role != GateRole.Other);
        var hasForgetBias = layout.Gates.Any(gate => gate.InitialBias != 0);
        ThrowIf(
            options.HiddenSizes is not null && options.Layers != 1 && options.Layers != sizes.Count,
            nameof(options.Layers), $"{options.Layers} layers but {sizes.Count} HiddenSizes; leave Layers out.");
        ThrowIf(
            options.Dropout > 0 && sizes.Count == 1,
            nameof(options.Dropout), "it acts between layers, and there is only one; use more Layers, or a Dropout layer after this one.");
        ThrowIf(
            options.Merge != DirectionMerge.Concatenate && !options.Bidirectional,
            nameof(options.Merge), "there is only one direction; set Bidirectional.");
        ThrowIf(
            options.CellZoneout > 0 && layout.States.Count < 2,
            nameof(options.CellZoneout), $"the cell '{layout.Name}' has no cell state.");
        ThrowIf(
            options.CellZoneout > 0 && layout.CellStatesBelongTogether,
            nameof(options.CellZoneout), $"the memory of the cell '{layout.Name}' is several states that belong together; use HiddenZoneout.");
        ThrowIf(
            options.RecurrentDropout > 0 && !layout.Products.Any(product => product.Source == Operand.Previous(0)),
            nameof(options.RecurrentDropout), $"the cell '{layout.Name}' has no product of its hidden state.");
        ThrowIf(
            options.WeightDrop > 0 && layout.Products.Count == 0,
            nameof(options.WeightDrop), $"the cell '{layout.Name}' has no recurrent matrix.");
        ThrowIf(
            options.Residual && !HasResidual(inputSize, sizes, options, projectionSize),
            nameof(options.Residual), "no layer's input and output have the same size, so nothing would be added.");
        if (options.Initialization == RecurrentInitialization.Chrono)
        {
            ThrowIf(!options.Bias, nameof(options.Initialization), "Chrono sets biases, and Bias is off.");
            ThrowIf(!hasMemoryGate, nameof(options.Initialization), $"the cell '{layout.Name}' has no forget, input or update gate that Chrono could set.");
            if (options.ChronoSteps < 2)
            {
                throw new ArgumentOutOfRangeException(nameof(options), options.ChronoSteps, $"ChronoSteps: expected 2 or more but got {options.ChronoSteps}.");
            }
        }
        else
        {
            ThrowIf(options.ChronoSteps != defaults.ChronoSteps, nameof(options.ChronoSteps), "it acts with Initialization = Chrono only.");
        }

        if (options.ForgetBias != defaults.ForgetBias)
        {
            ThrowIf(!options.Bias, nameof(options.ForgetBias), "Bias is off.");
            ThrowIf(!hasForgetBias, nameof(options.ForgetBias), $"no gate of the cell '{layout.Name}' starts with a raised bias.");
            ThrowIf(
                options.Initialization is RecurrentInitialization.Uniform or RecurrentInitialization.Chrono,
                nameof(options.ForgetBias), $"Initialization = {options.Initialization} sets the biases itself.");
        }
    }

    private static bool HasResidual(int inputSize, IReadOnlyList<int> sizes, RecurrentOptions options, int projectionSize)
    {
        var width = inputSize;
        var directions = options.Bidirectional && options.Merge is DirectionMerge.Concatenate or DirectionMerge.Separate ? 2 : 1;
        foreach (var size in sizes)
        {
            var output = (projectionSize > 0 ? projectionSize : size) * directions;
            if (output == width)
            {
                return true;
            }

            width = output;
        }

        return false;
    }

    private static void ThrowIf(bool condition, string option, string reason, string argument = "options")
    {
        if (condition)
        {
            throw new ArgumentException($"{option}: {reason}", argument);
        }
    }
}
