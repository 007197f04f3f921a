using System.Numerics;
using Rnn.Layers.Engine;
using Rnn.Onnx.Import;

namespace Rnn.Onnx.Sessions;

/// <summary>A recurrent node over few steps: the library's steppers, one for each direction, whose states are set from the node's inputs and copied to its outputs.</summary>
internal sealed class RecurrentStep<T> : SessionStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Beyond so many steps one product of all inputs is quicker than one for each step, but where the weights stay in the first-level cache.
    private const int MostSteps = 8;
    private const int MostStepsOfFewWeights = 1024;
    private const int FewWeights = 8192;

    private readonly Stepper<T>[] _steppers;
    private readonly RecurrentSettings _settings;
    private readonly SessionValue<T> _input;
    private readonly SessionValue<T>?[] _initial;
    private readonly SessionValue<T>?[] _outputs;
    private readonly T[] _frame;
    private readonly T[] _output;
    private readonly int _rows;
    private readonly int _steps;
    private readonly int _width;
    private readonly int _hidden;

    private RecurrentStep(RecurrentLayers<T> layers, SessionValue<T> input, SessionValue<T>?[] initial, SessionValue<T>?[] outputs, int rows, int steps)
    {
        (_settings, _input, _initial, _outputs, _rows, _steps, _width, _hidden) = (layers.Settings, input, initial, outputs, rows, steps, layers.InputSize, layers.HiddenSize);
        _steppers = new Stepper<T>[layers.Settings.Directions];
        for (var direction = 0; direction < _steppers.Length; direction++)
        {
            _steppers[direction] = layers.Layer(direction).CreateEngineStepper(rows);
        }

        (_frame, _output) = (new T[rows * _width], new T[rows * _hidden]);
    }

    /// <summary>The step of a node, or null where it has too many steps or rows of other lengths.</summary>
    internal static RecurrentStep<T>? Create(NodeProgram<T> node, SessionValue<T>?[] inputs, SessionValue<T>?[] outputs)
    {
        if (node.Prepared is not RecurrentLayers<T> layers || inputs[0] is not { } input)
        {
            return null;
        }

        var settings = layers.Settings;
        var (steps, rows) = settings.IsBatchFirst ? (input.Shape[1], input.Shape[0]) : (input.Shape[0], input.Shape[1]);
        if (At(RecurrentOperators.Lengths) is { } lengths && !(lengths.IsConstant && Array.TrueForAll(lengths.Integers, length => length == steps)))
        {
            return null;
        }

        var weights = (long)settings.Gates * layers.HiddenSize * (layers.InputSize + layers.HiddenSize);
        return steps >= 1 && rows > 0 && steps <= (weights <= FewWeights ? MostStepsOfFewWeights : MostSteps)
            ? new(layers, input, [At(RecurrentOperators.InitialHidden), settings.HasCellState ? At(RecurrentOperators.InitialCell) : null], outputs, rows, steps)
            : null;

        SessionValue<T>? At(int place) => place < inputs.Length ? inputs[place] : null;
    }

    internal override void Run()
    {
        var directions = _steppers.Length;
        for (var direction = 0; direction < directions; direction++)
        {
            var stepper = _steppers[direction];
            stepper.Reset();
            for (var state = 0; state < stepper.States; state++)
            {
                if (_initial[state] is { } initial)
                {
                    stepper.CopyStateFrom(0, state, Gathered(initial.Read, direction, directions));
                }
            }

            for (var step = 0; step < _steps; step++)
            {
                var time = _settings.Reverses[direction] ? _steps - 1 - step : step;
                stepper.Step(Frame(time), _output);
                if (_outputs[0] is { } all)
                {
                    // [T, D, N, H], or batch-first [N, T, D, H].
                    Scatter(all.Write, _settings.IsBatchFirst ? (time * directions) + direction : ((time * directions) + direction) * _rows, _settings.IsBatchFirst ? _steps * directions : 1);
                }
            }

            for (var state = 0; state < stepper.States; state++)
            {
                if (state + 1 < _outputs.Length && _outputs[state + 1] is { } final)
                {
                    stepper.CopyStateTo(0, state, _output);
                    Scatter(final.Write, _settings.IsBatchFirst ? direction : direction * _rows, _settings.IsBatchFirst ? directions : 1);
                }
            }
        }
    }

    // The inputs of a step [N, I]: of [T, N, I] they lie side by side, of [N, T, I] not.
    private ReadOnlySpan<T> Frame(int time)
    {
        var input = _input.Read;
        if (!_settings.IsBatchFirst || _rows == 1)
        {
            return input.Slice(time * _frame.Length, _frame.Length);
        }

        for (var row = 0; row < _rows; row++)
        {
            input.Slice(((row * _steps) + time) * _width, _width).CopyTo(_frame.AsSpan(row * _width));
        }

        return _frame;
    }

    // A direction's state [N, H] of [D, N, H] or batch-first [N, D, H].
    private ReadOnlySpan<T> Gathered(ReadOnlySpan<T> states, int direction, int directions)
    {
        if (!_settings.IsBatchFirst)
        {
            return states.Slice(direction * _output.Length, _output.Length);
        }

        for (var row = 0; row < _rows; row++)
        {
            states.Slice(((row * directions) + direction) * _hidden, _hidden).CopyTo(_output.AsSpan(row * _hidden));
        }

        return _output;
    }

    // Rows of H from a place on, so many rows apart.
    private void Scatter(Span<T> target, int first, int distance)
    {
        for (var row = 0; row < _rows; row++)
        {
            _output.AsSpan(row * _hidden, _hidden).CopyTo(target[((first + (row * distance)) * _hidden)..]);
        }
    }
}
