using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Models;

/// <summary>The state of a model's stream: that of its sequence layer and, under names of its own, what the stream itself remembers.</summary>
internal static class StreamState<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const string Prefix = "stream.";

    /// <summary>Both in one state of one row.</summary>
    internal static SequenceState<T> Join(SequenceState<T> layer, params ReadOnlySpan<(string Name, T[] Values)> own)
    {
        var tensors = layer.Names.Zip(layer.Tensors, (name, tensor) => (name, tensor)).ToList();
        foreach (var (name, values) in own)
        {
            tensors.Add((Prefix + name, Tensor<T>.From(values, 1, values.Length)));
        }

        return new(1, [.. tensors]);
    }

    /// <summary>Gives a stepper its part, and what the stream itself remembers into arrays of the right lengths; where something does not fit nothing changes.</summary>
    /// <exception cref="ArgumentException">The state has not one row, lacks something, or has another size.</exception>
    internal static void Split(SequenceState<T> state, SequenceStepper<T> stepper, params ReadOnlySpan<(string Name, T[] Values)> own)
    {
        SequenceStepper<T>.CheckOneRow(state);
        foreach (var (name, values) in own)
        {
            var tensor = state.Find(Prefix + name) ?? throw new ArgumentException($"state: the tensor '{Prefix}{name}' is missing; give what GetState of a stream of this model gave.", nameof(state));
            if (tensor.Length != values.Length)
            {
                throw new ArgumentException($"state: expected {values.Length} numbers in '{Prefix}{name}' but got {tensor.Length}.", nameof(state));
            }
        }

        stepper.SetState(new(1, [.. state.Names.Zip(state.Tensors, (name, tensor) => (name, tensor)).Where(pair => !pair.name.StartsWith(Prefix, StringComparison.Ordinal))]));
        foreach (var (name, values) in own)
        {
            state.Find(Prefix + name)!.ToArray().CopyTo(values, 0);
        }
    }
}
