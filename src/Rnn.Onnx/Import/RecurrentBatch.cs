using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>What a direction gives: outputs [N, T, H], zero behind a row's end, and final states [N, H].</summary>
internal readonly record struct DirectionResult<T>(Tensor<T> Output, Tensor<T> Hidden, Tensor<T>? Cell)
    where T : unmanaged, IFloatingPointIeee754<T>;

/// <summary>The data of a recurrent node in a run, batch-first whatever the node's layout: what goes in, and the results of each direction.</summary>
internal sealed class RecurrentBatch<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly RecurrentSettings _settings;
    private readonly int _hiddenSize;
    private readonly Tensor<T>? _hidden;
    private readonly Tensor<T>? _cell;
    private readonly List<DirectionResult<T>> _results = [];

    private RecurrentBatch(RecurrentSettings settings, Tensor<T> input, int[] lengths, Tensor<T>? hidden, Tensor<T>? cell, int hiddenSize)
    {
        (_settings, Input, Lengths, _hidden, _cell, _hiddenSize) = (settings, input, lengths, hidden, cell, hiddenSize);
    }

    /// <summary>[N, T, I].</summary>
    internal Tensor<T> Input { get; }

    /// <summary>The valid steps of each row, or nothing where all are.</summary>
    internal int[] Lengths { get; }

    internal int Rows => Input.Shape[0];

    internal int Steps => Input.Shape[1];

    /// <summary>Reads and checks X, the lengths and the initial states.</summary>
    internal static RecurrentBatch<T> Read(NodeCall<T> call, RecurrentSettings settings, int inputSize, int hidden)
    {
        var x = call.Tensor(0);
        if (x.Rank != 3 || x.Shape[2] != inputSize)
        {
            throw new InvalidDataException($"an input X {x.Shape}; expected [{(settings.IsBatchFirst ? "batch, steps" : "steps, batch")}, {inputSize}]");
        }

        x = settings.IsBatchFirst ? x : Swapped(x, 0, 1);
        var (rows, steps) = (x.Shape[0], x.Shape[1]);
        call.Run.CheckElements((double)rows * steps * settings.Gates * hidden);
        int[] lengths = [];
        if (call.OptionalIntegers(RecurrentOperators.Lengths) is { } given)
        {
            if (given.Length != rows || given.Any(length => length < 0 || length > steps))
            {
                throw new InvalidDataException($"sequence_lens [{string.Join(", ", given.Take(8))}]; expected {rows} lengths from 0 to {steps}");
            }

            lengths = given.All(length => length == steps) ? [] : Array.ConvertAll(given, length => (int)length);
        }

        var first = Initial(call, RecurrentOperators.InitialHidden, settings, rows, hidden);
        var cell = settings.HasCellState ? Initial(call, RecurrentOperators.InitialCell, settings, rows, hidden) : null;
        return new(settings, x, lengths, first, cell, hidden);
    }

    /// <summary>The initial hidden state of a direction [N, H], or null for zeros.</summary>
    internal Tensor<T>? Hidden(int direction) => _hidden?.Select(0, direction);

    /// <summary>The initial cell state of a direction [N, H], or null for zeros.</summary>
    internal Tensor<T>? Cell(int direction) => _cell?.Select(0, direction);

    /// <summary>Adds the next direction. A row of no steps has final states of zeros, as other runtimes give.</summary>
    internal void Add(DirectionResult<T> result)
    {
        if (Lengths.Contains(0))
        {
            var mask = Tensor<T>.From(Array.ConvertAll(Lengths, length => length > 0 ? T.One : T.Zero), Rows, 1);
            result = result with { Hidden = result.Hidden * mask, Cell = result.Cell is null ? null : result.Cell * mask };
        }

        _results.Add(result);
    }

    /// <summary>Y, Y_h and, of an LSTM, Y_c in the node's layout.</summary>
    internal OnnxValue<T>?[] Outputs()
    {
        var output = Tensor<T>.Stack([.. _results.Select(result => _settings.IsBatchFirst ? result.Output : Swapped(result.Output, 0, 1))], _settings.IsBatchFirst ? 2 : 1);
        return [output, Stacked(result => result.Hidden), _settings.HasCellState ? Stacked(result => result.Cell!) : null];
    }

    /// <summary>The outputs where there are no rows or no steps.</summary>
    internal OnnxValue<T>?[] Empty()
    {
        for (var direction = 0; direction < _settings.Directions; direction++)
        {
            var zeros = Tensor<T>.Zeros(Rows, _hiddenSize);
            _results.Add(new(Tensor<T>.Zeros(Rows, Steps, _hiddenSize), zeros, zeros));
        }

        return Outputs();
    }

    /// <summary>Two dimensions exchanged; where one of them is 1 the elements stay where they are.</summary>
    internal static Tensor<T> Swapped(Tensor<T> x, int first, int second)
    {
        if (x.Shape[first] != 1 && x.Shape[second] != 1)
        {
            return x.Transpose(first, second);
        }

        var dimensions = x.Shape.Dimensions.ToArray();
        (dimensions[first], dimensions[second]) = (dimensions[second], dimensions[first]);
        return x.Reshape(new Shape(dimensions));
    }

    private static Tensor<T>? Initial(NodeCall<T> call, int input, RecurrentSettings settings, int rows, int hidden)
    {
        if (call.OptionalTensor(input) is not { } state)
        {
            return null;
        }

        var expected = settings.IsBatchFirst ? new Shape(rows, settings.Directions, hidden) : new Shape(settings.Directions, rows, hidden);
        return state.Shape != expected ? throw new InvalidDataException($"an initial state {state.Shape}; expected {expected}")
            : settings.IsBatchFirst ? Swapped(state, 0, 1) : state;
    }

    private OnnxValue<T> Stacked(Func<DirectionResult<T>, Tensor<T>> state) => Tensor<T>.Stack([.. _results.Select(state)], _settings.IsBatchFirst ? 1 : 0);
}
