using System.Numerics;
using System.Text.Json;
using Rnn.Cells;

namespace Rnn.Layers;

/// <summary>The description of a recurrent layer of any cell.</summary>
internal static class RecurrentDescription
{
    internal const string Type = "recurrent";

    // Written where there are several; files from before heads were an option have none.
    private const string HeadsKey = "heads";
    private const string ClipKey = "activation_clip";

    internal static void Write<T>(DescriptionWriter writer, RecurrentLayer<T> layer)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var options = layer.Options;
        writer.Write("cell", layer.Layout.Name);
        WriteActivations(writer, layer.Activations);
        writer.Write("input_size", layer.InputSize);
        writer.Write("hidden_sizes", layer.HiddenSizes);
        writer.Write("projection_size", layer.ProjectionSize);
        if (options.Heads != 1)
        {
            writer.Write(HeadsKey, options.Heads);
        }

        writer.Write("bidirectional", options.Bidirectional);
        writer.Write("reverse", options.Reverse);
        writer.Write("merge", MergeName(options.Merge));
        writer.Write("bias", options.Bias);
        writer.Write("residual", options.Residual);
        writer.Write("learned_initial_state", options.LearnedInitialState);
        writer.Write("dropout", options.Dropout);
        writer.Write("recurrent_dropout", options.RecurrentDropout);
        writer.Write("hidden_zoneout", options.HiddenZoneout);
        writer.Write("cell_zoneout", options.CellZoneout);
        writer.Write("weight_drop", options.WeightDrop);
    }

    /// <summary>Builds the layer, with weights that are still to be loaded.</summary>
    /// <exception cref="JsonException">The cell is none of the built-in ones, or the sizes are beyond the weights.</exception>
    internal static RecurrentLayer<T> Read<T>(DescriptionReader reader)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var cell = reader.GetString("cell");
        var layout = CellCatalog.Contains(cell) ? CellCatalog.Layout(cell) : ActivatedCells.Layout(cell);
        if (layout is null)
        {
            throw new JsonException(
                $"the cell '{cell}' is none of the built-in ones ({string.Join(", ", CellCatalog.Names)}); for a cell of your own make the layer yourself and give it to Open");
        }

        var sizes = reader.GetIntegers("hidden_sizes");
        var inputSize = reader.GetInt32("input_size");
        var projectionSize = reader.GetInt32("projection_size");
        var heads = reader.Has(HeadsKey) ? reader.GetInt32(HeadsKey) : 1;
        reader.CountWeights(Weights(layout, inputSize, sizes, projectionSize, heads));
        var options = new RecurrentOptions
        {
            HiddenSizes = sizes,
            LayerNormalization = CellCatalog.IsNormalized(cell),
            Layers = sizes.Length,
            Heads = heads,
            Bidirectional = reader.GetBoolean("bidirectional"),
            Reverse = reader.GetBoolean("reverse"),
            Merge = MergeOf(reader.GetString("merge")),
            Bias = reader.GetBoolean("bias"),
            Residual = reader.GetBoolean("residual"),
            LearnedInitialState = reader.GetBoolean("learned_initial_state"),
            Dropout = reader.GetDouble("dropout"),
            RecurrentDropout = reader.GetDouble("recurrent_dropout"),
            HiddenZoneout = reader.GetDouble("hidden_zoneout"),
            CellZoneout = reader.GetDouble("cell_zoneout"),
            WeightDrop = reader.GetDouble("weight_drop"),

            // The weights are read from the file: the cheapest start will do.
            Initialization = RecurrentInitialization.Uniform,
        };
        var activations = CellCatalog.Contains(cell) ? null : ReadActivations(reader);
        return new(
            activations is null ? CellCatalog.Create<T>(cell) : ActivatedCells.Create(cell, activations.Rows<T>()), inputSize, sizes.Length == 0 ? 0 : sizes[^1], options,
            projectionSize, activations);
    }

    /// <summary>Refuses a layer of the user's that is of another cell than the one described.</summary>
    /// <exception cref="JsonException">The cell is another.</exception>
    internal static void CheckGiven<T>(DescriptionReader described, SequenceLayer<T> given)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var cell = described.Type == Type ? described.GetString("cell") : null;
        var actual = (given as RecurrentLayer<T>)?.Layout.Name;
        if (cell != actual)
        {
            throw new JsonException(
                $"layer: expected {(cell is null ? "a layer that is not recurrent" : $"a layer of the cell '{cell}'")}, which the file was saved with, but got {(actual is null ? "one that is not recurrent" : $"one of '{actual}'")}");
        }
    }

    private static void WriteActivations(DescriptionWriter writer, CellActivations? activations)
    {
        if (activations is null)
        {
            return;
        }

        writer.Write("gate_activation", activations.Gate.ToString());
        writer.Write("candidate_activation", activations.Candidate.ToString());
        writer.Write("output_activation", activations.Output.ToString());
        if (activations.Clip is { } clip)
        {
            writer.Write(ClipKey, clip);
        }
    }

    private static CellActivations ReadActivations(DescriptionReader reader) => new()
    {
        Gate = ActivationFunction.Parse(reader.GetString("gate_activation")),
        Candidate = ActivationFunction.Parse(reader.GetString("candidate_activation")),
        Output = ActivationFunction.Parse(reader.GetString("output_activation")),
        Clip = reader.Has(ClipKey) ? reader.GetDouble(ClipKey) : null,
    };

    // In double: a product of sizes from a damaged file is beyond any whole number. Biases and the like, and second directions, are left out.
    private static double Weights(CellLayout layout, int inputSize, int[] sizes, int projectionSize, int heads)
    {
        var weights = 0.0;
        double width = inputSize;
        foreach (var size in sizes)
        {
            double output = projectionSize > 0 ? projectionSize : size;
            weights += (double)layout.InputGates * size * width;
            foreach (var product in layout.Products)
            {
                weights += (double)product.GateCount * size * (product.Source is { Kind: not OperandKind.Intermediate, Index: 0 } ? output : size) / Math.Max(1, heads);
            }

            width = output;
        }

        return weights;
    }

    private static string MergeName(DirectionMerge merge) => merge switch
    {
        DirectionMerge.Sum => "sum",
        DirectionMerge.Mean => "mean",
        DirectionMerge.Separate => "separate",
        _ => "concatenate",
    };

    private static DirectionMerge MergeOf(string name) => name switch
    {
        "concatenate" => DirectionMerge.Concatenate,
        "sum" => DirectionMerge.Sum,
        "mean" => DirectionMerge.Mean,
        "separate" => DirectionMerge.Separate,
        _ => throw new JsonException($"the merge '{name}' is unknown"),
    };
}
