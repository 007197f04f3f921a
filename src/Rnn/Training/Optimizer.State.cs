using System.Globalization;
using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Training;

public abstract partial class Optimizer<T>
{
    private const string KindKey = "optimizer";
    private const string StepsKey = "optimizer_steps";

    /// <summary>
    /// Puts what the optimiser remembers between steps into a tree: enough to go on in another process to the same bits. Options such as the learning rate are not
    /// part of it. Nothing is copied.
    /// </summary>
    /// <param name="state">The tree. Tensors are named like <c>first_moment.lstm.weight</c> and have the shapes of their parameters.</param>
    /// <exception cref="InvalidOperationException">Nothing is attached.</exception>
    public void SaveState(StateTree<T> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        state.Set(KindKey, Kind);
        state.Set(StepsKey, string.Join(',', Block.Slots.Select(slot => slot.Steps.ToString(CultureInfo.InvariantCulture))));
        foreach (var (name, slot, values) in StateSlices())
        {
            state.Add(name, new(new Storage<T>(values.Array, values.Start + slot.Offset), slot.Parameter.Shape));
        }

        SaveNumbers(state);
    }

    /// <summary>Takes back what <see cref="SaveState"/> of an optimiser of the same kind, options and parameters saved.</summary>
    /// <param name="state">The tree; the optimiser must be attached.</param>
    /// <exception cref="ArgumentException">The state is of another kind, or its names or shapes are not this optimiser's; nothing has changed.</exception>
    /// <exception cref="InvalidOperationException">Nothing is attached.</exception>
    public void RestoreState(StateTree<T> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var slots = Block.Slots;
        var kind = state.Contains(KindKey) ? state.GetText(KindKey) : null;
        if (kind != Kind)
        {
            throw new ArgumentException($"state: expected the state of {Kind} but got that of {kind ?? "no optimiser"}.", nameof(state));
        }

        var saved = state.Contains(StepsKey) ? state.GetText(StepsKey) : string.Empty;
        var steps = saved.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(text => long.TryParse(text, CultureInfo.InvariantCulture, out var n) ? n : -1).ToArray();
        if (steps.Length != slots.Length || steps.Any(n => n < 0))
        {
            throw new ArgumentException($"state: expected {slots.Length} step counts in '{StepsKey}' but got '{saved}'.", nameof(state));
        }

        if (steps.Any(n => n > 0))
        {
            AllocateStates();
        }

        foreach (var (name, slot, _) in StateSlices())
        {
            if (state.FindTensor(name) is not { } tensor || tensor.Shape != slot.Parameter.Shape)
            {
                throw new ArgumentException(
                    $"state: expected '{name}' of shape {slot.Parameter.Shape} but it is {state.FindTensor(name)?.Shape.ToString() ?? "missing"}.", nameof(state));
            }
        }

        foreach (var (name, slot, values) in StateSlices())
        {
            state.FindTensor(name)!.AsReadOnlySpan().CopyTo(values.Slice(slot.Offset, slot.Parameter.Length));
        }

        for (var i = 0; i < slots.Length; i++)
        {
            slots[i].Steps = steps[i];
        }

        RestoreNumbers(state);
    }

    /// <summary>Adds an optimiser's own counters to a saved state.</summary>
    private protected virtual void SaveNumbers(StateValues state)
    {
    }

    /// <summary>Takes back what <see cref="SaveNumbers"/> added.</summary>
    private protected virtual void RestoreNumbers(StateValues state)
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

    private List<(string Name, ParameterSlot<T> Slot, AlignedArray<T> Values)> StateSlices()
    {
        var slices = new List<(string, ParameterSlot<T>, AlignedArray<T>)>();
        var names = StateNames;
        for (var i = 0; i < names.Length; i++)
        {
            if (names[i] is { } name && _states[i] is { } state)
            {
                slices.AddRange(Block.Slots.Select(slot => ($"{name}.{slot.Name}", slot, state)));
            }
        }

        return slices;
    }

    /// <summary>The kind, its options and its groups, which must be the same when a training is resumed.</summary>
    internal string Identity => string.Create(
        CultureInfo.InvariantCulture, $"{Kind}, LearningRate {LearningRate}, WeightDecay {WeightDecay}{Hyperparameters}{string.Concat(Groups.Select(Describe))}");

    /// <summary>The rule's own options with their names, each after a comma and a space; none unless overridden.</summary>
    private protected virtual FormattableString Hyperparameters => $"";

    private string Kind => GetType().Name.Split('`')[0];

    private static string Describe(ParameterGroup<T> group) => string.Create(
        CultureInfo.InvariantCulture, $"; {string.Join(' ', group.NamedParameters.Select(pair => pair.Key))} at {group.LearningRate} and {group.WeightDecay}");
}
