using System.Numerics;
using Rnn.Layers;
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
        var sum = 0.0;
        foreach (var parameter in module.Parameters)
        {
            sum += SumOfSquares(parameter);
        }

        return Math.Sqrt(sum);
    }

    /// <summary>The length of all gradients of an optimiser's parameters taken as one vector.</summary>
    /// <param name="optimizer">The optimiser, attached.</param>
    /// <returns>The norm; infinite or NaN only when an element is, or when it exceeds double precision.</returns>
    public static double GlobalNorm<T>(Optimizer<T> optimizer)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        var sum = 0.0;
        foreach (var slot in optimizer.Block.Slots)
        {
            sum += SumOfSquares(slot.Parameter);
        }

        return Math.Sqrt(sum);
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
        CheckLimit(maxNorm, nameof(maxNorm));
        var norm = GlobalNorm(module);
        CheckFinite(norm, nonFinite, module, static module => FindNonFinite(module));
        var scale = ScaleFor(norm, maxNorm);
        if (scale < 1)
        {
            foreach (var parameter in module.Parameters)
            {
                Scale(parameter, scale);
            }
        }

        return norm;
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
        CheckLimit(maxNorm, nameof(maxNorm));
        var norm = GlobalNorm(optimizer);
        CheckFinite(norm, nonFinite, optimizer, static optimizer => FindNonFinite(optimizer));
        var scale = ScaleFor(norm, maxNorm);
        if (scale < 1)
        {
            foreach (var slot in optimizer.Block.Slots)
            {
                Scale(slot.Parameter, scale);
            }
        }

        return norm;
    }

    /// <summary>Limits every element of every gradient to [−limit, limit]; NaN stays NaN.</summary>
    /// <param name="module">The module.</param>
    /// <param name="limit">The largest absolute value to be left, above zero.</param>
    public static void ByValue<T>(Module<T> module, double limit)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(module);
        CheckLimit(limit, nameof(limit));
        foreach (var parameter in module.Parameters)
        {
            Clamp(parameter, limit);
        }
    }

    /// <summary>Limits every element of every gradient of an optimiser's parameters to [−limit, limit]; NaN stays NaN.</summary>
    /// <param name="optimizer">The optimiser, attached.</param>
    /// <param name="limit">The largest absolute value to be left, above zero.</param>
    public static void ByValue<T>(Optimizer<T> optimizer, double limit)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        CheckLimit(limit, nameof(limit));
        foreach (var slot in optimizer.Block.Slots)
        {
            Clamp(slot.Parameter, limit);
        }
    }

    /// <summary>Looks for a gradient element that is infinite or not a number.</summary>
    /// <param name="module">The module.</param>
    /// <returns>The first one found, or null when all are finite.</returns>
    public static NonFiniteGradient? FindNonFinite<T>(Module<T> module)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(module);
        return module.NamedParameters.Select(pair => FindNonFinite(pair.Key, pair.Value)).FirstOrDefault(found => found is not null);
    }

    /// <summary>Looks for a gradient element of an optimiser's parameters that is infinite or not a number.</summary>
    /// <param name="optimizer">The optimiser, attached.</param>
    /// <returns>The first one found, or null when all are finite.</returns>
    public static NonFiniteGradient? FindNonFinite<T>(Optimizer<T> optimizer)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        return optimizer.Block.Slots.Select(slot => FindNonFinite(slot.Name, slot.Parameter)).FirstOrDefault(found => found is not null);
    }

    /// <summary>What gradients of this norm are multiplied by to keep the limit.</summary>
    internal static double ScaleFor(double norm, double maxNorm) => double.IsFinite(norm) ? Math.Min(1, maxNorm / (norm + 1e-6)) : 1;

    private static void CheckLimit(double limit, string name)
    {
        if (!(limit > 0))
        {
            throw new ArgumentOutOfRangeException(name, limit, $"{name}: expected a number above zero but got {limit}.");
        }
    }

    private static void CheckFinite<TOwner>(double norm, NonFinitePolicy policy, TOwner owner, Func<TOwner, NonFiniteGradient?> find)
    {
        if (!double.IsFinite(norm) && policy == NonFinitePolicy.Throw && find(owner) is { } found)
        {
            throw new NonFiniteGradientException(found);
        }
    }

    private static double SumOfSquares<T>(Parameter<T> parameter)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Counted(parameter) is { } gradient ? GradientSweeps.SumOfSquares(gradient.AsReadOnlySpan()) : 0;

    private static void Scale<T>(Parameter<T> parameter, double scale)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (Counted(parameter) is { } gradient)
        {
            GradientSweeps.Scale(gradient.AsSpan(), T.CreateTruncating(scale));
        }
    }

    private static void Clamp<T>(Parameter<T> parameter, double limit)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (Counted(parameter) is { } gradient)
        {
            GradientSweeps.Clamp(gradient.AsSpan(), T.CreateTruncating(limit));
        }
    }

    private static NonFiniteGradient? FindNonFinite<T>(string name, Parameter<T> parameter)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var gradient = Counted(parameter);
        for (var i = 0; i < gradient?.Length; i++)
        {
            var value = gradient.AsReadOnlySpan()[i];
            if (!T.IsFinite(value))
            {
                return new(name, i, double.CreateTruncating(value));
            }
        }

        return null;
    }

    private static Tensor<T>? Counted<T>(Parameter<T> parameter)
        where T : unmanaged, IFloatingPointIeee754<T> => parameter.Frozen ? null : parameter.Gradient;
}
