using System.Numerics;
using System.Runtime.InteropServices;

namespace Rnn.Tensors;

/// <summary>
/// A dense array of numbers with a shape, row-major and contiguous. Ordinary garbage-collected memory: nothing is ever disposed.
/// </summary>
/// <remarks>
/// Reshaping and detaching share memory with the original, also when an optimiser moves it; everything else copies. Operations that
/// gradients flow through are the extension methods and operators of this namespace. Reading a tensor from several threads is safe,
/// writing is not.
/// <para>
/// Elements are written by the indexer, by <see cref="CopyTo(Tensor{T})"/> and by <see cref="Edit"/>, and the library sees every write. The
/// result of a recorded operation refuses them until its graph is freed. A write to anything else that a recorded operation still needs,
/// also through <see cref="Detach"/>, makes <c>Backward</c> throw instead of computing gradients from values that are gone.
/// </para>
/// </remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed partial class Tensor<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Storage<T> _storage;
    private Tensor<T>? _gradient;
    private Tensor<T>? _clearedGradient;
    private bool _gradientInBlock;
    private bool _gradientSeen;
    private bool _requiresGradient;

    internal Tensor(Storage<T> storage, Shape shape)
    {
        _storage = storage;
        Shape = shape;
    }

    /// <summary>The dimensions, outermost first.</summary>
    public Shape Shape { get; }

    /// <summary>The number of dimensions.</summary>
    public int Rank => Shape.Rank;

    /// <summary>The number of elements.</summary>
    public int Length => Shape.ElementCount;

    /// <summary>
    /// Whether operations on this tensor are recorded so that <c>Backward</c> gives a gradient. Set it on leaves: parameters and
    /// inputs whose gradient is wanted; results of operations inherit it.
    /// </summary>
    /// <exception cref="InvalidOperationException">Set to false on the result of a recorded operation; use <see cref="Detach"/>.</exception>
    public bool RequiresGradient
    {
        get => _requiresGradient || Node is not null;
        set
        {
            if (!value && Node is not null)
            {
                throw new InvalidOperationException("RequiresGradient: this tensor is the result of a recorded operation; use Detach() for a tensor without history.");
            }

            _requiresGradient = value;
        }
    }

    /// <summary>The gradient that backward passes have added up for this leaf, in its shape; null before the first.</summary>
    /// <remarks>
    /// Further backward passes add to this same tensor. After <see cref="ZeroGradient"/> it stays as it is, and the next backward pass
    /// makes another. Not so for a parameter that an optimiser holds: its gradient is one tensor for good, which clearing and steps of the
    /// optimiser set to zero; take <c>Clone()</c> of it to keep its values.
    /// </remarks>
    public Tensor<T>? Gradient
    {
        get
        {
            _gradientSeen = true;
            return _gradient;
        }
    }

    /// <summary>The recorded operation that made this tensor, null for a leaf.</summary>
    internal GraphNode<T>? Node { get; private set; }

    /// <summary>Which output of <see cref="Node"/> this tensor is.</summary>
    internal int NodeOutput { get; private set; }

    /// <summary>Whether a backward pass may still come through here.</summary>
    internal bool HasHistory => Node is { IsFreed: false };

    /// <summary>Grows whenever the elements may have been written to; packed copies of weights compare it.</summary>
    internal int Version => _storage.Version;

    /// <summary>The memory behind the tensor; all aliases have the same, and it never changes.</summary>
    internal Storage<T> Memory => _storage;

    /// <summary>Holds the memory where it is until the handle is freed.</summary>
    internal GCHandle PinArray() => GCHandle.Alloc(_storage.Array, GCHandleType.Pinned);

    /// <summary>The elements in row-major order, to read.</summary>
    /// <exception cref="InvalidOperationException">The tensor is being edited.</exception>
    /// <exception cref="ObjectDisposedException">The tensor was made inside a <see cref="TensorScope"/> that has ended.</exception>
    public ReadOnlySpan<T> AsReadOnlySpan() => _storage.Array.AsSpan(_storage.Offset, Length);

    /// <summary>Opens writable access to the elements; see <see cref="TensorEdit{T}"/>.</summary>
    /// <returns>The lease; while it is open the tensor cannot be used otherwise.</returns>
    /// <exception cref="InvalidOperationException">
    /// The tensor is being edited already, or is the result of a recorded operation, whose values the backward pass may need.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The tensor was made inside a <see cref="TensorScope"/> that has ended.</exception>
    public TensorEdit<T> Edit()
    {
        CheckWritable("Edit");
        return new(this, _storage.OpenEdit());
    }

    /// <summary>
    /// The elements in row-major order, to be written before anything reads the tensor; the span must not be stored. For the library itself, which
    /// fills tensors before it records them.
    /// </summary>
    internal Span<T> AsSpan()
    {
        _storage.MarkWritten();
        return _storage.Array.AsSpan(_storage.Offset, Length);
    }

    /// <summary>A tensor that shares the memory but has no history: no gradients flow through it.</summary>
    public Tensor<T> Detach() => new(_storage, Shape);

    /// <summary>Refuses to write to a tensor whose values a backward pass may need.</summary>
    internal void CheckWritable(string member)
    {
        if (HasHistory)
        {
            throw new InvalidOperationException(
                $"{member}: this tensor {Shape} is the result of a recorded operation, and writing to it would make gradients wrong; write to Detach().Clone() of it, or call Backward first.");
        }
    }

    /// <summary>The elements for the edit of this number.</summary>
    internal Span<T> EditedSpan(int edit) => _storage.EditedArray(edit).AsSpan(_storage.Offset, Length);

    /// <summary>Ends the edit of this number.</summary>
    internal void EndEdit(int edit) => _storage.CloseEdit(edit);

    /// <summary>A new tensor of unknown content, from the scope's pool inside a <see cref="TensorScope"/>.</summary>
    internal static Tensor<T> Uninitialized(Shape shape) => new(TensorScope.Allocate<T>(shape.ElementCount, zero: false), shape);

    /// <summary>A tensor of the same memory in another shape of the same length, without history.</summary>
    internal Tensor<T> View(Shape shape) => new(_storage, shape);

    internal void SetNode(GraphNode<T> node, int output)
    {
        Node = node;
        NodeOutput = output;
    }

    /// <summary>The gradient of this leaf, made of zeros when there is none yet: pinned, and never from a scope's pool, since it outlives the step.</summary>
    internal Tensor<T> GradientToAccumulate()
    {
        var gradient = GradientToFill(out var overwrite);
        if (overwrite)
        {
            gradient.AsSpan().Clear();
        }

        return gradient;
    }

    /// <summary>
    /// As <see cref="GradientToAccumulate"/>, but where <paramref name="overwrite"/> is true the content is unknown and every element must be written.
    /// </summary>
    internal Tensor<T> GradientToFill(out bool overwrite)
    {
        overwrite = _gradient is null;
        if (overwrite)
        {
            _gradient = _clearedGradient ?? new(new Storage<T>(GC.AllocateUninitializedArray<T>(Length, pinned: true), isPinned: true), Shape);
            (_clearedGradient, _gradientSeen) = (null, false);
        }

        return _gradient!;
    }

    /// <summary>Puts another gradient in the place of this leaf's, null for none, and gives the one that stood there.</summary>
    internal Tensor<T>? ExchangeGradient(Tensor<T>? gradient)
    {
        // Who may hold the one that comes is not known.
        (gradient, _gradient, _gradientSeen) = (_gradient, gradient, true);
        return gradient;
    }

    /// <summary>Whether the gradient of this leaf lies in an array.</summary>
    internal bool HasGradientIn(T[] array) => _gradient is not null && ReferenceEquals(_gradient._storage.Array, array);

    /// <summary>The array, where it never moves and this tensor begins at its start; else null.</summary>
    internal T[]? PinnedArray() => _storage.IsPinned && _storage.Offset == 0 ? _storage.Array : null;

    /// <summary>
    /// Moves the elements, of this tensor and all its aliases, and the gradient if given, into slices of larger pinned blocks; values are copied.
    /// </summary>
    internal void MoveTo(T[] block, int offset, T[] gradientBlock, int gradientOffset)
    {
        var gradient = gradientBlock.AsSpan(gradientOffset, Length);
        if (_gradient is null)
        {
            gradient.Clear();
        }
        else
        {
            _gradient.AsReadOnlySpan().CopyTo(gradient);
        }

        _storage.MoveTo(block, offset, Length);
        _gradient = new(new Storage<T>(gradientBlock, gradientOffset, isPinned: true), Shape);
        _clearedGradient = null;
        _gradientInBlock = true;
    }

    /// <summary>Whether the elements and the gradient lie in these blocks at these places.</summary>
    /// <exception cref="InvalidOperationException">One of them is being edited.</exception>
    internal bool LiesIn(T[] block, int offset, T[] gradientBlock, int gradientOffset) =>
        _storage.LiesIn(block, offset) && _gradientInBlock && _gradient!._storage.LiesIn(gradientBlock, gradientOffset);

    /// <summary>
    /// Clears the gradient for the next backward pass. That of a parameter that an optimiser holds becomes zero; any other becomes null
    /// until then, and who holds the tensor that it was keeps its values.
    /// </summary>
    public void ZeroGradient()
    {
        if (_gradientInBlock)
        {
            _gradient!.AsSpan().Clear();
        }
        else if (_gradient is not null)
        {
            // Memory that nobody has seen is used again.
            (_clearedGradient, _gradient) = (_gradientSeen ? null : _gradient, null);
        }
    }
}
