using System.Numerics;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Autograd;

/// <summary>
/// The base of differentiable operations of your own: values in <see cref="Forward"/>, gradients beside it in <see cref="Backward"/>. For what
/// the built-in operations do not compute, compute slowly, or should differentiate otherwise, such as a straight-through estimator.
/// </summary>
/// <remarks>
/// <para>
/// Both methods may use all operations on tensors; nothing that they compute is recorded, so a tensor whose gradient is wanted must be one of
/// the inputs. An operation holds what is the same for all calls, such as a factor, and is good for any number of them, also at the same time;
/// what a call needs later goes into its <see cref="OperationContext{T}"/>.
/// </para>
/// <para>
/// Inputs, results and saved tensors must be as they were when <c>Backward</c> reads them: where one was written to since, the backward pass
/// refuses to begin. <c>GradientCheck</c> compares the gradients with finite differences.
/// </para>
/// </remarks>
/// <example>
/// <code>
/// // y = x·σ(x)
/// sealed class Swish : DifferentiableOperation&lt;float&gt;
/// {
///     protected override Tensor&lt;float&gt;[] Forward(OperationContext&lt;float&gt; context)
///     {
///         var gate = context.Save(context.Input(0).Sigmoid());
///         return [context.Input(0) * gate];
///     }
///
///     protected override Tensor&lt;float&gt;?[] Backward(OperationContext&lt;float&gt; context)
///     {
///         var (x, gate) = (context.Input(0), context.Saved(0));
///         return [context.OutputGradient() * (gate + (x * gate * (1f - gate)))];
///     }
/// }
///
/// var y = new Swish().Apply(x);
/// </code>
/// </example>
/// <typeparam name="T">The element type.</typeparam>
public abstract class DifferentiableOperation<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Computes the only result of the operation and records it where an input requires a gradient.</summary>
    /// <param name="inputs">The inputs; null for one that is optional and not given.</param>
    /// <exception cref="InvalidOperationException">The operation has several results, for which see <see cref="ApplyAll"/>, or none.</exception>
    public Tensor<T> Apply(params ReadOnlySpan<Tensor<T>?> inputs)
    {
        var results = ApplyAll(inputs);
        return results.Length == 1 ? results[0] : throw Wrong($"Apply: expected Forward to return one tensor but got {results.Length}; call ApplyAll");
    }

    /// <summary>Computes all results of the operation and records them where an input requires a gradient.</summary>
    /// <param name="inputs">The inputs; null for one that is optional and not given.</param>
    /// <exception cref="InvalidOperationException"><see cref="Forward"/> returned no tensor, or null for one.</exception>
    public Tensor<T>[] ApplyAll(params ReadOnlySpan<Tensor<T>?> inputs)
    {
        var context = new OperationContext<T>(inputs.ToArray());
        Tensor<T>[] results;
        using (NoGradient.Enter())
        {
            results = Forward(context);
        }

        if (results is null || results.Length == 0 || Array.IndexOf(results, null) >= 0)
        {
            throw Wrong("Forward: expected one tensor or more, none of them null");
        }

        // Tensors of our own: what Forward returned may be an input, or come twice.
        results = Array.ConvertAll(results, result => result.Detach());
        return context.IsRecorded ? new Node(this, context, results).Results : results;
    }

    /// <summary>Computes the results from <see cref="OperationContext{T}.Input"/>.</summary>
    /// <param name="context">The inputs, and what the backward pass will need.</param>
    /// <returns>The results, one or more.</returns>
    protected abstract Tensor<T>[] Forward(OperationContext<T> context);

    /// <summary>
    /// Computes the gradients of the inputs: for each the sum over all results of <see cref="OperationContext{T}.OutputGradient"/> times the
    /// result's derivative. Comes again, with the same values, where the graph is kept.
    /// </summary>
    /// <param name="context">The inputs and results, what was saved, and the gradients of the results.</param>
    /// <returns>
    /// One gradient for each input, in its shape; null for zero, for inputs that were not given, and for those that do not need one
    /// (<see cref="OperationContext{T}.NeedsGradient"/>).
    /// </returns>
    protected abstract Tensor<T>?[] Backward(OperationContext<T> context);

    private InvalidOperationException Wrong(string what) => new($"{GetType().Name}.{what}.");

    private sealed class Node : GraphNode<T>
    {
        private readonly DifferentiableOperation<T> _operation;
        private readonly OperationContext<T> _context;

        internal Node(DifferentiableOperation<T> operation, OperationContext<T> context, Tensor<T>[] results)
            : base(context.Inputs, results.Length)
        {
            (_operation, _context, Results) = (operation, context, new Tensor<T>[results.Length]);
            SaveForBackward(context.Record(this, results));
            for (var i = 0; i < results.Length; i++)
            {
                Results[i] = Attach(results[i].Detach(), i);
            }
        }

        internal Tensor<T>[] Results { get; }

        internal override void Backward()
        {
            Tensor<T>?[] gradients;
            using (NoGradient.Enter())
            {
                gradients = _operation.Backward(_context);
            }

            if (gradients is null || gradients.Length != Inputs.Length)
            {
                throw _operation.Wrong($"Backward: expected {Inputs.Length} gradients, one for each input, but got {gradients?.Length ?? 0}");
            }

            for (var i = 0; i < gradients.Length; i++)
            {
                if (gradients[i] is not { } gradient || Inputs[i] is not { } input || !Needs(i))
                {
                    continue;
                }

                if (gradient.Shape != input.Shape)
                {
                    throw _operation.Wrong($"Backward: expected the shape of input {i}, {input.Shape}, for its gradient but got {gradient.Shape}");
                }

                var values = gradient.AsReadOnlySpan();
                var sums = InputGradient(i, out var overwrite);
                SpanKernels<T>.AddOrCopy(values, sums, overwrite);
            }
        }

        protected override void OnRelease() => _context.Release();
    }
}
