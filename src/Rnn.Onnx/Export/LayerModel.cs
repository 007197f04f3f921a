using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Onnx.Export;

/// <summary>A file for a single layer or a chain.</summary>
internal static class LayerModel
{
    internal static void Write<T>(ModelBuilder model, SequenceLayer<T> layer)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var x = model.Input("input", model.Batch, model.Steps, layer.InputSize);
        var output = ModelParts.Run(model, layer, x, model.Lengths());
        model.Output("output", output.Values, model.Batch, model.Steps, layer.OutputSize);
        model.NextStates(layer, output.States);
    }

    internal static void Write<T>(ModelBuilder model, Layer<T> layer)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ModelParts.RefuseStates(model, layer);
        var (shape, readsTokens) = InputOf(model, layer);
        var names = NamesOf(model, shape);
        var x = model.Input("input", readsTokens ? OnnxElementType.Int64 : model.Graph.ElementType, names);
        var lengths = model.Lengths();
        var output = layer is Sequential<T> chain && model.Options.Writers?.Find(layer) is null
            ? ChainWriter.Write(model.Graph, chain, x, lengths).Values
            : LayerWriter.Write(model.Graph, layer, x);
        model.Output("output", output, OutputShape(layer, shape, names));
    }

    // The dimensions of the input, −1 for any number, and whether it is tokens.
    private static (int[] Shape, bool ReadsTokens) InputOf<T>(ModelBuilder model, Layer<T> layer)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (size, readsTokens) = FirstSize(layer);
        if (model.Options.InputShape is { } given)
        {
            return given.Count > 0 && given.All(dimension => dimension is -1 or > 0)
                ? (given.ToArray(), readsTokens)
                : throw new ArgumentException($"InputShape: expected sizes of 1 or more, or -1 for any number, but got [{string.Join(", ", given)}].", nameof(layer));
        }

        if (readsTokens)
        {
            return ([-1, -1], true);
        }

        return size > 0
            ? (HasSteps(layer) ? [-1, -1, size] : [-1, size], false)
            : throw new ArgumentException($"InputShape: the size of the input cannot be told from this {layer.GetType().Name.Split('`')[0]}; set OnnxExportOptions.InputShape, such as [-1, 40].", nameof(layer));
    }

    // The size of the last dimension of what a layer reads; 0 for any, −1 where it cannot be told.
    private static (int Size, bool ReadsTokens) FirstSize<T>(Layer<T> layer)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        switch (layer)
        {
            case SequenceLayer<T> sequence:
                return (sequence.InputSize, false);
            case Linear<T> linear:
                return (linear.InputSize, false);
            case LayerNorm<T> norm:
                return (norm.Size, false);
            case RmsNorm<T> norm:
                return (norm.Size, false);
            case Standardization<T> standardization:
                return (standardization.Size, false);
            case AdaptiveSoftmax<T> softmax:
                return (softmax.InputSize, false);
            case Embedding<T>:
                return (0, true);
            case Dropout<T> or ActivationLayer<T> or LastStep<T>:
                return (0, false);
            case Sequential<T> chain:
                foreach (var part in chain)
                {
                    var found = FirstSize(part);
                    if (found.Size != 0 || found.ReadsTokens)
                    {
                        return found;
                    }
                }

                return (0, false);
            default:
                return (-1, false);
        }
    }

    private static bool HasSteps<T>(Module<T> module)
        where T : unmanaged, IFloatingPointIeee754<T> => module is SequenceLayer<T> or LastStep<T> || module.Children.Any(child => HasSteps(child.Value));

    private static Dimension[] NamesOf(ModelBuilder model, int[] shape)
    {
        Dimension[] variables = [model.Batch, model.Steps];
        var (names, count) = (new Dimension[shape.Length], 0);
        for (var i = 0; i < names.Length; i++)
        {
            names[i] = shape[i] > 0 ? shape[i] : count < variables.Length ? variables[count++] : FormattableString.Invariant($"size_{count++}");
        }

        return names;
    }

    // What a forward pass gives for sizes that differ says which dimension of the output follows which of the input.
    private static Dimension[] OutputShape<T>(Layer<T> layer, int[] shape, Dimension[] names)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var sizes = names.Select(name => name.Name is null ? name.Size : 2).ToArray();
        var first = ShapeFor(layer, sizes);
        var output = first.Select(size => (Dimension)size).ToArray();
        for (var i = 0; i < shape.Length; i++)
        {
            if (names[i].Name is not { } name)
            {
                continue;
            }

            sizes[i]++;
            var other = ShapeFor(layer, sizes);
            sizes[i]--;
            for (var j = 0; j < output.Length; j++)
            {
                output[j] = other[j] == first[j] ? output[j] : other[j] == sizes[i] + 1 && first[j] == sizes[i] ? name : $"{name}_out";
            }
        }

        return output;
    }

    private static int[] ShapeFor<T>(Layer<T> layer, int[] sizes)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var noGradient = NoGradient.Enter();
        return layer.Forward(Tensor<T>.Zeros(sizes)).Shape.Dimensions.ToArray();
    }
}
