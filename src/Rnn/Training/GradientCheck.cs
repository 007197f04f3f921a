using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>
/// Proves gradients: compares what <c>Backward</c> gives with central differences, both in double. For functions of tensors, layers
/// and models alike.
/// </summary>
/// <remarks>
/// The derivative at one entry is extrapolated from central differences with steps h and h/2 (Richardson), so that its own error is about
/// 1e-11 of the function's scale. The function must be smooth around its inputs and give the same value each time it is called: so no
/// dropout (its random source moves from call to call), and no relu at zero.
/// </remarks>
public static class GradientCheck
{
    /// <summary>Checks the gradients of a function with respect to some tensors.</summary>
    /// <param name="function">
    /// Computes a tensor from the present values of the inputs, such as <c>() =&gt; x.Tanh()</c>. One with more elements is multiplied by fixed random
    /// numbers and summed, so that every element counts differently.
    /// </param>
    /// <param name="inputs">The tensors by name; leaves. Their gradients are replaced, their values are the same afterwards.</param>
    /// <param name="options">Tolerance, step and sampling; null for the defaults.</param>
    /// <exception cref="ArgumentException">There are no inputs, an input is not a leaf, or the function does not depend on any of them.</exception>
    public static GradientCheckResult Run(
        Func<Tensor<double>> function, IEnumerable<(string Name, Tensor<double> Value)> inputs, GradientCheckOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(inputs);
        options ??= new();
        var named = inputs.ToArray();
        if (named.Length == 0)
        {
            throw new ArgumentException("inputs: expected at least one tensor to check.", nameof(inputs));
        }

        var required = new bool[named.Length];
        for (var i = 0; i < named.Length; i++)
        {
            var (name, value) = named[i];
            if (value.Node is not null)
            {
                throw new ArgumentException($"inputs: '{name}' is the result of an operation; give the leaves that it was computed from.", nameof(inputs));
            }

            required[i] = value.RequiresGradient;
            value.RequiresGradient = true;
            value.ZeroGradient();
        }

        Evaluate(Scalar, record: true);
        var random = new RandomSource(options.Seed);
        var entries = new GradientCheckEntry[named.Length];
        for (var i = 0; i < named.Length; i++)
        {
            var (name, value) = named[i];
            entries[i] = Check(Scalar, name, value, options, random);
            value.RequiresGradient = required[i];
        }

        return new(entries, options.Tolerance);

        Tensor<double> Scalar()
        {
            var result = function();
            return result.Length == 1 ? result : RandomProjection(result, options.Seed);
        }
    }

    /// <summary>Checks the gradients of all parameters of a module that are not frozen and, if given, of its input.</summary>
    /// <param name="module">The module.</param>
    /// <param name="function">
    /// Computes a tensor from the module, such as <c>() =&gt; layer.Forward(x)</c>. One with more elements is multiplied by fixed random
    /// numbers and summed, so that every element counts differently.
    /// </param>
    /// <param name="inputs">Further leaves to check by name, such as the input of the layer.</param>
    /// <param name="options">Tolerance, step and sampling; null for the defaults.</param>
    public static GradientCheckResult Run(
        Module<double> module,
        Func<Tensor<double>> function,
        IEnumerable<(string Name, Tensor<double> Value)>? inputs = null,
        GradientCheckOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(function);
        return Run(function, module.NamedParameters.Where(pair => !pair.Value.Frozen).Select(pair => (pair.Key, pair.Value.Value)).Concat(inputs ?? []), options);
    }

    // The sum of all elements, each multiplied by a fixed random number from [0.5, 1.5) with a random sign.
    private static Tensor<double> RandomProjection(Tensor<double> tensor, ulong seed)
    {
        var random = new RandomSource(seed).Split("weights of the outputs");
        var weights = Tensor<double>.RandomUniform(random, -1, 1, tensor.Shape);
        foreach (ref var weight in weights.AsSpan())
        {
            weight += Math.CopySign(0.5, weight);
        }

        return (tensor * weights).Sum();
    }

    private static double Evaluate(Func<Tensor<double>> function, bool record)
    {
        if (!record)
        {
            using (NoGradient.Enter())
            {
                return function().Item();
            }
        }

        var value = function();
        if (!value.RequiresGradient)
        {
            throw new ArgumentException("function: its value does not depend on any of the inputs.", nameof(function));
        }

        value.Backward();
        return value.Item();
    }

    private static GradientCheckEntry Check(
        Func<Tensor<double>> function, string name, Tensor<double> value, GradientCheckOptions options, RandomSource random)
    {
        var analytic = value.Gradient is { } gradient ? gradient.ToArray() : new double[value.Length];
        var chosen = Choose(value.Length, options.MaximumEntries, random);
        var largest = 0.0;
        foreach (var entry in analytic)
        {
            largest = double.IsNaN(entry) ? double.NaN : Math.Max(largest, Math.Abs(entry));
        }

        int worst = -1;
        double worstError = 0, worstAnalytic = 0, worstNumeric = 0;
        foreach (var i in chosen)
        {
            var numeric = NumericDerivative(function, value, i, options.Step);
            largest = Math.Max(largest, Math.Abs(numeric));
            var error = Math.Abs(analytic[i] - numeric);
            if (worst < 0 || error > worstError || (double.IsNaN(error) && !double.IsNaN(worstError)))
            {
                (worst, worstError, worstAnalytic, worstNumeric) = (i, error, analytic[i], numeric);
            }
        }

        // A gradient that is zero everywhere is measured absolutely.
        var scale = largest > 0 || double.IsNaN(largest) ? largest : 1;

        // Where it failed, how far the differences themselves are to be trusted: by what half the step changes.
        var uncertainty = worst >= 0 && !(worstError / scale <= options.Tolerance)
            ? Math.Abs(worstNumeric - NumericDerivative(function, value, worst, options.Step / 2)) / scale
            : 0;
        return new(name, value.Shape, worst, worstAnalytic, worstNumeric, worstError / scale, uncertainty, chosen.Length);
    }

    // Central differences with steps h and h/2, extrapolated: the error falls with h⁴.
    private static double NumericDerivative(Func<Tensor<double>> function, Tensor<double> value, int index, double step)
    {
        var original = value.AsReadOnlySpan()[index];
        var h = step * Math.Max(1, Math.Abs(original));
        var wide = Difference(function, value, index, original, h);
        var narrow = Difference(function, value, index, original, h / 2);
        value.AsSpan()[index] = original;
        return ((4 * narrow) - wide) / 3;
    }

    private static double Difference(Func<Tensor<double>> function, Tensor<double> value, int index, double original, double h)
    {
        // The step that is really taken, after rounding.
        double above = original + h, below = original - h;
        value.AsSpan()[index] = above;
        var high = Evaluate(function, record: false);
        value.AsSpan()[index] = below;
        var low = Evaluate(function, record: false);
        return (high - low) / (above - below);
    }

    private static int[] Choose(int length, int maximum, RandomSource random)
    {
        var all = random.Permutation(length);
        var chosen = length > maximum ? all[..maximum] : all;
        Array.Sort(chosen);
        return chosen;
    }
}
