using System.Globalization;
using Rnn.Tensors;

namespace Rnn.Training;

public abstract partial class Optimizer<T>
{
    private const string KindKey = "optimizer";
    private const string StepsKey = "optimizer_steps";

    /// <summary>Copies out what the optimiser remembers.</summary>
    /// <exception cref="InvalidOperationException">Nothing is attached.</exception>
    public OptimizerState<T> SaveState()
    {
        var tensors = new Dictionary<string, Tensor<T>>(StringComparer.Ordinal);
        foreach (var (name, slot, values) in StateSlices())
        {
            tensors.Add(name, new Tensor<T>(new Storage<T>(values.ToArray()), slot.Parameter.Shape));
        }

        var numbers = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [KindKey] = Kind,
            [StepsKey] = string.Join(',', Block.Slots.Select(slot => slot.Steps.ToString(CultureInfo.InvariantCulture))),
        };
        SaveNumbers(numbers);
        return new(tensors, numbers);
    }

    /// <summary>Puts back what <see cref="SaveState"/> copied out of an optimiser of the same kind, options and parameters.</summary>
    /// <param name="state">The state; the optimiser must be attached.</param>
    /// <exception cref="ArgumentException">The state is of another kind, or its names or shapes are not this optimiser's; nothing has changed.</exception>
    /// <exception cref="InvalidOperationException">Nothing is attached.</exception>
    public void RestoreState(OptimizerState<T> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var slots = Block.Slots;
        if (!state.Numbers.TryGetValue(KindKey, out var kind) || kind != Kind)
        {
            throw new ArgumentException($"state: expected the state of {Kind} but got that of {kind ?? "no optimiser"}.", nameof(state));
        }

        var steps = state.Numbers.GetValueOrDefault(StepsKey)?.Split(',').Select(text => long.TryParse(text, CultureInfo.InvariantCulture, out var n) ? n : -1).ToArray();
        if (steps is null || steps.Length != slots.Length || steps.Any(n => n < 0))
        {
            throw new ArgumentException($"state: expected {slots.Length} step counts in '{StepsKey}' but got '{state.Numbers.GetValueOrDefault(StepsKey)}'.", nameof(state));
        }

        if (steps.Any(n => n > 0))
        {
            AllocateStates();
        }

        foreach (var (name, slot, _) in StateSlices())
        {
            if (!state.Tensors.TryGetValue(name, out var tensor) || tensor.Shape != slot.Parameter.Shape)
            {
                throw new ArgumentException($"state: expected '{name}' of shape {slot.Parameter.Shape} but it is {tensor?.Shape.ToString() ?? "missing"}.", nameof(state));
            }
        }

        foreach (var (name, _, values) in StateSlices())
        {
            state.Tensors[name].AsReadOnlySpan().CopyTo(values.Span);
        }

        for (var i = 0; i < slots.Length; i++)
        {
            slots[i].Steps = steps[i];
        }

        RestoreNumbers(state.Numbers);
    }

    /// <summary>Adds an optimiser's own counters to a saved state.</summary>
    private protected virtual void SaveNumbers(Dictionary<string, string> numbers)
    {
    }

    /// <summary>Takes back what <see cref="SaveNumbers"/> added.</summary>
    private protected virtual void RestoreNumbers(IReadOnlyDictionary<string, string> numbers)
    {
    }

    /// <summary>Exchanges the parameters that have been updated with one of their states.</summary>
    private protected void SwapWithState(int index)
    {
        Block.CheckOwned();
        foreach (var slot in Block.Slots.Where(slot => slot.Steps > 0))
        {
            var values = slot.Parameter.Value.AsSpan();
            var state = _states[index]!.Slice(slot.Offset, slot.Parameter.Length);
            for (var i = 0; i < values.Length; i++)
            {
                (values[i], state[i]) = (state[i], values[i]);
            }
        }
    }

    private IEnumerable<(string Name, ParameterSlot<T> Slot, Memory<T> Values)> StateSlices()
    {
        var names = StateNames.ToArray();
        for (var i = 0; i < names.Length; i++)
        {
            if (names[i] is not null && _states[i] is { } state)
            {
                foreach (var slot in Block.Slots)
                {
                    yield return ($"{names[i]}.{slot.Name}", slot, state.Array.AsMemory(state.Start + slot.Offset, slot.Parameter.Length));
                }
            }
        }
    }

    private string Kind => GetType().Name.Split('`')[0];
}
