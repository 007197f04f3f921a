using Rnn.Kernels;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Rnn.Layers.Engine;

/// <content>Layer normalisation, the expectation of zoneout and residual connections, one step at a time.</content>
internal sealed unsafe partial class StreamLayer<T>
{
    private readonly StepOptions _options;
    private readonly bool _addsInput;
    private readonly GateNormalization<T>? _normalization;
    private readonly int[] _gainSlots;
    private readonly int[] _gainVersions;
    private readonly object?[] _gainMemories;
    private readonly int _optionOffset;

    private bool NormalizesProducts => _normalization is { Plan.NormalizesProducts: true };

    // Behind each other: zeros for a missing bias, recurrent products, moments, output, gains.
    private T* NoBias => Base + _optionOffset;

    private T* Recurrent => NoBias + Round(_shape.Columns);

    private T* Moments => Recurrent + Round(_normalization!.Plan.RecurrentColumns);

    private T* Output => NoBias + Round(_shape.Columns)
        + (_normalization is null ? 0 : Round(_normalization.Plan.RecurrentColumns) + Round(_normalization.Plan.Moments));

    private T* Gains => Output + Round(_shape.OutputSize);

    private static int OptionMemory(CellShape shape, NormalizationPlan? plan)
    {
        var memory = Round(shape.Columns) + Round(shape.OutputSize);
        return plan is null
            ? memory
            : memory + Round(plan.RecurrentColumns) + Round(plan.Moments) + shape.Slots.Where(IsGain).Sum(slot => Round(slot.Blocks * shape.HiddenSize));
    }

    private static bool IsGain(WeightSlot slot) => slot.Kind is WeightKind.Gain or WeightKind.GainAndBias;

    private static int[] GainSlots(CellShape shape) => [.. Enumerable.Range(0, shape.Slots.Count).Where(slot => IsGain(shape.Slots[slot]))];

    private NormalizedRows<T> Normalized(Rows<T> columns) => _normalization is null
        ? default
        : new() { Count = 1, Fed = columns, Recurrent = new(Recurrent, 0), Moments = Moments };

    // Gains lie beside the states; copied anew where training has changed them.
    private void UpdateGains()
    {
        var to = Gains;
        for (var i = 0; i < _gainSlots.Length; i++)
        {
            var value = _values[_gainSlots[i]];
            if (_gainVersions[i] != value.Version || !ReferenceEquals(_gainMemories[i], value.Memory))
            {
                fixed (T* from = value.AsReadOnlySpan())
                {
                    Tiny<T>.CopyFlushed(from, to, value.Length);
                }

                (_gainVersions[i], _gainMemories[i]) = (value.Version, value.Memory);
                _normalization!.Bind(_gainSlots[i], to);
            }

            to += Round(value.Length);
        }
    }

    // What evaluation makes of zoneout: each state goes only a part of its way.
    private void Zone()
    {
        for (var state = 0; state < States; state++)
        {
            if (_options.Zoneout(state) > 0)
            {
                var next = new Span<T>(State(state, 1 - _parity), _shape.StateSize(state));
                TensorPrimitives.Lerp(next, new ReadOnlySpan<T>(State(state, _parity), next.Length), T.CreateTruncating(_options.Zoneout(state)), next);
                Tiny<T>.CopyFlushed(State(state, 1 - _parity), State(state, 1 - _parity), next.Length);
            }
        }
    }

    private ReadOnlySpan<T> AddInput(ReadOnlySpan<T> output, ReadOnlySpan<T> input)
    {
        if (!_addsInput)
        {
            return output;
        }

        var sum = new Span<T>(Output, output.Length);
        TensorPrimitives.Add(output, input, sum);
        return sum;
    }
}
