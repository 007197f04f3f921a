namespace Rnn.Onnx.Import;

/// <summary>What one run of a model shares: its limits, and what is left of them.</summary>
/// <param name="maxElements">The most elements of a tensor that is larger than its inputs.</param>
/// <param name="iterations">The iterations of loops that are left.</param>
internal sealed class RunContext(long maxElements, long iterations)
{
    private long _iterations = iterations;

    // How much larger than all inputs a tensor may be where the inputs are large: a hidden size or a number of channels beside a few features.
    private const long Growth = 64;

    /// <summary>The limits of a run.</summary>
    /// <param name="options">The options of the model.</param>
    /// <param name="inputElements">The elements of all its inputs.</param>
    internal RunContext(OnnxOptions options, long inputElements)
        : this(Math.Max(options.MaxElements, Growth * inputElements), options.MaxIterations)
    {
    }

    /// <summary>Refuses a tensor that is too large.</summary>
    /// <exception cref="InvalidDataException">The number of elements is above the limit.</exception>
    internal void CheckElements(double elements)
    {
        if (elements > maxElements)
        {
            throw new SizeLimitException($"a tensor of {elements:0} elements is above the limit of {maxElements}; raise OnnxOptions.MaxElements where that is meant");
        }
    }

    /// <summary>Counts one iteration of a loop.</summary>
    /// <exception cref="InvalidDataException">None is left.</exception>
    internal void CountIteration()
    {
        if (--_iterations < 0)
        {
            throw new SizeLimitException("the loops of the model have run for more iterations than OnnxOptions.MaxIterations allows");
        }
    }
}
