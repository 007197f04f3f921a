using System.Globalization;
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
        return Norm(module).Value;
    }

    /// <summary>The length of all gradients of an optimiser's parameters taken as one vector.</summary>
    /// <param name="optimizer">The optimiser, attached.</param>
    /// <returns>The norm; infinite or NaN only when an element is, or when it exceeds double precision.</returns>
    public static double GlobalNorm<T>(Optimizer<T> optimizer)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        return Norm(optimizer).Value;
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
        CheckLimit<double>(maxNorm, nameof(maxNorm));
        var norm = Norm(module);
        CheckFinite(norm.IsFinite, nonFinite, module, static module => FindNonFinite(module));
        var scale = norm.Clip(maxNorm);
        if (scale < 1)
        {
            foreach (var parameter in module.Parameters)
            {
                Scale(parameter, scale);
            }
        }

        return norm.Value;
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
        CheckLimit<double>(maxNorm, nameof(maxNorm));
        var norm = Norm(optimizer);
        CheckFinite(norm.IsFinite, nonFinite, optimizer, static optimizer => FindNonFinite(optimizer));
        var scale = norm.Clip(maxNorm);
        if (scale < 1)
        {
            Scale(optimizer, scale);
        }

        return norm.Value;
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
        CheckLimit<T>(limit, nameof(limit));
        foreach (var parameter in module.Parameters)
        {
            if (!IsFinite(parameter))
            {
                CheckFinite(false, nonFinite, module, static module => FindNonFinite(module));
                return false;
            }
        }

        foreach (var parameter in module.Parameters)
        {
            Clamp(parameter, limit);
        }

        return true;
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
        CheckLimit<T>(limit, nameof(limit));
        foreach (var slot in optimizer.Block.Slots)
        {
            if (!IsFinite(slot.Parameter))
            {
                CheckFinite(false, nonFinite, optimizer, static optimizer => FindNonFinite(optimizer));
                return false;
            }
        }

        Clamp(optimizer, limit);
        return true;
    }

    /// <summary>Looks for a gradient element that is infinite or not a number.</summary>
    /// <param name="module">The module.</param>
    /// <returns>The first one found, or null when all are finite.</returns>
    public static NonFiniteGradient? FindNonFinite<T>(Module<T> module)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(module);
        return module.NamedParameters.Select(pair => Find(pair.Key, pair.Value, double.MaxValue)).FirstOrDefault(found => found is not null);
    }

    /// <summary>Looks for a gradient element of an optimiser's parameters that is infinite or not a number.</summary>
    /// <param name="optimizer">The optimiser, attached.</param>
    /// <returns>The first one found, or null when all are finite.</returns>
    public static NonFiniteGradient? FindNonFinite<T>(Optimizer<T> optimizer)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        return optimizer.Block.Slots.Select(slot => Find(slot.Name, slot.Parameter, double.MaxValue)).FirstOrDefault(found => found is not null);
    }

    /// <summary>What gradients of this norm are multiplied by to keep the limit.</summary>
    internal static double ScaleFor(double norm, double maxNorm) => new GradientNorm(norm, double.IsFinite(norm) ? 1 : norm).Clip(maxNorm);

    /// <summary>The length of a module's gradients.</summary>
    internal static GradientNorm Norm<T>(Module<T> module)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var norm = GradientNorm.Zero;
        foreach (var parameter in module.Parameters)
        {
            norm += Norm(parameter);
        }

        return norm;
    }

    /// <summary>The length of the gradients of an optimiser's parameters.</summary>
    internal static GradientNorm Norm<T>(Optimizer<T> optimizer)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var norm = GradientNorm.Zero;
        foreach (var slot in optimizer.Block.Slots)
        {
            norm += Norm(slot.Parameter);
        }

        return norm;
    }

    /// <summary>Multiplies the gradients of an optimiser's parameters.</summary>
    internal static void Scale<T>(Optimizer<T> optimizer, double scale)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (var slot in optimizer.Block.Slots)
        {
            Scale(slot.Parameter, scale);
        }
    }

    /// <summary>Limits the gradients of an optimiser's parameters, which are finite.</summary>
    internal static void Clamp<T>(Optimizer<T> optimizer, double limit)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (var slot in optimizer.Block.Slots)
        {
            Clamp(slot.Parameter, limit);
        }
    }

    /// <summary>Looks for a gradient element of an optimiser's parameters that is above a limit, or not a number.</summary>
    internal static NonFiniteGradient? FindAbove<T>(Optimizer<T> optimizer, double limit)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (var slot in optimizer.Block.Slots)
        {
            if (Counted(slot.Parameter) is { } gradient && !(double.CreateTruncating(GradientSweeps.LargestMagnitude(gradient.AsReadOnlySpan())) <= limit))
            {
                return Find(slot.Name, slot.Parameter, limit);
            }
        }

        return null;
    }

    internal static void CheckLimit<T>(double limit, string name)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!(T.CreateTruncating(limit) > T.Zero))
        {
            throw new ArgumentOutOfRangeException(name, limit, string.Create(CultureInfo.InvariantCulture, $"{name}: expected a number above zero but got {limit}."));
        }
    }

    private static void CheckFinite<TOwner>(bool isFinite, NonFinitePolicy policy, TOwner owner, Func<TOwner, NonFiniteGradient?> find)
    {
        if (!isFinite && policy == NonFinitePolicy.Throw && find(owner) is { } found)
        {
            throw new NonFiniteGradientException(found);
        }
    }

    private static GradientNorm Norm<T>(Parameter<T> parameter)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Counted(parameter) is { } gradient ? GradientSweeps.Norm(gradient.AsReadOnlySpan()) : GradientNorm.Zero;

    private static bool IsFinite<T>(Parameter<T> parameter)
        where T : unmanaged, IFloatingPointIeee754<T> => Counted(parameter) is not { } gradient || GradientSweeps.AreFinite(gradient.AsReadOnlySpan());

    private static void Scale<T>(Parameter<T> parameter, double scale)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (Counted(parameter) is { } gradient)
        {
            GradientSweeps.Scale(gradient.AsSpan(), scale);
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

    // The first element above a limit, or not a number.
    private static NonFiniteGradient? Find<T>(string name, Parameter<T> parameter, double limit)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var gradient = Counted(parameter);
        for (var i = 0; i < gradient?.Length; i++)
        {
            var value = double.CreateTruncating(gradient.AsReadOnlySpan()[i]);
            if (!(Math.Abs(value) <= limit))
            {
                return new(name, i, value);
            }
        }

        return null;
    }

    private static Tensor<T>? Counted<T>(Parameter<T> parameter)
        where T : unmanaged, IFloatingPointIeee754<T> => parameter.Frozen ? null : parameter.Gradient;
}
