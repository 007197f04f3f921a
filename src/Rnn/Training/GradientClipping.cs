using System.Numerics;
using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>Measures and limits gradients between <c>Backward</c> and <see cref="Optimizer{T}.Step()"/>. Frozen parameters do not count.</summary>
/// <remarks>
/// Clipping by the norm: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks" (2013).
/// Sums are taken in fixed pieces and in double precision, so that a norm is the same number however many threads there are.
/// </remarks>
public static class GradientClipping
{
    /// <summary>The length of all gradients taken as one vector: the root of the sum of their squares.</summary>
    /// <param name="module">The module whose parameters count.</param>
    /// <returns>The norm; infinite or NaN only when an element is, or when it exceeds double precision.</returns>
    public static double GlobalNorm<T>(Module<T> module)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(module);
        return Norm(module.NamedParameters).Value;
    }

    /// <summary>The length of all gradients of an optimiser's parameters taken as one vector.</summary>
    /// <param name="optimizer">The optimiser, attached.</param>
    /// <returns>The norm; infinite or NaN only when an element is, or when it exceeds double precision.</returns>
    public static double GlobalNorm<T>(Optimizer<T> optimizer)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        return Norm(optimizer.Block.NamedParameters).Value;
    }

    /// <summary>Scales all gradients down together where their norm is above a limit.</summary>
    /// <param name="module">The module.</param>
    /// <param name="maxNorm">The largest norm to be left, above zero.</param>
    /// <param name="nonFinite">What to do when an element is infinite or not a number; to skip means to leave all gradients as they are.</param>
    /// <returns>The norm before; when it is not finite the caller should skip the step.</returns>
    /// <exception cref="NonFiniteGradientException">An element is infinite or not a number and the policy is to throw.</exception>
    public static double ByGlobalNorm<T>(Module<T> module, double maxNorm, NonFinitePolicy nonFinite = NonFinitePolicy.Throw)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(module);
        return ByGlobalNorm(module.NamedParameters, maxNorm, nonFinite);
    }

    /// <summary>Scales all gradients of an optimiser's parameters down together where their norm is above a limit.</summary>
    /// <param name="optimizer">The optimiser, attached.</param>
    /// <param name="maxNorm">The largest norm to be left, above zero.</param>
    /// <param name="nonFinite">What to do when an element is infinite or not a number; to skip means to leave all gradients as they are.</param>
    /// <returns>The norm before; when it is not finite the caller should skip the step.</returns>
    /// <exception cref="NonFiniteGradientException">An element is infinite or not a number and the policy is to throw.</exception>
    public static double ByGlobalNorm<T>(Optimizer<T> optimizer, double maxNorm, NonFinitePolicy nonFinite = NonFinitePolicy.Throw)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        return ByGlobalNorm(optimizer.Block.NamedParameters, maxNorm, nonFinite);
    }

    /// <summary>Limits every element of every gradient to [−limit, limit].</summary>
    /// <param name="module">The module.</param>
    /// <param name="limit">The largest absolute value to be left, above zero.</param>
    /// <param name="nonFinite">What to do when an element is infinite or not a number, which a limit would hide; to skip means to leave all gradients as they are.</param>
    /// <returns>Whether all gradients were finite; when not, the caller should skip the step.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The limit is not above zero in the element type.</exception>
    /// <exception cref="NonFiniteGradientException">An element is infinite or not a number and the policy is to throw.</exception>
    public static bool ByValue<T>(Module<T> module, double limit, NonFinitePolicy nonFinite = NonFinitePolicy.Throw)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(module);
        return ByValue(module.NamedParameters, limit, nonFinite);
    }

    /// <summary>Limits every element of every gradient of an optimiser's parameters to [−limit, limit].</summary>
    /// <param name="optimizer">The optimiser, attached.</param>
    /// <param name="limit">The largest absolute value to be left, above zero.</param>
    /// <param name="nonFinite">What to do when an element is infinite or not a number, which a limit would hide; to skip means to leave all gradients as they are.</param>
    /// <returns>Whether all gradients were finite; when not, the caller should skip the step.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The limit is not above zero in the element type.</exception>
    /// <exception cref="NonFiniteGradientException">An element is infinite or not a number and the policy is to throw.</exception>
    public static bool ByValue<T>(Optimizer<T> optimizer, double limit, NonFinitePolicy nonFinite = NonFinitePolicy.Throw)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        return ByValue(optimizer.Block.NamedParameters, limit, nonFinite);
    }

    /// <summary>Looks for a gradient element that is infinite or not a number.</summary>
    /// <param name="module">The module.</param>
    /// <returns>The first one found, or null when all are finite.</returns>
    public static NonFiniteGradient? FindNonFinite<T>(Module<T> module)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(module);
        return FindAbove(module.NamedParameters, double.MaxValue);
    }

    /// <summary>Looks for a gradient element of an optimiser's parameters that is infinite or not a number.</summary>
    /// <param name="optimizer">The optimiser, attached.</param>
    /// <returns>The first one found, or null when all are finite.</returns>
    public static NonFiniteGradient? FindNonFinite<T>(Optimizer<T> optimizer)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        return FindAbove(optimizer.Block.NamedParameters, double.MaxValue);
    }

    /// <summary>What gradients of this norm are multiplied by to keep the limit.</summary>
    internal static double ScaleFor(double norm, double maxNorm) => new GradientNorm(norm, double.IsFinite(norm) ? 1 : norm).Clip(maxNorm);

    /// <summary>The length of all gradients.</summary>
    internal static GradientNorm Norm<T>(IReadOnlyList<KeyValuePair<string, Parameter<T>>> parameters)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var norm = GradientNorm.Zero;
        for (var i = 0; i < parameters.Count; i++)
        {
            norm += Gradient(parameters[i].Value) is { } gradient ? GradientKernels.Norm(gradient.AsReadOnlySpan()) : GradientNorm.Zero;
        }

        return norm;
    }

    /// <summary>Multiplies all gradients.</summary>
    internal static void Scale<T>(IReadOnlyList<KeyValuePair<string, Parameter<T>>> parameters, double scale)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var i = 0; i < parameters.Count; i++)
        {
            if (Gradient(parameters[i].Value) is { } gradient)
            {
                GradientKernels.Scale(gradient.AsSpan(), scale);
            }
        }
    }

    /// <summary>Limits all gradients, which are finite.</summary>
    internal static void Clamp<T>(IReadOnlyList<KeyValuePair<string, Parameter<T>>> parameters, double limit)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var i = 0; i < parameters.Count; i++)
        {
            if (Gradient(parameters[i].Value) is { } gradient)
            {
                SpanKernels<T>.Clamp(gradient.AsSpan(), T.CreateTruncating(-limit), T.CreateTruncating(limit));
            }
        }
    }

    /// <summary>Looks for a gradient element that is above a limit, or not a number.</summary>
    internal static NonFiniteGradient? FindAbove<T>(IReadOnlyList<KeyValuePair<string, Parameter<T>>> parameters, double limit)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var i = 0; i < parameters.Count; i++)
        {
            if (Gradient(parameters[i].Value) is not { } gradient || double.CreateTruncating(SpanKernels<T>.LargestMagnitude(gradient.AsReadOnlySpan())) <= limit)
            {
                continue;
            }

            for (var at = 0; at < gradient.Length; at++)
            {
                var value = double.CreateTruncating(gradient.AsReadOnlySpan()[at]);
                if (!(Math.Abs(value) <= limit))
                {
                    return new(parameters[i].Key, at, value);
                }
            }
        }

        return null;
    }

    internal static void CheckLimit<T>(double limit, string name)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!(T.CreateTruncating(limit) > T.Zero))
        {
            throw OptionRange.OutOfRange(name, limit, "a number above zero");
        }
    }

    private static double ByGlobalNorm<T>(IReadOnlyList<KeyValuePair<string, Parameter<T>>> parameters, double maxNorm, NonFinitePolicy nonFinite)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        CheckLimit<double>(maxNorm, nameof(maxNorm));
        var norm = Norm(parameters);
        if (!norm.IsFinite && nonFinite == NonFinitePolicy.Throw && FindAbove(parameters, double.MaxValue) is { } found)
        {
            throw new NonFiniteGradientException(found);
        }

        var scale = norm.Clip(maxNorm);
        if (scale < 1)
        {
            Scale(parameters, scale);
        }

        return norm.Value;
    }

    private static bool ByValue<T>(IReadOnlyList<KeyValuePair<string, Parameter<T>>> parameters, double limit, NonFinitePolicy nonFinite)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        CheckLimit<T>(limit, nameof(limit));
        if (FindAbove(parameters, double.MaxValue) is { } found)
        {
            return nonFinite == NonFinitePolicy.Throw ? throw new NonFiniteGradientException(found) : false;
        }

        Clamp(parameters, limit);
        return true;
    }

    // Null where there is none, and where it does not count.
    private static Tensor<T>? Gradient<T>(Parameter<T> parameter)
        where T : unmanaged, IFloatingPointIeee754<T> => parameter.Frozen ? null : parameter.Gradient;
}
