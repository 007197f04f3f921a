using System.Numerics;
using System.Text.Json;
using Rnn.Cells;
using Rnn.Layers;

namespace Rnn.Models;

/// <summary>A recurrent layer without its weights as JSON, so that a model file says how to build it.</summary>
internal static class RecurrentDescription
{
    /// <summary>Writes the members of an object that has begun.</summary>
    internal static void Write<T>(Utf8JsonWriter writer, RecurrentLayer<T> layer)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var options = layer.Options;
        writer.WriteString("cell", layer.Layout.Name);
        writer.WriteNumber("input_size", layer.InputSize);
        writer.WriteStartArray("hidden_sizes");
        foreach (var size in layer.HiddenSizes)
        {
            writer.WriteNumberValue(size);
        }

        writer.WriteEndArray();
        writer.WriteNumber("projection_size", layer.ProjectionSize);
        writer.WriteBoolean("bidirectional", options.Bidirectional);
        writer.WriteBoolean("reverse", options.Reverse);
        writer.WriteString("merge", MergeName(options.Merge));
        writer.WriteBoolean("bias", options.Bias);
        writer.WriteBoolean("residual", options.Residual);
        writer.WriteBoolean("learned_initial_state", options.LearnedInitialState);
        writer.WriteNumber("dropout", options.Dropout);
        writer.WriteNumber("recurrent_dropout", options.RecurrentDropout);
        writer.WriteNumber("hidden_zoneout", options.HiddenZoneout);
        writer.WriteNumber("cell_zoneout", options.CellZoneout);
        writer.WriteNumber("weight_drop", options.WeightDrop);
    }

    /// <summary>Builds the layer that an object describes, with weights that are still to be loaded.</summary>
    /// <param name="element">The object.</param>
    /// <param name="vocabularySize">The number of tokens whose embeddings the layer reads.</param>
    /// <param name="tied">Whether the output layer has no weights of its own.</param>
    /// <param name="elements">How many weights the file has, so that a damaged description does not end in a huge allocation.</param>
    /// <exception cref="JsonException">The cell is none of the built-in ones, or the sizes are beyond the weights.</exception>
    internal static RecurrentLayer<T> Read<T>(JsonElement element, int vocabularySize, bool tied, long elements)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var cell = element.GetProperty("cell").GetString();
        if (cell is null || !CellCatalog.Contains(cell))
        {
            throw new JsonException(
                $"the cell '{cell}' is none of the built-in ones ({string.Join(", ", CellCatalog.Names)}); for a cell of your own make the layer yourself and give it to Open");
        }

        int[] sizes = [.. element.GetProperty("hidden_sizes").EnumerateArray().Select(size => size.GetInt32())];
        var inputSize = element.GetProperty("input_size").GetInt32();
        var projectionSize = element.GetProperty("projection_size").GetInt32();
        CheckSize(CellCatalog.Layout(cell), inputSize, sizes, projectionSize, vocabularySize, tied, elements);

        var options = new RecurrentOptions
        {
            HiddenSizes = sizes,
            Layers = sizes.Length,
            Bidirectional = element.GetProperty("bidirectional").GetBoolean(),
            Reverse = element.GetProperty("reverse").GetBoolean(),
            Merge = MergeOf(element.GetProperty("merge").GetString()),
            Bias = element.GetProperty("bias").GetBoolean(),
            Residual = element.GetProperty("residual").GetBoolean(),
            LearnedInitialState = element.GetProperty("learned_initial_state").GetBoolean(),
            Dropout = element.GetProperty("dropout").GetDouble(),
            RecurrentDropout = element.GetProperty("recurrent_dropout").GetDouble(),
            HiddenZoneout = element.GetProperty("hidden_zoneout").GetDouble(),
            CellZoneout = element.GetProperty("cell_zoneout").GetDouble(),
            WeightDrop = element.GetProperty("weight_drop").GetDouble(),

            // The weights are read from the file: the cheapest start will do.
            Initialization = RecurrentInitialization.Uniform,
        };
        return RecurrentLayer<T>.Create(
            cell, inputSize, sizes.Length == 0 ? 0 : sizes[^1], options, projectionSize);
    }

    /// <summary>Refuses a layer of the user's that is not what an object describes, and a number of tokens that the file has no weights for.</summary>
    /// <exception cref="JsonException">The cell is another, or the sizes are beyond the weights.</exception>
    internal static void CheckGiven<T>(JsonElement element, RecurrentLayer<T> layer, int vocabularySize, bool tied, long elements)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var cell = element.GetProperty("cell").GetString();
        if (cell != layer.Layout.Name)
        {
            throw new JsonException($"recurrent: expected a layer of the cell '{cell}', which the file was saved with, but got one of '{layer.Layout.Name}'");
        }

        // The layer itself exists; what is still to be made are the embedding and the output layer.
        CheckSize(layer.Layout, layer.InputSize, [], layer.OutputSize, vocabularySize, tied, elements);
    }

    // In double: a product of sizes from a damaged file is beyond any whole number. Biases and the like are left out.
    private static void CheckSize(
        CellLayout layout, int inputSize, int[] sizes, int projectionSize, int vocabularySize, bool tied, long elements)
    {
        var weights = (double)vocabularySize * inputSize;
        double width = inputSize;
        foreach (var size in sizes)
        {
            double output = projectionSize > 0 ? projectionSize : size;
            weights += (double)layout.InputGates * size * width;
            foreach (var product in layout.Products)
            {
                weights += (double)product.GateCount * size * (product.Source is { Kind: not OperandKind.Intermediate, Index: 0 } ? output : size);
            }

            width = output;
        }

        weights += tied ? 0 : vocabularySize * (sizes.Length == 0 ? projectionSize : width);
        if (weights > elements)
        {
            throw new JsonException($"an embedding of {vocabularySize} tokens and a layer of {inputSize}{string.Concat(sizes.Select(size => $" → {size}"))} have more weights than the file");
        }
    }

    private static string MergeName(DirectionMerge merge) => merge switch
    {
        DirectionMerge.Sum => "sum",
        DirectionMerge.Mean => "mean",
        DirectionMerge.Separate => "separate",
        _ => "concatenate",
    };

    private static DirectionMerge MergeOf(string? name) => name switch
    {
        "concatenate" => DirectionMerge.Concatenate,
        "sum" => DirectionMerge.Sum,
        "mean" => DirectionMerge.Mean,
        "separate" => DirectionMerge.Separate,
        _ => throw new JsonException($"the merge '{name}' is unknown"),
    };
}
