using System.Globalization;
using System.Numerics;
using Rnn.Cells;
using Rnn.Layers;

namespace Rnn.Onnx.Export;

/// <summary>The weights of one direction of one layer of a stack, by their names without layer and direction.</summary>
internal sealed class CellWeights<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Dictionary<string, Parameter<T>> _parameters;
    private readonly Dictionary<string, Matrix> _matrices = new(StringComparer.Ordinal);
    private readonly string _suffix;

    internal CellWeights(RecurrentLayer<T> layer, Dictionary<string, Parameter<T>> parameters, int index, int direction)
    {
        (Layer, _parameters) = (layer, parameters);
        HiddenSize = layer.HiddenSizes[index];
        _suffix = string.Create(CultureInfo.InvariantCulture, $"_l{index}{(direction == 1 ? "_reverse" : string.Empty)}");
    }

    internal RecurrentLayer<T> Layer { get; }

    internal CellLayout Layout => Layer.Layout;

    /// <summary>H.</summary>
    internal int HiddenSize { get; }

    /// <summary>The size of the output and of the hidden state.</summary>
    internal int OutputSize => Layer.ProjectionSize > 0 ? Layer.ProjectionSize : HiddenSize;

    internal bool HasBias => Layer.Options.Bias;

    /// <summary>A parameter, as a matrix of gate rows.</summary>
    internal Matrix this[string name]
    {
        get
        {
            if (!_matrices.TryGetValue(name, out var matrix))
            {
                matrix = Matrix.Of(_parameters[name + _suffix].Value);
                _matrices[name] = matrix;
            }

            return matrix;
        }
    }

    /// <summary>The parameter of a learned initial state [size], or null.</summary>
    internal Parameter<T>? Initial(string letter) => _parameters.GetValueOrDefault($"initial_{letter}{_suffix}");

    /// <summary>The width of a state: of the hidden state that of the output, of all others H.</summary>
    internal int StateSize(int state) => state == 0 ? OutputSize : HiddenSize;

    /// <summary>The place of a gate in the layout, by its letter.</summary>
    internal int Gate(string letter)
    {
        for (var gate = 0; gate < Layout.Gates.Count; gate++)
        {
            if (Layout.Gates[gate].Letter == letter)
            {
                return gate;
            }
        }

        return -1;
    }

    /// <summary>The rows of a gate in <c>weight_ih</c> or the bias, [H, columns].</summary>
    internal Matrix RowsOf(string parameter, string letter) => this[parameter].Slice(Gate(letter) * HiddenSize, HiddenSize);

    /// <summary>The rows that a gate is fed by in a matrix of recurrent products, [H, source].</summary>
    internal Matrix RecurrentRows(string letter)
    {
        var (gate, row) = (Gate(letter), 0);
        foreach (var product in Layout.Products)
        {
            if (gate >= product.FirstGate && gate < product.FirstGate + product.GateCount)
            {
                return this[product.Weight].Slice((row + gate - product.FirstGate) * HiddenSize, HiddenSize);
            }

            row += product.GateCount;
        }

        throw new ArgumentException($"letter: no product feeds the gate '{letter}'.", nameof(letter));
    }

    /// <summary>The per-unit weight of a letter [1, H].</summary>
    internal Matrix UnitRow(string letter)
    {
        var index = 0;
        while (Layout.UnitWeights[index].Letter != letter)
        {
            index++;
        }

        return this[Layout.UnitWeightName].Slice(index, 1);
    }
}
