using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>Which sentences the memory of each row has: one behind the other, so that rows of different numbers need no padding.</summary>
internal sealed class MemoryPlan(int[] starts, int[] sentences, int[] ages, int places)
{
    /// <summary>The places of a memory: those that no sentence fills are zeros, which take their part of the softmax. 0 where sentences alone count.</summary>
    internal int Places { get; } = places;

    /// <summary>Where each of N rows begins, and the end of the last [N + 1].</summary>
    internal int[] Starts { get; } = starts;

    /// <summary>For each memory the row of its sentence's vectors [M].</summary>
    internal int[] Sentences { get; } = sentences;

    /// <summary>For each memory the row of its time's vectors [M].</summary>
    internal int[] Ages { get; } = ages;
}

/// <summary>What a memory is made of: a vector for its sentence and, where time is encoded, one for its age.</summary>
internal readonly struct MemoryVectors<T>(Tensor<T> sentences, Tensor<T>? times)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>[K, E].</summary>
    internal Tensor<T> Sentences { get; } = sentences;

    /// <summary>[S, E], or null.</summary>
    internal Tensor<T>? Times { get; } = times;
}

/// <summary>
/// One look of each query into its memory, as an operation: pᵢ = softmax(u·mᵢ) and o = Σ pᵢ cᵢ with mᵢ = A[sentence] + Tᴬ[age] and cᵢ = C[sentence] + Tᶜ[age]; a linear hop leaves the softmax out. A query without
/// sentences gets zeros.
/// </summary>
/// <remarks>
/// Sukhbaatar, Szlam, Weston and Fergus 2015 (arXiv:1503.08895), section 2. The vectors of memories are never made: the many memories of a batch are few different sentences, and a memory is read where its two parts lie.
/// </remarks>
internal sealed unsafe class MemoryHop<T> : GraphNode<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly MemoryPlan _plan;
    private readonly Tensor<T> _attention;
    private readonly int _size;
    private readonly bool _linear;

    private MemoryHop(Tensor<T> query, MemoryVectors<T> input, MemoryVectors<T> output, MemoryPlan plan, bool linear, Tensor<T> attention)
        : base([query, input.Sentences, input.Times, output.Sentences, output.Times])
    {
        (_plan, _linear, _attention, _size) = (plan, linear, attention, query.Shape[1]);
        SaveForBackward(attention);
    }

    /// <summary>One hop.</summary>
    /// <param name="query">u [N, E].</param>
    /// <param name="input">A and Tᴬ, by which memories are found.</param>
    /// <param name="output">C and Tᶜ, what is read.</param>
    /// <param name="plan">The memories of each row; kept, not copied.</param>
    /// <param name="linear">Whether the softmax is left out.</param>
    /// <param name="attention">p of each memory [M].</param>
    /// <returns>o [N, E].</returns>
    internal static Tensor<T> Apply(Tensor<T> query, MemoryVectors<T> input, MemoryVectors<T> output, MemoryPlan plan, bool linear, out Tensor<T> attention)
    {
        var size = query.Shape[1];
        attention = Tensor<T>.Uninitialized([plan.Sentences.Length]);
        var result = Tensor<T>.Zeros(query.Shape[0], size);
        var weights = attention.AsSpan();
        Products(plan, size, query.AsReadOnlySpan(), input, weights);
        if (!linear)
        {
            Softmax(plan, weights);
        }

        Sums(plan, size, weights, output, result.AsSpan());
        return Graph.Records<T>(query, input.Sentences, input.Times, output.Sentences, output.Times)
            ? new MemoryHop<T>(query, input, output, plan, linear, attention).Attach(result)
            : result;
    }

    internal override void Backward()
    {
        var query = Inputs[0]!.AsReadOnlySpan();
        var gradient = OutputGradient();
        var input = new MemoryVectors<T>(Inputs[1]!, Inputs[2]);
        var output = new MemoryVectors<T>(Inputs[3]!, Inputs[4]);
        var weights = _attention.AsReadOnlySpan();
        var rented = TensorPool<T>.Rent(weights.Length);
        var ofScores = rented.AsSpan(0, weights.Length);
        Products(_plan, _size, gradient, output, ofScores);
        for (var row = 0; row < _plan.Starts.Length - 1 && !_linear; row++)
        {
            // ∂L/∂sᵢ = pᵢ (∂L/∂pᵢ − Σ p ∂L/∂p).
            var (start, end) = (_plan.Starts[row], _plan.Starts[row + 1]);
            var own = ofScores[start..end];
            var p = weights[start..end];
            var mean = SpanKernels<T>.Dot(p, own);
            for (var i = 0; i < own.Length; i++)
            {
                own[i] = p[i] * (own[i] - mean);
            }
        }

        if (Needs(0))
        {
            Sums(_plan, _size, ofScores, input, InputGradient(0));
        }

        Scatter(1, _plan.Sentences, ofScores, query);
        Scatter(2, _plan.Ages, ofScores, query);
        Scatter(3, _plan.Sentences, weights, gradient);
        Scatter(4, _plan.Ages, weights, gradient);
        TensorPool<T>.Return(rented);
    }

    // pᵢ = e^sᵢ / (Σ e^s + empty places): a place of zeros has the score 0, and all of them together have log of their number.
    private static void Softmax(MemoryPlan plan, Span<T> weights)
    {
        var scores = Array.Empty<T>();
        for (var row = 0; row < plan.Starts.Length - 1; row++)
        {
            var own = weights[plan.Starts[row]..plan.Starts[row + 1]];
            var empty = Math.Max(0, plan.Places - own.Length);
            var count = own.Length + (empty > 0 ? 1 : 0);
            if (scores.Length < count)
            {
                scores = new T[count];
            }

            own.CopyTo(scores);
            if (empty > 0)
            {
                scores[own.Length] = T.Log(T.CreateTruncating(empty));
            }

            fixed (T* p = scores)
            {
                if (count > 0)
                {
                    // Sharp attention leaves next to nothing for most memories, which then costs nothing either.
                    RowKernels<T>.Current.Softmax(new(p, count), new(p, count), 1, count);
                    Tiny<T>.CopyFlushed(p, p, own.Length);
                }
            }

            scores.AsSpan(0, own.Length).CopyTo(own);
        }
    }

    // products[i] = row · vectors of memory i.
    private static void Products(MemoryPlan plan, int size, ReadOnlySpan<T> rows, MemoryVectors<T> vectors, Span<T> products)
    {
        var sentences = vectors.Sentences.AsReadOnlySpan();
        var times = vectors.Times is { } given ? given.AsReadOnlySpan() : default;
        for (var row = 0; row < plan.Starts.Length - 1; row++)
        {
            var own = rows.Slice(row * size, size);
            for (var i = plan.Starts[row]; i < plan.Starts[row + 1]; i++)
            {
                products[i] = SpanKernels<T>.Dot(own, sentences.Slice(plan.Sentences[i] * size, size))
                    + (vectors.Times is null ? T.Zero : SpanKernels<T>.Dot(own, times.Slice(plan.Ages[i] * size, size)));
            }
        }
    }

    // row of sums += Σ factors[i] vectors of memory i.
    private static void Sums(MemoryPlan plan, int size, ReadOnlySpan<T> factors, MemoryVectors<T> vectors, Span<T> sums)
    {
        var sentences = vectors.Sentences.AsReadOnlySpan();
        var times = vectors.Times is { } given ? given.AsReadOnlySpan() : default;
        for (var row = 0; row < plan.Starts.Length - 1; row++)
        {
            var sum = sums.Slice(row * size, size);
            for (var i = plan.Starts[row]; i < plan.Starts[row + 1]; i++)
            {
                SpanKernels<T>.AddScaled(sentences.Slice(plan.Sentences[i] * size, size), factors[i], sum);
                if (vectors.Times is not null)
                {
                    SpanKernels<T>.AddScaled(times.Slice(plan.Ages[i] * size, size), factors[i], sum);
                }
            }
        }
    }

    // Gradients of vectors: to those of memory i, factors[i] times its row. In the order of memories, so that sums are always the same.
    private void Scatter(int input, int[] places, ReadOnlySpan<T> factors, ReadOnlySpan<T> rows)
    {
        if (!Needs(input))
        {
            return;
        }

        var target = InputGradient(input);
        for (var row = 0; row < _plan.Starts.Length - 1; row++)
        {
            var own = rows.Slice(row * _size, _size);
            for (var i = _plan.Starts[row]; i < _plan.Starts[row + 1]; i++)
            {
                SpanKernels<T>.AddScaled(own, factors[i], target.Slice(places[i] * _size, _size));
            }
        }
    }
}
