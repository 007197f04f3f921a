using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>The steppers of a chain's sequence layers, and what stands between them.</summary>
internal sealed class ChainStepper<T> : SequenceStepper<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly SequenceChain<T> _chain;
    private readonly SequenceStepper<T>?[] _steppers;
    private readonly T[][] _outputs;

    internal ChainStepper(SequenceChain<T> chain, int rows)
        : base(chain, rows)
    {
        _chain = chain;
        _steppers = [.. chain.Select(layer => (layer as SequenceLayer<T>)?.CreateStepper(rows))];
        _outputs = new T[chain.Count][];
        Array.Fill(_outputs, []);
    }

    public override SequenceState<T> GetState()
    {
        var next = 0;
        return _chain.Join(Rows, _ =>
        {
            while (_steppers[next] is null)
            {
                next++;
            }

            return _steppers[next++]!.GetState();
        });
    }

    public override void Reset()
    {
        foreach (var stepper in _steppers)
        {
            stepper?.Reset();
        }
    }

    protected override void RestartRows(ReadOnlySpan<bool> rows)
    {
        foreach (var stepper in _steppers)
        {
            stepper?.ResetRows(rows);
        }
    }

    protected override void StepRows(ReadOnlySpan<T> input, Span<T> output)
    {
        for (var i = 0; i < _steppers.Length; i++)
        {
            var next = i == _steppers.Length - 1 ? output : Output(i);
            if (_steppers[i] is { } stepper)
            {
                stepper.Step(input, next);
            }
            else
            {
                _chain[i].StepRows(Rows, input, next);
            }

            input = next;
        }

        if (_steppers.Length == 0)
        {
            input.CopyTo(output);
        }
    }

    protected override void SetRows(SequenceState<T> state)
    {
        var parts = _chain.Split(state, nameof(state));
        var next = 0;
        foreach (var stepper in _steppers)
        {
            stepper?.SetState(parts[next++]);
        }
    }

    private Span<T> Output(int index)
    {
        var length = Rows * _chain.SizeAfter(index);
        if (_outputs[index].Length < length)
        {
            _outputs[index] = new T[length];
        }

        return _outputs[index].AsSpan(0, length);
    }
}
