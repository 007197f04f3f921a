using System.Numerics;

namespace Rnn.Tensors;

/// <summary>
/// Recycles the memory of all tensors that operations make on this thread between <see cref="Enter"/> and <see cref="Dispose"/>.
/// Optional: without a scope tensors are ordinary garbage-collected memory. A training loop of one's own that opens a scope around
/// each step allocates next to nothing in steady state; <c>Trainer</c> does it by itself.
/// </summary>
/// <remarks>
/// A tensor made inside a scope may not be used after the scope has ended: its access throws <see cref="ObjectDisposedException"/>.
/// Parameters, gradients of parameters and tensors made before the scope are not touched.
/// </remarks>
/// <example>
/// <code>
/// using (TensorScope.Enter())
/// {
///     var loss = Loss.MeanSquaredError(model.Forward(x), y);
///     loss.Backward();
///     total += loss.Item();
/// }
/// </code>
/// </example>
public sealed class TensorScope : IDisposable
{
    [ThreadStatic]
    private static TensorScope? _current;

    [ThreadStatic]
    private static TensorScope? _spare;

    private readonly List<Action> _others = [];
    private readonly List<Storage<float>> _floats = [];
    private readonly List<Storage<double>> _doubles = [];
    private TensorScope? _outer;

    private TensorScope()
    {
    }

    /// <summary>Opens a scope on this thread; scopes nest.</summary>
    /// <returns>The scope; dispose it on the same thread.</returns>
    public static TensorScope Enter()
    {
        var scope = _spare ?? new TensorScope();
        _spare = null;
        scope._outer = _current;
        _current = scope;
        return scope;
    }

    /// <summary>Ends the scope and takes its tensors' memory back.</summary>
    public void Dispose()
    {
        if (!ReferenceEquals(_current, this))
        {
            throw new InvalidOperationException("A TensorScope must be disposed once, on the thread that entered it, innermost scope first.");
        }

        _current = _outer;
        Recycle(_floats);
        Recycle(_doubles);
        foreach (var other in _others)
        {
            other();
        }

        _others.Clear();
        _spare = this;
    }

    /// <summary>Memory for a new tensor: from the pool inside a scope, else from the garbage-collected heap.</summary>
    internal static Storage<T> Allocate<T>(int length, bool zero)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (_current is not { } scope)
        {
            return new(zero ? new T[length] : GC.AllocateUninitializedArray<T>(length));
        }

        var array = TensorPool<T>.Rent(length);
        if (zero)
        {
            array.AsSpan(0, length).Clear();
        }

        var storage = new Storage<T>(array, isPinned: true);
        switch (storage)
        {
            case Storage<float> floats:
                scope._floats.Add(floats);
                break;
            case Storage<double> doubles:
                scope._doubles.Add(doubles);
                break;
            default:
                scope._others.Add(() => Recycle(storage));
                break;
        }

        return storage;
    }

    private static void Recycle<T>(List<Storage<T>> storages)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (var storage in storages)
        {
            Recycle(storage);
        }

        storages.Clear();
    }

    private static void Recycle<T>(Storage<T> storage)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (storage.Expire() is { } array)
        {
            TensorPool<T>.Return(array);
        }
    }
}
