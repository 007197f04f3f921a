using System.Globalization;

namespace Rnn.Layers;

/// <summary>
/// A nonlinearity φ with its numbers α and β, where it has such: <c>ActivationFunction.HardSigmoid(0.2, 0.5)</c>. A name of one, <c>Activation.Relu</c>, becomes it by itself.
/// </summary>
public readonly record struct ActivationFunction
{
    /// <summary>A nonlinearity with the numbers it has unless others are given.</summary>
    /// <param name="kind">Which one.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is none of this name.</exception>
    public ActivationFunction(Activation kind)
        : this(kind, DefaultAlpha(kind), DefaultBeta(kind))
    {
    }

    private ActivationFunction(Activation kind, double alpha, double beta)
    {
        if (!Enum.IsDefined(kind))
        {
            throw new ArgumentOutOfRangeException(nameof(kind), kind, $"Activation: {kind} is none of {string.Join(", ", Enum.GetNames<Activation>())}.");
        }

        (Kind, Alpha, Beta) = (kind, Finite(alpha, nameof(alpha)), Finite(beta, nameof(beta)));
    }

    /// <summary>Which nonlinearity.</summary>
    public Activation Kind { get; }

    /// <summary>α, or 0 where the nonlinearity has none.</summary>
    public double Alpha { get; }

    /// <summary>β, or 0 where the nonlinearity has none.</summary>
    public double Beta { get; }

    /// <summary>Whether the nonlinearity has the numbers that it has unless others are given, or has none.</summary>
    internal bool HasDefaultNumbers => Alpha == DefaultAlpha(Kind) && Beta == DefaultBeta(Kind);

    /// <summary>A nonlinearity by its name, with the numbers it has unless others are given.</summary>
    /// <param name="kind">Which one.</param>
    public static implicit operator ActivationFunction(Activation kind) => new(kind);

    /// <summary>A nonlinearity by its name, with the numbers it has unless others are given.</summary>
    /// <param name="kind">Which one.</param>
    public static ActivationFunction FromActivation(Activation kind) => new(kind);

    /// <summary>αx + β.</summary>
    /// <param name="alpha">α.</param>
    /// <param name="beta">β.</param>
    public static ActivationFunction Affine(double alpha, double beta) => new(Activation.Affine, alpha, beta);

    /// <summary>x, or αx where it is negative.</summary>
    /// <param name="alpha">α, the slope for negative numbers.</param>
    public static ActivationFunction LeakyRelu(double alpha) => new(Activation.LeakyRelu, alpha, 0);

    /// <summary>x where x ≥ α, else 0.</summary>
    /// <param name="alpha">α, the threshold.</param>
    public static ActivationFunction ThresholdedRelu(double alpha) => new(Activation.ThresholdedRelu, alpha, 0);

    /// <summary>x, or α(eˣ − 1) where x is negative.</summary>
    /// <param name="alpha">α: for very negative numbers the result goes to −α.</param>
    public static ActivationFunction Elu(double alpha) => new(Activation.Elu, alpha, 0);

    /// <summary>α·tanh(βx).</summary>
    /// <param name="alpha">α.</param>
    /// <param name="beta">β.</param>
    public static ActivationFunction ScaledTanh(double alpha, double beta) => new(Activation.ScaledTanh, alpha, beta);

    /// <summary>αx + β, cut to between 0 and 1: with 0.2 and 0.5 the one of Keras 1 and 2, of ONNX and Theano; with 1/6 and 0.5 that of Keras 3 and PyTorch.</summary>
    /// <param name="alpha">α.</param>
    /// <param name="beta">β.</param>
    public static ActivationFunction HardSigmoid(double alpha, double beta) => new(Activation.HardSigmoid, alpha, beta);

    /// <summary>The name, with the numbers behind it where they are not those that it has unless others are given: <c>HardSigmoid(0.2, 0.5)</c>.</summary>
    public override string ToString() => HasDefaultNumbers ? Kind.ToString()
        : Kind is Activation.LeakyRelu or Activation.ThresholdedRelu or Activation.Elu ? string.Create(CultureInfo.InvariantCulture, $"{Kind}({Alpha:R})")
        : string.Create(CultureInfo.InvariantCulture, $"{Kind}({Alpha:R}, {Beta:R})");

    /// <summary>The nonlinearity that <see cref="ToString"/> has written.</summary>
    /// <exception cref="FormatException">The text is none.</exception>
    internal static ActivationFunction Parse(string text)
    {
        var open = text.IndexOf('(', StringComparison.Ordinal);
        var name = open < 0 ? text : text[..open];
        if (!Enum.TryParse<Activation>(name, out var kind) || kind.ToString() != name)
        {
            throw new FormatException($"'{text}' is no activation; expected one of {string.Join(", ", Enum.GetNames<Activation>())}");
        }

        if (open < 0)
        {
            return new(kind);
        }

        var numbers = text[(open + 1)..].TrimEnd(')').Split(", ");
        var read = new double[2];
        for (var i = 0; i < numbers.Length; i++)
        {
            if (numbers.Length > 2 || !text.EndsWith(')') || !double.TryParse(numbers[i], NumberStyles.Float, CultureInfo.InvariantCulture, out read[i]) || !double.IsFinite(read[i]))
            {
                throw new FormatException($"'{text}' is no activation; expected a name with one or two numbers");
            }
        }

        return new(kind, read[0], read[1]);
    }

    private static double DefaultAlpha(Activation kind) => kind switch
    {
        Activation.LeakyRelu => 0.01,
        Activation.HardSigmoid => 1.0 / 6,
        Activation.Elu or Activation.Affine or Activation.ThresholdedRelu or Activation.ScaledTanh => 1,
        _ => 0,
    };

    private static double DefaultBeta(Activation kind) => kind switch
    {
        Activation.HardSigmoid => 0.5,
        Activation.ScaledTanh => 1,
        _ => 0,
    };

    private static double Finite(double value, string name) => double.IsFinite(value)
        ? value
        : throw new ArgumentOutOfRangeException(name, value, string.Create(CultureInfo.InvariantCulture, $"{name}: expected a finite number but got {value}."));
}
