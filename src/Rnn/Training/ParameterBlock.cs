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
        var ambiguous = slots.GroupBy(slot => slot.Name).Any(sameName => sameName.Count() > 1);
        Slots = ambiguous ? [.. slots.Select((slot, i) => slot with { Name = $"{i}.{slot.Name}" })] : [.. slots];
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

    /// <summary>Refuses to go on when another optimiser has taken a parameter away, or while one is being edited.</summary>
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
/// <param name="Name">Its dotted path.</param>
/// <param name="Parameter">The parameter.</param>
/// <param name="Group">The group whose options it follows.</param>
/// <param name="Offset">The offset of its first element in the block.</param>
internal sealed record ParameterSlot<T>(string Name, Parameter<T> Parameter, ParameterGroup<T> Group, int Offset)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int Quantum = 16;

    /// <summary>The updates that this parameter has had; frozen parameters are not counted on.</summary>
    internal long Steps { get; set; }

    /// <summary>The offset behind its last element, rounded up.</summary>
    internal int End => checked(Offset + ((Parameter.Length + Quantum - 1) / Quantum * Quantum));
}
