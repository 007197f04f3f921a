namespace Rnn.Training;

/// <summary>
/// Losses: each a single operation, computed from logits where that is what the model gives, so that no probability is rounded away, and
/// with its gradient in one backward pass. The result is a scalar.
/// </summary>
/// <remarks>
/// Sums run in double precision over pieces of fixed size: the same number for any number of threads. Where nothing counts (all steps
/// ignored, an empty batch) the loss is 0 and so is its gradient.
/// </remarks>
public static partial class Loss;
