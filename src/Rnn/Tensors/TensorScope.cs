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
/// <para>
/// A scope is for the code that runs in it, on the thread that entered it. Where an <c>await</c> inside the scope goes on with another
/// thread, the tensors made there are ordinary memory, and what else runs on the first thread meanwhile does not see the scope.
/// </para>
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
    /// <summary>Memory of any element type that a scope has lent.</summary>
    internal interface IScoped
    {
        /// <summary>Gives the memory back to the pool; the tensors that lie in it throw from then on.</summary>
        void Expire();
    }

    // The innermost scope of the thread, and of the flow of the program: after an await the two differ, and neither is then used.
    [ThreadStatic]
    private static TensorScope? _onThread;

    private static readonly AsyncLocal<TensorScope?> InFlow = new();

    [ThreadStatic]
    private static Memory? _spare;

    private readonly TensorScope? _outer;
    private readonly TensorScope? _before;
    private Memory? _memory;

    // A thread that was started inside a scope sees it in its flow, but is not in it.
    private TensorScope()
    {
        _outer = Current();
        _before = InFlow.Value;
        _memory = _spare ?? new Memory();
        _spare = null;
    }

    /// <summary>Opens a scope; scopes nest.</summary>
    /// <returns>The scope, to be disposed.</returns>
    public static TensorScope Enter()
    {
        var scope = new TensorScope();
        _onThread = scope;
        InFlow.Value = scope;
        return scope;
    }

    /// <summary>
    /// Ends the scope and takes its tensors' memory back; scopes that were entered inside of it and are still open end with it. A second
    /// call does nothing. Never throws, so that it hides no other exception.
    /// </summary>
    public void Dispose()
    {
        var innermost = InFlow.Value;
        if (innermost is not null && innermost.IsInside(this))
        {
            for (var scope = innermost; scope != this; scope = scope._outer!)
            {
                scope.End();
            }
        }

        End();
        _onThread = NotEnded(_onThread);
        InFlow.Value = NotEndedInFlow();
    }

    /// <summary>Memory for a new tensor: from the pool inside a scope, else from the garbage-collected heap.</summary>
    internal static Storage<T> Allocate<T>(int length, bool zero)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (Current() is { } scope)
        {
            // What another thread has ended meanwhile takes nothing more.
            lock (scope)
            {
                if (scope._memory is { } memory)
                {
                    return memory.Add<T>(length, zero);
                }
            }
        }

        return new(zero ? new T[length] : GC.AllocateUninitializedArray<T>(length));
    }

    private static TensorScope? Current()
    {
        if (_onThread is null)
        {
            return null;
        }

        _onThread = NotEnded(_onThread);
        return ReferenceEquals(_onThread, NotEndedInFlow()) ? _onThread : null;
    }

    private static TensorScope? NotEndedInFlow()
    {
        var scope = InFlow.Value;
        while (scope is { _memory: null })
        {
            scope = scope._before;
        }

        return scope;
    }

    private static TensorScope? NotEnded(TensorScope? scope)
    {
        while (scope is { _memory: null })
        {
            scope = scope._outer;
        }

        return scope;
    }

    private bool IsInside(TensorScope other)
    {
        var scope = this;
        while (scope is not null && scope != other)
        {
            scope = scope._outer;
        }

        return scope is not null;
    }

    private void End()
    {
        lock (this)
        {
            if (_memory is { } memory)
            {
                _memory = null;
                memory.Recycle();
                _spare = memory;
            }
        }
    }

    /// <summary>What a scope has lent.</summary>
    private sealed class Memory
    {
        private readonly List<IScoped> _storages = [];

        internal Storage<T> Add<T>(int length, bool zero)
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            var array = TensorPool<T>.Rent(length);
            if (zero)
            {
                array.AsSpan(0, length).Clear();
            }

            var storage = Storage<T>.OfScope(array);
            _storages.Add(storage);
            return storage;
        }

        internal void Recycle()
        {
            foreach (var storage in _storages)
            {
                storage.Expire();
            }

            _storages.Clear();
        }
    }
}
