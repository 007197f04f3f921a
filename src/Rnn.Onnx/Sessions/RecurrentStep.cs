using System.Numerics;
using Rnn.Layers.Engine;
using Rnn.Onnx.Import;

namespace Rnn.Onnx.Sessions;

/// <summary>A recurrent node over few steps: the library's steppers, one for each direction, whose states are set from the node's inputs and copied to its outputs.</summary>
internal sealed class RecurrentStep<T> : SessionStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Beyond so many steps one product of all inputs is quicker than one for each step.
    private const int MostSteps = 8;

    private readonly Stepper<T>[] _steppers;
    private readonly SessionValue<T> _input;
    private readonly SessionValue<T>?[] _initial;
    private readonly SessionValue<T>?[] _outputs;
    private readonly T[] _unread;
    private readonly int _steps;
    private readonly int _size;

    private RecurrentStep(RecurrentLayers<T> layers, SessionValue<T> input, SessionValue<T>?[] initial, SessionValue<T>?[] outputs, int rows, int steps)
    {
        (_input, _initial, _outputs, _steps, _size) = (input, initial, outputs, steps, rows * layers.HiddenSize);
        _steppers = new Stepper<T>[layers.Settings.Directions];
        for (var direction = 0; direction < _steppers.Length; direction++)
        {
            _steppers[direction] = layers.Layer(direction).CreateEngineStepper(rows);
        }

        _unread = new T[_size];
    }

    /// <summary>The step of a node, or null where it has too many steps, rows of other lengths, or runs back over several steps.</summary>
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

        var ordered = !settings.IsBatchFirst || rows == 1 || (steps == 1 && settings.Directions == 1);
        return steps is >= 1 and <= MostSteps && rows > 0 && ordered && (steps == 1 || !settings.Reverses.Contains(true))
            ? new(layers, input, [At(RecurrentOperators.InitialHidden), settings.HasCellState ? At(RecurrentOperators.InitialCell) : null], outputs, rows, steps)
            : null;

        SessionValue<T>? At(int place) => place < inputs.Length ? inputs[place] : null;
    }

    internal override void Run()
    {
        var width = _input.Length / _steps;
        for (var direction = 0; direction < _steppers.Length; direction++)
        {
            var stepper = _steppers[direction];
            stepper.Reset();
            for (var state = 0; state < stepper.States; state++)
            {
                if (_initial[state] is { } initial)
                {
                    stepper.CopyStateFrom(0, state, initial.Read.Slice(direction * _size, _size));
                }
            }

            for (var step = 0; step < _steps; step++)
            {
                var output = _outputs[0] is { } all ? all.Write.Slice(((step * _steppers.Length) + direction) * _size, _size) : _unread;
                stepper.Step(_input.Read.Slice(step * width, width), output);
            }

            for (var state = 0; state < stepper.States; state++)
            {
                if (state + 1 < _outputs.Length && _outputs[state + 1] is { } final)
                {
                    stepper.CopyStateTo(0, state, final.Write.Slice(direction * _size, _size));
                }
            }
        }
    }
}
