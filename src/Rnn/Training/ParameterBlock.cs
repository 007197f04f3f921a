using System.Numerics;
using Rnn.Layers;

namespace Rnn.Training;

/// <summary>
/// All parameters of an optimiser moved into one contiguous block and their gradients into another, every parameter on a boundary of 64
/// bytes. The gaps between them hold zeros in both blocks, which every update rule leaves at zero. Each parameter keeps a version of its own.
/// </summary>
internal sealed unsafe class ParameterBlock<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AlignedArray<T> _values;
    private readonly AlignedArray<T> _gradients;

    /// <summary>Moves the parameters of the groups.</summary>
    internal ParameterBlock(IReadOnlyList<ParameterGroup<T>> groups)
    {
        var seen = new HashSet<Parameter<T>>();
        var memories = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var slots = new List<ParameterSlot<T>>();
        foreach (var group in groups)
        {
            foreach (var (name, parameter) in group.NamedParameters)
            {
                if (!seen.Add(parameter))
                {
                    throw new ArgumentException($"groups: the parameter {parameter} is in two groups; only one can update it.", nameof(groups));
                }

                if (!memories.Add(parameter.Value.Memory))
                {
                    throw new ArgumentException($"groups: the parameter {parameter} shares its memory with another; share the parameter itself instead.", nameof(groups));
                }

                slots.Add(new(name, parameter, group, Length));
                Length = slots[^1].End;
            }
        }

        // Where groups of several modules share names, the position tells them apart.
        if (slots.DistinctBy(slot => slot.Name).Count() < slots.Count)
        {
            foreach (var (i, slot) in slots.Index())
            {
                slot.Name = $"{i}.{slot.Name}";
            }
        }

        Slots = [.. slots];
        NamedParameters = slots.Select(slot => KeyValuePair.Create(slot.Name, slot.Parameter)).ToArray();
        _values = new(Length);
        _gradients = new(Length);
        foreach (var slot in Slots)
        {
            slot.Parameter.Value.MoveTo(_values.Array, _values.Start + slot.Offset, _gradients.Array, _gradients.Start + slot.Offset);
        }
    }

    /// <summary>The elements of the block, gaps included.</summary>
    internal int Length { get; }

    /// <summary>The parameters in their order in the block.</summary>
    internal ParameterSlot<T>[] Slots { get; }

    /// <summary>The parameters with their names, in the same order.</summary>
    internal IReadOnlyList<KeyValuePair<string, Parameter<T>>> NamedParameters { get; }

    /// <summary>The first parameter.</summary>
    internal T* Values => _values.Pointer;

    /// <summary>The first gradient.</summary>
    internal T* Gradients => _gradients.Pointer;

    /// <summary>Tells everyone who compares versions that all parameters have changed.</summary>
    internal void MarkChanged()
    {
        foreach (var slot in Slots)
        {
            slot.Parameter.Value.Memory.MarkWritten();
        }
    }

    /// <summary>Tells everyone who compares versions that the gradients have changed.</summary>
    internal void MarkGradientsWritten()
    {
        foreach (var slot in Slots)
        {
            slot.Parameter.Gradient?.Memory.MarkWritten();
        }
    }

    /// <summary>Throws if a parameter has since been attached to another optimiser, or is being edited.</summary>
    internal void CheckOwned()
    {
        foreach (var slot in Slots)
        {
            if (!slot.Parameter.Value.LiesIn(_values.Array, _values.Start + slot.Offset, _gradients.Array, _gradients.Start + slot.Offset))
            {
                throw new InvalidOperationException(
                    $"The parameter '{slot.Name}' was attached to another optimiser since; this one cannot update it any more.");
            }
        }
    }
}

/// <summary>The place of one parameter in a <see cref="ParameterBlock{T}"/>.</summary>
internal sealed class ParameterSlot<T>(string name, Parameter<T> parameter, ParameterGroup<T> group, int offset)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int Quantum = 16;

    /// <summary>Its dotted path.</summary>
    internal string Name { get; set; } = name;

    /// <summary>The parameter.</summary>
    internal Parameter<T> Parameter { get; } = parameter;

    /// <summary>The group whose options it follows.</summary>
    internal ParameterGroup<T> Group { get; } = group;

    /// <summary>The offset of its first element in the block.</summary>
    internal int Offset { get; } = offset;

    /// <summary>The updates that this parameter has had; frozen ones are not counted on.</summary>
    internal long Steps { get; set; }

    /// <summary>The offset behind its last element, rounded up.</summary>
    internal int End => checked(Offset + ((Parameter.Length + Quantum - 1) / Quantum * Quantum));
}
