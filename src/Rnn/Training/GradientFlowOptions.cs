using System.Numerics;
using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>What <see cref="GradientFlow"/> measures.</summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class GradientFlowOptions<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>
    /// The loss L: a number computed from the layer's output [N, T, O], zeros past the end of each row. Null for the sum over rows of the output after the last step times a fixed random vector of length one, so that the
    /// gradient of each row begins with norm one.
    /// </summary>
    public Func<Tensor<T>, Tensor<T>>? Loss { get; init; }

    /// <summary>The number of steps of each row, 0 to T; null for T.</summary>
    public IReadOnlyList<int>? Lengths { get; init; }

    /// <summary>The state that the rows begin with; null for the layer's initial state.</summary>
    public SequenceState<T>? InitialState { get; init; }

    /// <summary>Whether to measure the norms of ∂s_t/∂s_k; true by default.</summary>
    public bool Jacobians { get; init; } = true;

    /// <summary>The row of the batch whose Jacobians are measured; null for the first that has a step.</summary>
    public int? JacobianRow
    {
        get;
        init => field = OptionRange.AtLeast(0, value, nameof(JacobianRow));
    }

    /// <summary>t of ∂s_t/∂s_k, the number of steps before the state that is differentiated; null for the row's last.</summary>
    public int? JacobianStep
    {
        get;
        init => field = OptionRange.AtLeast(0, value, nameof(JacobianStep));
    }

    /// <summary>The tensor of the state whose ∂h_t/∂h_k is measured, such as <c>h_l0</c>, along all ways between the two steps; null for the whole state.</summary>
    public string? JacobianState { get; init; }

    /// <summary>The largest state whose Jacobians are measured; 1,024 numbers by default. Each step costs a forward and a backward pass of as many rows.</summary>
    public int MaximumStateSize
    {
        get;
        init => field = OptionRange.AtLeast(1, value, nameof(MaximumStateSize));
    } = 1024;

    /// <summary>Whether to compute eigenvalues and norms of recurrent matrices, some 25 H³ operations for each gate; true by default.</summary>
    public bool Spectra { get; init; } = true;

    /// <summary>A unit counts as dead where its largest and its smallest value over batch and time differ by at most this; 1e-3 by default.</summary>
    public double DeadRange
    {
        get;
        init => field = OptionRange.NotNegative(value, nameof(DeadRange));
    } = 1e-3;

    /// <summary>The seed of the random vector of the default loss; 0 by default.</summary>
    public ulong Seed { get; init; }
}
