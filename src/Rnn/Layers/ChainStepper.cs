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

    public override void ResetRows(ReadOnlySpan<bool> rows)
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
            input = Step(i, input);
        }

        input.CopyTo(output);
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

    private ReadOnlySpan<T> Step(int index, ReadOnlySpan<T> input)
    {
        if (_steppers[index] is { } stepper)
        {
            var output = Output(index, stepper.OutputSize);
            stepper.Step(input, output);
            return output;
        }

        switch (_chain[index])
        {
            case Dropout<T>:
                return input;
            case Linear<T> linear:
                var product = Output(index, linear.OutputSize);
                linear.Product.Apply(input, linear.Weight, linear.Bias?.Value, product);
                return product;
            case var layer:
                using (Evaluation.Enter())
                using (NoGradient.Enter())
                {
                    return layer.Forward(Tensor<T>.From(input, Rows, 1, input.Length / Rows)).AsReadOnlySpan();
                }
        }
    }

    private Span<T> Output(int index, int size)
    {
        if (_outputs[index].Length < Rows * size)
        {
            _outputs[index] = new T[Rows * size];
        }

        return _outputs[index].AsSpan(0, Rows * size);
    }
}
