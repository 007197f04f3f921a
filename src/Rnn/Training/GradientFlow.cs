using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>
/// Measures how gradients flow back through time in a sequence layer: whether they vanish or explode, and where (Bengio, Simard and Frasconi 1994; Pascanu, Mikolov and Bengio 2013,
/// arXiv:1211.5063). For any causal <see cref="SequenceLayer{T}"/>; of recurrent layers it also knows recurrent matrices and gates.
/// </summary>
/// <remarks>
/// <para>The state s_t after t steps is one vector: all tensors of the layer's state side by side, of an LSTM h and c, of a stack those of all layers. s_0 is the initial state.</para>
/// <para>Gradients and Jacobians are exact: each comes from backward passes through the layer's own steps, one step at a time, brought to a power of two of its own after each, so that neither 1e-200 nor 1e200
/// is lost in single precision. The Jacobians of a state of S numbers cost a step of S rows, forward and backward, for each step of the sequence, and memory for S² numbers. Singular values are computed
/// in double precision, from Jacobians in the element type.</para>
/// <para>The layer evaluates: no dropout, no mask, and its random sources stay where they are. Gradients of parameters, also of those that a loss uses, are as they were afterwards. As a backward pass it must not run
/// beside another one of the same parameters.</para>
/// </remarks>
/// <example><code>
/// var report = GradientFlow.Measure(lstm, x);
/// Console.WriteLine(report);              // a table
/// Console.WriteLine(report.ToChart());    // norms over time, on a logarithmic scale
/// </code></example>
public static class GradientFlow
{
    /// <summary>Measures a layer on a batch.</summary>
    /// <param name="layer">A causal layer with a state.</param>
    /// <param name="input">The batch [N, T, <see cref="SequenceLayer{T}.InputSize"/>].</param>
    /// <param name="options">Loss, lengths and what to measure; null for the defaults.</param>
    /// <exception cref="ArgumentException">The layer needs the future or has no state, a shape, length or state does not fit, no row has a step, or the loss is no number or does not depend on the outputs.</exception>
    public static GradientFlowReport Measure<T>(SequenceLayer<T> layer, Tensor<T> input, GradientFlowOptions<T>? options = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        options ??= new();
        Check(layer);
        int[] lengths = options.Lengths is null ? [] : [.. options.Lengths];
        RecurrentChecks.CheckBatch(input, lengths, layer.InputSize);
        lengths = lengths.Length > 0 ? lengths : [.. Enumerable.Repeat(input.Shape[1], input.Shape[0])];
        if (lengths.Length == 0 || lengths.Max() == 0)
        {
            throw new ArgumentException($"input: expected one row or more with a step but got {input.Shape}{(lengths.Length > 0 ? " with lengths of zero" : string.Empty)}.", nameof(input));
        }

        if (layer.ZeroState(1).Tensors.Sum(tensor => (long)tensor.Length) is var size && options.Jacobians && size > options.MaximumStateSize)
        {
            throw new ArgumentException(
                $"layer: its state has {size} numbers; Jacobians of more than {options.MaximumStateSize} are refused, since each step costs a backward pass of as many rows: raise MaximumStateSize, or set Jacobians to false.", nameof(layer));
        }

        using var evaluation = Evaluation.Enter();
        using var recording = NoGradient.Suspend();
        var (body, tail) = Parts(layer);
        var track = new StateTrack<T>(body, input, lengths, options.InitialState);
        var report = new GradientFlowReport(layer.ToString().Split('\n')[0], track.Size, StateGradients.Measure(body, tail, track, lengths, options))
        {
            JacobianNorms = options.Jacobians ? StateJacobians.Norms(track, lengths, options) : [],
            Spectra = RecurrentSpectrum.Of(layer, options.Spectra),
        };
        Activity.Measure(layer, input, lengths, options, report);
        return report;
    }

    /// <summary>The Jacobian of a layer's state after a sequence with respect to its state before it, ∂s_T/∂s_0; over one step where T is 1.</summary>
    /// <param name="layer">A causal layer with a state.</param>
    /// <param name="input">One sequence [T, <see cref="SequenceLayer{T}.InputSize"/>].</param>
    /// <param name="initialState">The state before it, of one row; null for the layer's initial state.</param>
    /// <returns>[S, S]: row i has the derivatives of number i of the state afterwards, in the order of the state's tensors.</returns>
    /// <exception cref="ArgumentException">The layer needs the future or has no state, or a shape or the state does not fit.</exception>
    public static Tensor<T> Jacobian<T>(SequenceLayer<T> layer, Tensor<T> input, SequenceState<T>? initialState = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Check(layer);
        ArgumentNullException.ThrowIfNull(input);
        if (input.Rank != 2 || input.Shape[1] != layer.InputSize)
        {
            throw new ArgumentException($"input: expected one sequence [steps, {layer.InputSize}] but got {input.Shape}.", nameof(input));
        }

        using var evaluation = Evaluation.Enter();
        var steps = input.Shape[0];
        var track = new StateTrack<T>(layer, input.Detach().Reshape(1, steps, layer.InputSize), [steps], initialState);
        var jacobian = Tensor<T>.Identity(track.Size);
        var exponent = 0;
        for (var step = steps - 1; step >= 0; step--)
        {
            track.Back(step, new int[track.Size], jacobian.AsSpan(), default);
            exponent += StateTrack<T>.Normalize(jacobian.AsSpan());
        }

        StateTrack<T>.Scale(jacobian.AsSpan(), exponent);
        return jacobian;
    }

    private static void Check<T>(SequenceLayer<T> layer)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(layer);
        if (!layer.IsCausal)
        {
            throw new ArgumentException("layer: a bidirectional or reversed layer has no state that runs forward in time; measure a layer of one direction.", nameof(layer));
        }

        if (layer.ZeroState(1).Tensors.Sum(tensor => (long)tensor.Length) == 0)
        {
            throw new ArgumentException("layer: expected a layer with a state, through which gradients flow back in time, but this one remembers nothing.", nameof(layer));
        }
    }

    // A chain up to its last layer with a state, and the layers behind it, which belong to the loss.
    private static (SequenceLayer<T> Body, Layer<T>[] Tail) Parts<T>(SequenceLayer<T> layer)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (layer is not SequenceChain<T> chain)
        {
            return (layer, []);
        }

        Layer<T>[] layers = [.. chain];
        var end = 1 + Array.FindLastIndex(layers, part => part is SequenceLayer<T>);
        return end == layers.Length ? (layer, []) : (new SequenceChain<T>(chain.InputSize, layers.AsSpan(0, end)), layers[end..]);
    }
}
