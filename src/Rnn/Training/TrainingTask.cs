using System.Numerics;
using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>
/// What a <see cref="Trainer{T}"/> trains on: gives the loss of one batch after the other. Derive from it for what the trainer's ready-made
/// forms do not cover.
/// </summary>
/// <remarks>
/// The trainer opens a <see cref="TensorScope"/> around each step; what a task keeps from one step to the next must be copied to memory
/// of its own in <see cref="EndStep"/>.
/// </remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public abstract class TrainingTask<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>
    /// Whether <see cref="Validate"/> measures something. Where it does not, the trainer throws before the first step if an option needs
    /// validation. True unless overridden; then a <see cref="Validate"/> that returns null ends a training that needs it at its first validation.
    /// </summary>
    public virtual bool HasValidation => true;

    /// <summary>
    /// Whether the task saves its place, so that a training can be resumed to the bit; false unless overridden. A task that overrides it with true also overrides <see cref="SaveState"/> and
    /// <see cref="RestoreState"/>, and <see cref="Identity"/> to tell its data from others.
    /// </summary>
    public virtual bool CanResume => false;

    /// <summary>Identifies the task and its data, for example by sizes and a hash: a checkpoint is resumed with the same only. The name of the type unless overridden.</summary>
    public virtual string Identity => GetType().Name.Split('`')[0];

    /// <summary>
    /// Whether its batches can be computed in parts, which <see cref="Trainer{T}.BatchParts"/> and <see cref="Trainer{T}.Processes"/> need; false unless overridden. A task that overrides it with true also overrides
    /// <see cref="NextParts"/> and <see cref="PartLoss"/>, and where something is carried from batch to batch <see cref="SavePart"/> and <see cref="RestorePart"/>.
    /// </summary>
    public virtual bool HasParts => false;

    /// <summary>What has one place in its data, which the run moves: no other run may read from it at the same time.</summary>
    internal virtual object[] Sources => [];

    /// <summary>Begins a pass over the data: shuffles, forgets carried states.</summary>
    /// <param name="epoch">The number of the pass, from 1.</param>
    public virtual void BeginEpoch(int epoch)
    {
    }

    /// <summary>Computes the loss of the next batch, recorded for the backward pass; null at the end of the pass.</summary>
    public abstract BatchLoss<T>? NextLoss();

    /// <summary>Goes to the next batch of the pass and cuts it by rows, in place of <see cref="NextLoss"/> where <see cref="HasParts"/> is true and the trainer asks for parts.</summary>
    /// <param name="parts">The number of parts, the same for the whole training.</param>
    /// <returns>
    /// For each part what its loss and its gradient are multiplied by before they are added up, which follows from the whole batch: of means the share of what each is the mean over, of sums 1. Null at the end of the pass.
    /// </returns>
    public virtual double[]? NextParts(int parts) => throw new NotSupportedException($"{GetType().Name.Split('`')[0]} has no parts.");

    /// <summary>
    /// Computes the loss of a part of the batch, recorded for the backward pass. Called for each part in order, or in a group of processes for that of this process alone. Nothing but the part's rows, the parameters and the model's
    /// random sources may decide it.
    /// </summary>
    /// <param name="part">The part, from 0.</param>
    /// <returns>The loss with the count of this part and the <see cref="BatchLoss{T}.ReportDivisor"/> of the whole batch; null for a part that has no rows.</returns>
    public virtual BatchLoss<T>? PartLoss(int part) => throw new NotSupportedException($"{GetType().Name.Split('`')[0]} has no parts.");

    /// <summary>Called after the backward pass of a part, while what it has computed is still there: the place to copy what the same part of the next batch goes on from. <see cref="EndStep"/> follows after all parts.</summary>
    /// <param name="part">The part.</param>
    public virtual void EndPart(int part)
    {
    }

    /// <summary>Saves what is carried from batch to batch for one part, so that the process that writes a checkpoint gets it.</summary>
    /// <param name="part">The part.</param>
    /// <param name="parts">The number of parts.</param>
    /// <param name="state">Where to; nothing is copied, and it is sent before the next batch.</param>
    public virtual void SavePart(int part, int parts, StateTree<T> state)
    {
    }

    /// <summary>Takes over what <see cref="SavePart"/> of another process saved, so that <see cref="SaveState"/> saves what all parts carry: for any number of parts.</summary>
    /// <param name="part">The part.</param>
    /// <param name="parts">The number of parts.</param>
    /// <param name="state">Where from.</param>
    public virtual void RestorePart(int part, int parts, StateTree<T> state)
    {
    }

    /// <summary>
    /// Called after the backward pass of each batch; of the last one of an update (<see cref="Trainer{T}.AccumulationSteps"/>) after the parameters have been updated, or
    /// left as they are because a gradient was not finite.
    /// </summary>
    /// <param name="skipped">Whether the update was left out; values carried from this batch should then be forgotten.</param>
    public virtual void EndStep(bool skipped)
    {
    }

    /// <summary>Saves the place in the data and what is carried from batch to batch. Called between two updates, after <see cref="EndStep"/>.</summary>
    /// <param name="state">Where to; nothing is copied, and it is written before the next batch.</param>
    public virtual void SaveState(StateTree<T> state)
    {
    }

    /// <summary>
    /// Returns to where <see cref="SaveState"/> was called: the next call is the one that came next there, <see cref="NextLoss"/> in the middle of a pass or
    /// <see cref="BeginEpoch"/> between two.
    /// </summary>
    /// <param name="state">Where from.</param>
    /// <exception cref="InvalidDataException">The state is damaged or of something else.</exception>
    public virtual void RestoreState(StateTree<T> state)
    {
    }

    /// <summary>Called once when training has ended, however it did, to close files and the like.</summary>
    public virtual void EndTraining()
    {
    }

    /// <summary>
    /// The loss over the validation data, or null where there are none. Called with recording off and <c>IsTraining</c> reading false; the modes of the model
    /// and its parts stay as they are.
    /// </summary>
    /// <param name="cancellationToken">Asks to stop; throw <see cref="OperationCanceledException"/>.</param>
    public virtual double? Validate(CancellationToken cancellationToken) => null;

    /// <summary>
    /// The same in parts, so that the processes of a group measure together: adds the losses of the parts that are wanted here. Unless overridden part 0 is the whole, by <see cref="Validate"/>.
    /// </summary>
    /// <param name="sums">Takes the losses.</param>
    /// <param name="cancellationToken">Asks to stop; throw <see cref="OperationCanceledException"/>.</param>
    public virtual void ValidateParts(LossSums sums, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sums);
        if (sums.Wants(0) && Validate(cancellationToken) is { } loss)
        {
            sums.Add(0, loss, 1);
        }
    }

    /// <summary>Leaves the validation data as if the last measurement had not been made, since another process has broken it off.</summary>
    internal virtual void UndoValidation()
    {
    }
}

/// <summary>The loss of one batch.</summary>
/// <param name="loss">The scalar to be made smaller.</param>
/// <param name="count">The tokens, steps or rows of the batch, see <see cref="Count"/>.</param>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public readonly struct BatchLoss<T>(Tensor<T> loss, long count)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The scalar to be made smaller.</summary>
    public Tensor<T> Loss { get; } = loss;

    /// <summary>The tokens, steps or rows of the batch: what speed is counted in. With 0 nothing counts, and the loss is left out of the running mean.</summary>
    public long Count { get; } = count;

    /// <summary>What the loss is divided by when it is reported, so that a sum over steps reads as a mean; 1 by default.</summary>
    public double ReportDivisor { get; init; } = 1;
}
