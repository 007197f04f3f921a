using System.Numerics;
using Rnn.Layers;

namespace Rnn.Keras;

/// <summary>The weights of one layer between Keras' arrays and ours: kernels are transposed, gates are in another order, two biases of a GRU are one vector of four blocks.</summary>
internal static class KerasLayerWeights<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Fills a layer.</summary>
    /// <exception cref="InvalidDataException">There are other weights, or such of other shapes.</exception>
    /// <exception cref="NotSupportedException">Keras has no such layer.</exception>
    internal static void Fill(Module<T> layer, KerasWeightGroup group, string name, KerasConfig? config = null)
    {
        switch (layer)
        {
            case RecurrentLayer<T> recurrent:
                FillRecurrent(recurrent, group, name, config);
                break;
            case Linear<T> linear:
                var dense = group.Arrays(config, linear.Bias is null ? 1 : 2);
                Set(linear.Weight, Transposed(dense[0].Expect(name, "the kernel", linear.InputSize, linear.OutputSize).Read<T>(), linear.OutputSize));
                SetVector(linear.Bias, dense, 1, name, "the bias");
                break;
            case Embedding<T> embedding:
                Set(embedding.Weight, group.Arrays(config, 1)[0].Expect(name, "the table", embedding.Count, embedding.Size).Read<T>());
                break;
            case LayerNorm<T> norm:
                var parameters = group.Arrays(config, (norm.Weight is null ? 0 : 1) + (norm.Bias is null ? 0 : 1));
                SetVector(norm.Weight, parameters, 0, name, "gamma");
                SetVector(norm.Bias, parameters, parameters.Length - 1, name, "beta");
                break;
            default:
                throw new NotSupportedException($"layer: Keras' files have no weights for {layer.GetType().Name}; recurrent layers, Linear, Embedding and LayerNorm can be filled.");
        }
    }

    /// <summary>The number of gates of a layer of Keras.</summary>
    internal static int Gates(RecurrentLayer<T> layer) => Kind(layer) switch { "lstm" => 4, "gru" => 3, _ => 1 };

    /// <summary>The weights of one direction of a layer as Keras has them: kernel, recurrent kernel, bias.</summary>
    internal static List<(int[] Shape, T[] Values)> Export(RecurrentLayer<T> layer, int direction)
    {
        var (units, gates, kind) = (layer.HiddenSize, Gates(layer), Kind(layer));
        var suffix = direction == 0 ? "_l0" : "_l0_reverse";
        var from = Order(kind);
        var arrays = new List<(int[] Shape, T[] Values)>
        {
            ([layer.InputSize, gates * units], Transposed(Reordered(Values(layer, $"weight_ih{suffix}"), Inverse(from)), layer.InputSize)),
            ([units, gates * units], Transposed(Reordered(Values(layer, $"weight_hh{suffix}"), Inverse(from)), units)),
        };
        if (!layer.Options.Bias)
        {
            return arrays;
        }

        var bias = Values(layer, $"bias{suffix}");
        if (bias.Length == gates * units)
        {
            arrays.Add(([gates * units], Reordered(bias, Inverse(from))));
            return arrays;
        }

        // r, z, n, m become [z, r, h] of the input and [0, 0, h] of the recurrent product.
        var both = new T[2 * gates * units];
        Reordered(bias[..(gates * units)], Inverse(from)).CopyTo(both, 0);
        bias[(gates * units)..].CopyTo(both, both.Length - units);
        arrays.Add(([2, gates * units], both));
        return arrays;
    }

    /// <summary>A matrix [rows, columns] with rows and columns changed.</summary>
    internal static T[] Transposed(T[] values, int columns)
    {
        var rows = columns == 0 ? 0 : values.Length / columns;
        var result = new T[values.Length];
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
            {
                result[(column * rows) + row] = values[(row * columns) + column];
            }
        }

        return result;
    }

    // The kind of cell that both libraries have.
    private static string Kind(RecurrentLayer<T> layer)
    {
        var name = layer.Layout.Name;
        var kind = name.StartsWith("lstm", StringComparison.Ordinal) && layer.Layout.GateOrder == "ifgo" && layer.Layout.UnitWeights.Count == 0 && layer.Layout.Products.Count == 1 ? "lstm"
            : name.StartsWith("gru", StringComparison.Ordinal) && !name.Contains("replacing", StringComparison.Ordinal) ? "gru"
            : name.StartsWith("rnn-", StringComparison.Ordinal) ? "rnn" : null;
        return kind is null || layer.Layout.NormalizesProducts || layer.LayerCount != 1 || layer.ProjectionSize > 0 || layer.Options.Heads != 1 || layer.Options.Residual
            ? throw new NotSupportedException($"layer: Keras has no layer as '{layer.Layout.Name}' with {layer.LayerCount} layers; single layers of LSTM, GRU and SimpleRnn without peepholes, projection, heads, residual connection and layer normalisation are the same.")
            : kind;
    }

    private static void FillRecurrent(RecurrentLayer<T> layer, KerasWeightGroup group, string name, KerasConfig? config)
    {
        if (layer.Directions == 1)
        {
            FillDirection(layer, string.Empty, group.Part("cell"), name, config);
            return;
        }

        FillDirection(layer, string.Empty, group.Part("forward_layer", 0, 2).Part("cell"), name, config);
        FillDirection(layer, "_reverse", group.Part("backward_layer", 1, 2).Part("cell"), name, config);
    }

    private static void FillDirection(RecurrentLayer<T> layer, string suffix, KerasWeightGroup group, string name, KerasConfig? config)
    {
        var (units, inputs, gates, kind) = (layer.HiddenSize, layer.InputSize, Gates(layer), Kind(layer));
        var resetAfter = layer.Layout.Gates.Count == 4 && kind == "gru";
        var hasBias = layer.Options.Bias;
        var old = 3 * gates;
        var arrays = gates > 1 && hasBias ? group.Arrays(config, 3, old) : group.Arrays(config, hasBias ? 3 : 2);
        T[] kernel, recurrent, bias;
        if (arrays.Length == old && gates > 1)
        {
            (kernel, recurrent, bias) = ReadOld(arrays, kind, inputs, units, name);
        }
        else
        {
            kernel = Transposed(arrays[0].Expect(name, "the kernel", inputs, gates * units).Read<T>(), gates * units);
            recurrent = Transposed(arrays[1].Expect(name, "the recurrent kernel", units, gates * units).Read<T>(), gates * units);
            bias = !hasBias ? [] : resetAfter
                ? arrays[2].Expect(name, "the bias", 2, gates * units).Read<T>()
                : arrays[2].Expect(name, "the bias", gates * units).Read<T>();
        }

        var order = Order(kind);
        Set(Parameter(layer, $"weight_ih_l0{suffix}"), Reordered(kernel, order));
        Set(Parameter(layer, $"weight_hh_l0{suffix}"), Reordered(recurrent, order));
        if (!hasBias)
        {
            return;
        }

        if (!resetAfter)
        {
            Set(Parameter(layer, $"bias_l0{suffix}"), Reordered(bias, order));
            return;
        }

        // The biases of z and r are added up; that of the candidate's recurrent product is a block of its own.
        var whole = new T[4 * units];
        for (var unit = 0; unit < units; unit++)
        {
            whole[unit] = bias[units + unit] + bias[(4 * units) + unit];
            whole[units + unit] = bias[unit] + bias[(3 * units) + unit];
            whole[(2 * units) + unit] = bias[(2 * units) + unit];
            whole[(3 * units) + unit] = bias[(5 * units) + unit];
        }

        Set(Parameter(layer, $"bias_l0{suffix}"), whole);
    }

    // Keras 1 has a kernel, a recurrent kernel and a bias for each gate, of an LSTM in the order i, c, f, o. Gives all in the order of Keras 2, transposed.
    private static (T[] Kernel, T[] Recurrent, T[] Bias) ReadOld(HdfArray[] arrays, string kind, int inputs, int units, string name)
    {
        int[] places = kind == "lstm" ? [0, 2, 1, 3] : [0, 1, 2];
        var (kernel, recurrent, bias) = (new List<T>(), new List<T>(), new List<T>());
        foreach (var place in places)
        {
            kernel.AddRange(Transposed(arrays[3 * place].Expect(name, "a kernel", inputs, units).Read<T>(), units));
            recurrent.AddRange(Transposed(arrays[(3 * place) + 1].Expect(name, "a recurrent kernel", units, units).Read<T>(), units));
            bias.AddRange(arrays[(3 * place) + 2].Expect(name, "a bias", units).Read<T>());
        }

        return ([.. kernel], [.. recurrent], [.. bias]);
    }

    // Where each of our gates stands in Keras: an LSTM has i, f, c, o as we have; a GRU z, r, h where we have r, z, n.
    private static int[] Order(string kind) => kind switch { "lstm" => [0, 1, 2, 3], "gru" => [1, 0, 2], _ => [0] };

    private static int[] Inverse(int[] order) => [.. Enumerable.Range(0, order.Length).Select(place => Array.IndexOf(order, place))];

    private static T[] Reordered(T[] values, int[] order)
    {
        var block = values.Length / order.Length;
        var result = new T[values.Length];
        for (var i = 0; i < order.Length; i++)
        {
            Array.Copy(values, order[i] * block, result, i * block, block);
        }

        return result;
    }

    private static T[] Values(RecurrentLayer<T> layer, string name) => Parameter(layer, name).Value.ToArray();

    private static Parameter<T> Parameter(RecurrentLayer<T> layer, string name) => layer.NamedParameters.First(pair => pair.Key == name).Value;

    private static void SetVector(Parameter<T>? parameter, HdfArray[] arrays, int index, string name, string what)
    {
        if (parameter is not null)
        {
            Set(parameter, arrays[index].Expect(name, what, parameter.Length).Read<T>());
        }
    }

    private static void Set(Parameter<T> parameter, T[] values)
    {
        using var edit = parameter.Value.Edit();
        values.CopyTo(edit.Span);
    }
}
