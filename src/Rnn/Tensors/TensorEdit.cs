using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Numerics.Tensors;

namespace Rnn.Tensors;

/// <summary>Writable access to a tensor's elements for as long as this lease is open: <c>using var edit = tensor.Edit();</c>.</summary>
/// <remarks>
/// While the lease is open nothing else can read the tensor or any alias of it: operations, forward and backward passes and optimisers
/// throw <see cref="InvalidOperationException"/>. So the library notices every write, and a lease that was never disposed is noticed at the
/// next use of the tensor. The spans cannot outlive the lease: it is a <c>ref struct</c>, which no field, lambda or asynchronous method can
/// hold, and its spans count as references into the lease itself (<see cref="UnscopedRefAttribute"/>), so the compiler refuses to return
/// them or to assign them to a variable that lives longer than the lease. Nor can a lease be ended before its block does: it has no
/// <c>Dispose</c> to call by hand, only the one that <c>using</c> calls.
/// </remarks>
/// <example>
/// <code>
/// using (var edit = layer.Weight.Value.Edit())
/// {
///     edit.Span.Fill(0.1f);
///     edit[0, 0] = 1;
/// }
/// </code>
/// </example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public readonly ref struct TensorEdit<T> : IDisposable
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Tensor<T>? _tensor;
    private readonly int _edit;

    internal TensorEdit(Tensor<T> tensor, int edit)
    {
        _tensor = tensor;
        _edit = edit;
    }

    /// <summary>The elements in row-major order.</summary>
    /// <exception cref="ObjectDisposedException">The lease has ended.</exception>
    [UnscopedRef]
    public Span<T> Span => Tensor.EditedSpan(_edit);

    /// <summary>The elements as a span of System.Numerics.Tensors.</summary>
    /// <remarks>Spans know no scalars and no empty dimensions: a scalar becomes [1], an empty tensor the empty span.</remarks>
    /// <exception cref="ObjectDisposedException">The lease has ended.</exception>
    [UnscopedRef]
    public TensorSpan<T> TensorSpan => Tensor.Length == 0 ? default : new(Span, TensorInterop.Lengths(Tensor.Shape));

    private Tensor<T> Tensor => _tensor ?? throw new ObjectDisposedException(nameof(TensorEdit<T>), "This edit is of no tensor; call Edit() of one.");

    /// <summary>One element; negative indices count from the end.</summary>
    /// <param name="index">One index a dimension.</param>
    /// <exception cref="ArgumentException">There are more or fewer indices than dimensions, or one is out of range.</exception>
    /// <exception cref="ObjectDisposedException">The lease has ended.</exception>
    [UnscopedRef]
    public ref T this[params ReadOnlySpan<int> index] => ref Span[Tensor.OffsetOf(index, Tensor.Rank)];

    // For using alone: spans that were taken before a call by hand would still write.
    void IDisposable.Dispose() => _tensor?.EndEdit(_edit);
}
