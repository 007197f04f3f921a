using System.Numerics;
using Rnn.Layers;

namespace Rnn.Training;

/// <summary>Called by a <see cref="Trainer{T}"/> at a moment of an update, on the training's own thread.</summary>
/// <param name="update">The update.</param>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public delegate void UpdateHook<T>(UpdateContext<T> update)
    where T : unmanaged, IFloatingPointIeee754<T>;

/// <summary>What a hook sees of an update.</summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public readonly ref struct UpdateContext<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal UpdateContext(Trainer<T> trainer, long number, double loss, bool isSkipped = false) =>
        (Model, Optimizer, Number, Loss, IsSkipped) = (trainer.Model, trainer.Optimizer, number, loss, isSkipped);

    /// <summary>The model.</summary>
    public Module<T> Model { get; }

    /// <summary>The optimiser.</summary>
    public Optimizer<T> Optimizer { get; }

    /// <summary>The number of the update, from 1.</summary>
    public long Number { get; }

    /// <summary>The loss that is reported for it.</summary>
    public double Loss { get; }

    /// <summary>After the update: whether it was left out because a gradient was not finite.</summary>
    public bool IsSkipped { get; }

    /// <summary>
    /// All gradients of the optimiser's parameters in one piece, in the order of its groups, each parameter on a boundary of 64 bytes with zeros between: what a
    /// sum over processes is taken of. After the update they are zero.
    /// </summary>
    public unsafe Span<T> Gradients => new(Optimizer.Block.Gradients, Optimizer.Block.Length);
}
