using Rnn.Kernels;

namespace Rnn.Layers;

/// <summary>The nonlinearity φ of a plain or independent recurrent network.</summary>
public enum Activation
{
    /// <summary>The hyperbolic tangent.</summary>
    Tanh,

    /// <summary>max(0, x).</summary>
    Relu,

    /// <summary>x, or x / 100 where it is negative.</summary>
    LeakyRelu,

    /// <summary>x, or eˣ − 1 where x is negative.</summary>
    Elu,

    /// <summary>x·Φ(x) with the normal distribution function Φ, exact.</summary>
    Gelu,

    /// <summary>log(1 + eˣ).</summary>
    Softplus,

    /// <summary>x / (1 + |x|).</summary>
    Softsign,

    /// <summary>The logistic function 1 / (1 + e⁻ˣ).</summary>
    Sigmoid,

    /// <summary>x/6 + ½, cut to between 0 and 1.</summary>
    HardSigmoid,

    /// <summary>x itself: a linear recurrence.</summary>
    Identity,
}

/// <summary>Makes something over the activation that an option names.</summary>
internal interface IActivationFactory<out TProduct>
{
    TProduct Create<TActivation>()
        where TActivation : struct, IActivation;
}

/// <summary>The one place where the option meets the type.</summary>
internal static class ActivationChoice
{
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
            _ => throw new ArgumentException($"Activation: {activation} is none of {string.Join(", ", Enum.GetNames<Activation>())}.", nameof(activation)),
        };
}
