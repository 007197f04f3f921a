namespace Rnn.Training;

/// <summary>
/// Thrown when a gradient is infinite or not a number, or so large that the square which an optimiser takes of it is infinite; names the first
/// parameter where it is.
/// </summary>
public sealed class NonFiniteGradientException : ArithmeticException
{
    /// <summary>An exception with a message.</summary>
    /// <param name="message">The message.</param>
    public NonFiniteGradientException(string message)
        : base(message) => ParameterName = string.Empty;

    /// <summary>An exception with a message and its cause.</summary>
    /// <param name="message">The message.</param>
    /// <param name="innerException">The cause.</param>
    public NonFiniteGradientException(string message, Exception innerException)
        : base(message, innerException) => ParameterName = string.Empty;

    /// <summary>An exception without details.</summary>
    public NonFiniteGradientException()
        : this("A gradient is not finite.")
    {
    }

    internal NonFiniteGradientException(NonFiniteGradient found)
        : base($"{found}{(double.IsFinite(found.Value) ? ", too large for the optimiser to square" : string.Empty)}; the loss has diverged: a smaller learning rate, clipping by norm or a look at the data may help.")
    {
        ParameterName = found.ParameterName;
        Index = found.Index;
        Value = found.Value;
    }

    /// <summary>The dotted path of the parameter.</summary>
    public string ParameterName { get; }

    /// <summary>The row-major index of the first such element.</summary>
    public int Index { get; }

    /// <summary>The element: NaN, an infinity, or a number whose square is infinite.</summary>
    public double Value { get; } = double.NaN;
}

/// <summary>A gradient element that is infinite or not a number, or too large for an optimiser.</summary>
public sealed class NonFiniteGradient
{
    internal NonFiniteGradient(string parameterName, int index, double value) => (ParameterName, Index, Value) = (parameterName, index, value);

    /// <summary>The dotted path of the parameter.</summary>
    public string ParameterName { get; }

    /// <summary>The row-major index of the element.</summary>
    public int Index { get; }

    /// <summary>The element.</summary>
    public double Value { get; }

    /// <summary>A sentence without its full stop.</summary>
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"the gradient of '{ParameterName}' is {Value} at element {Index}");
}

/// <summary>What to do when a gradient is infinite or not a number.</summary>
public enum NonFinitePolicy
{
    /// <summary>Throw a <see cref="NonFiniteGradientException"/> that names the parameter.</summary>
    Throw,

    /// <summary>Leave the parameters as they are and go on with the next batch.</summary>
    SkipStep,
}
