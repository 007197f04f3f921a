namespace Rnn.Training;

/// <summary>What the processes of a group send each other, see <see cref="Trainer{T}.Communication"/>.</summary>
public sealed record CommunicationOptions
{
    /// <summary>How gradients are sent; as they are, by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is none of the list.</exception>
    public GradientFormat Gradients
    {
        get;
        init => field = value is GradientFormat.Full or GradientFormat.BFloat16
            ? value
            : throw new ArgumentOutOfRangeException(nameof(Gradients), value, $"Gradients: expected Full or BFloat16 but got {value}.");
    }
}

/// <summary>The numbers that gradients are sent in.</summary>
public enum GradientFormat
{
    /// <summary>Those of the element type: N processes have the bits of one.</summary>
    Full,

    /// <summary>
    /// bfloat16, 16 bits: half the words of single precision, with the range of it and 8 significant bits. What rounding takes from a gradient is kept and added to the next one, on the process where it was rounded, and so is what it takes from a
    /// sum: nothing is lost, it comes later (Seide et al., "1-bit stochastic gradient descent and its application to data-parallel distributed training of speech DNNs", 2014; Karimireddy et al., "Error feedback fixes SignSGD", 2019).
    /// Trainings are still the same to the bit at every run with as many processes.
    /// </summary>
    BFloat16,
}
