using Rnn.Kernels;

namespace Rnn.Layers;

/// <summary>A nonlinearity φ by its name. Some have numbers of their own: see <see cref="ActivationFunction"/>, to which a name converts by itself.</summary>
public enum Activation
{
    /// <summary>The hyperbolic tangent.</summary>
    Tanh,

    /// <summary>max(0, x).</summary>
    Relu,

    /// <summary>x, or αx where it is negative; α is 0.01 unless one is given.</summary>
    LeakyRelu,

    /// <summary>x, or α(eˣ − 1) where x is negative; α is 1 unless one is given.</summary>
    Elu,

    /// <summary>x·Φ(x) with the normal distribution function Φ, exact.</summary>
    Gelu,

    /// <summary>log(1 + eˣ).</summary>
    Softplus,

    /// <summary>x / (1 + |x|).</summary>
    Softsign,

    /// <summary>The logistic function 1 / (1 + e⁻ˣ).</summary>
    Sigmoid,

    /// <summary>αx + β, cut to between 0 and 1; x/6 + ½ unless numbers are given, as in PyTorch and Keras 3.</summary>
    HardSigmoid,

    /// <summary>x itself: a linear recurrence.</summary>
    Identity,

    /// <summary>αx + β.</summary>
    Affine,

    /// <summary>x where x ≥ α, else 0; α is 1 unless one is given.</summary>
    ThresholdedRelu,

    /// <summary>α·tanh(βx).</summary>
    ScaledTanh,

    /// <summary>eˣ.</summary>
    Exponential,

    /// <summary>x·σ(x) with the logistic function σ, also called swish.</summary>
    Silu,

    /// <summary>λx, or λα(eˣ − 1) where x is negative, with λ ≈ 1.0507 and α ≈ 1.6733 (Klambauer et al. 2017, arXiv:1706.02515).</summary>
    Selu,

    /// <summary>½x(1 + tanh(√(2/π)(x + 0.044715x³))), the approximation of <see cref="Gelu"/>.</summary>
    GeluTanh,

    /// <summary>x·tanh(log(1 + eˣ)).</summary>
    Mish,

    /// <summary>x, cut to between 0 and 6.</summary>
    Relu6,

    /// <summary>x·(x/6 + ½, cut to between 0 and 1), also called hard swish.</summary>
    HardSilu,
}

/// <summary>Makes something over the activation that an option names.</summary>
internal interface IActivationFactory<out TProduct>
{
    TProduct Create<TActivation>()
        where TActivation : struct, IActivation;
}

/// <summary>Makes something over any activation, with numbers or without.</summary>
internal interface IRowActivationFactory<out TProduct>
{
    TProduct Create<TActivation>()
        where TActivation : struct, IRowActivation;
}

/// <summary>The one place where the option meets the type.</summary>
internal static class ActivationChoice
{
    // The kinds before it have a cell each that takes them as a type parameter.
    private const Activation FirstWithoutCell = Activation.Affine;

    /// <summary>Whether there are cells that take an activation as a type parameter, which has no numbers then.</summary>
    internal static bool HasCell(Activation activation) => activation is >= 0 and < FirstWithoutCell;

    /// <summary>Makes something over an activation of which <see cref="HasCell"/>.</summary>
    internal static TProduct Create<TFactory, TProduct>(Activation activation, TFactory factory)
        where TFactory : struct, IActivationFactory<TProduct> => activation switch
        {
            Activation.Tanh => factory.Create<Tanh>(),
            Activation.Relu => factory.Create<Relu>(),
            Activation.LeakyRelu => factory.Create<LeakyRelu>(),
            Activation.Elu => factory.Create<Elu>(),
            Activation.Gelu => factory.Create<Gelu>(),
            Activation.Softplus => factory.Create<Softplus>(),
            Activation.Softsign => factory.Create<Softsign>(),
            Activation.Sigmoid => factory.Create<Sigmoid>(),
            Activation.HardSigmoid => factory.Create<HardSigmoid>(),
            Activation.Identity => factory.Create<Identity>(),
            _ => throw new ArgumentException(
                $"Activation: {activation} is none of {string.Join(", ", Enum.GetNames<Activation>().Take((int)FirstWithoutCell))}.", nameof(activation)),
        };

    /// <summary>Makes something over any activation.</summary>
    internal static TProduct CreateAny<TFactory, TProduct>(Activation activation, TFactory factory)
        where TFactory : struct, IRowActivationFactory<TProduct> => activation switch
        {
            Activation.LeakyRelu => factory.Create<LeakyReluRow>(),
            Activation.Elu => factory.Create<EluRow>(),
            Activation.HardSigmoid => factory.Create<HardSigmoidRow>(),
            Activation.Affine => factory.Create<AffineRow>(),
            Activation.ThresholdedRelu => factory.Create<ThresholdedReluRow>(),
            Activation.ScaledTanh => factory.Create<ScaledTanhRow>(),
            Activation.Exponential => factory.Create<ExponentialRow>(),
            Activation.Silu => factory.Create<SiluRow>(),
            Activation.Selu => factory.Create<SeluRow>(),
            Activation.GeluTanh => factory.Create<GeluTanhRow>(),
            Activation.Mish => factory.Create<MishRow>(),
            Activation.Relu6 => factory.Create<Relu6Row>(),
            Activation.HardSilu => factory.Create<HardSiluRow>(),
            Activation.Tanh => factory.Create<PlainActivation<Tanh>>(),
            Activation.Relu => factory.Create<PlainActivation<Relu>>(),
            Activation.Gelu => factory.Create<PlainActivation<Gelu>>(),
            Activation.Softplus => factory.Create<PlainActivation<Softplus>>(),
            Activation.Softsign => factory.Create<PlainActivation<Softsign>>(),
            Activation.Sigmoid => factory.Create<PlainActivation<Sigmoid>>(),
            Activation.Identity => factory.Create<PlainActivation<Identity>>(),
            _ => throw new ArgumentException($"Activation: {activation} is none of {string.Join(", ", Enum.GetNames<Activation>())}.", nameof(activation)),
        };
}
