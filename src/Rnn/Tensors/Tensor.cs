using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Rnn.Tensors;

/// <summary>
/// A dense array of numbers with a shape, row-major and contiguous. Ordinary garbage-collected memory: nothing is ever disposed.
/// </summary>
/// <remarks>
/// Reshaping and detaching share memory with the original; everything else copies. Operations that gradients flow through are
/// extension methods and operators of <c>Rnn.Autograd</c>. Reading a tensor from several threads is safe, writing is not.
/// </remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed partial class Tensor<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private Storage<T> _storage;
    private int _offset;
    private Tensor<T>? _gradient;
    private Tensor<T>? _clearedGradient;
    private bool _gradientInBlock;
    private bool _requiresGradient;

    internal Tensor(Storage<T> storage, int offset, Shape shape)
    {
        _storage = storage;
        _offset = offset;
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
    public Tensor<T>? Gradient => _gradient;

    /// <summary>The recorded operation that made this tensor, null for a leaf.</summary>
    internal GraphNode<T>? Node { get; private set; }

    /// <summary>Which output of <see cref="Node"/> this tensor is.</summary>
    internal int NodeOutput { get; private set; }

    /// <summary>Changes whenever someone asks for writable access to the memory; packed copies of weights are renewed by it.</summary>
    internal int Version => _storage.Version;

    /// <summary>The memory behind the tensor, for comparing identities.</summary>
    internal object Memory => _storage;

    /// <summary>Holds the memory where it is until the handle is freed.</summary>
    internal GCHandle PinArray() => GCHandle.Alloc(_storage.Array, GCHandleType.Pinned);

    /// <summary>The elements in row-major order, to read.</summary>
    public ReadOnlySpan<T> AsReadOnlySpan() => _storage.Array.AsSpan(_offset, Length);

    /// <summary>
    /// The elements in row-major order, to write. Ask for it anew before each change of a parameter: the call itself tells the
    /// library that packed copies of the weights are out of date.
    /// </summary>
    public Span<T> AsSpan()
    {
        _storage.Version++;
        return _storage.Array.AsSpan(_offset, Length);
    }

    /// <summary>A tensor of the same memory without history: gradients do not flow through it.</summary>
    public Tensor<T> Detach() => new(_storage, _offset, Shape);

    /// <summary>A new tensor of unknown content, from the scope's pool inside a <see cref="TensorScope"/>.</summary>
    internal static Tensor<T> Uninitialized(Shape shape) => new(TensorScope.Allocate<T>(shape.ElementCount, zero: false), 0, shape);

    /// <summary>The same memory in another shape of the same length; the history is Autograd's matter.</summary>
    internal Tensor<T> View(Shape shape) => new(_storage, _offset, shape);

    internal void SetNode(GraphNode<T> node, int output)
    {
        Node = node;
        NodeOutput = output;
    }

    /// <summary>The gradient of this leaf, made of zeros when there is none yet: pinned, and never from a scope's pool, since it outlives the step.</summary>
    internal Tensor<T> GradientToAccumulate()
    {
        var gradient = GradientToFill(out var fresh);
        if (fresh)
        {
            gradient.AsSpan().Clear();
        }

        return gradient;
    }

    /// <summary>
    /// As <see cref="GradientToAccumulate"/>, but where <paramref name="fresh"/> is true the content is unknown and every element must be written.
    /// </summary>
    internal Tensor<T> GradientToFill(out bool fresh)
    {
        fresh = _gradient is null;
        _gradient ??= _clearedGradient ?? new(new Storage<T>(GC.AllocateUninitializedArray<T>(Length, pinned: true), isPinned: true), 0, Shape);
        _clearedGradient = null;
        return _gradient;
    }

    /// <summary>The array, where it never moves and this tensor begins at its start; else null.</summary>
    internal T[]? PinnedArray() => _storage.IsPinned && _offset == 0 ? _storage.Array : null;

    /// <summary>Moves the elements, and the gradient if given, into slices of larger blocks; values are copied.</summary>
    [MemberNotNull(nameof(_gradient))]
    internal void MoveTo(Storage<T> block, int offset, Storage<T> gradientBlock, int gradientOffset)
    {
        AsReadOnlySpan().CopyTo(block.Array.AsSpan(offset, Length));
        var gradient = gradientBlock.Array.AsSpan(gradientOffset, Length);
        if (_gradient is null)
        {
            gradient.Clear();
        }
        else
        {
            _gradient.AsReadOnlySpan().CopyTo(gradient);
        }

        // Beyond every version that a packed copy may have seen of the old memory.
        block.Version = Math.Max(block.Version, _storage.Version) + 1;
        _storage = block;
        _offset = offset;
        _gradient = new(gradientBlock, gradientOffset, Shape);
        _gradientInBlock = true;
    }

    /// <summary>Whether the elements lie in this block at this place.</summary>
    internal bool LiesIn(Storage<T> block, int offset) => ReferenceEquals(_storage, block) && _offset == offset;

    /// <summary>
    /// Clears the gradient for the next backward pass. That of a parameter that an optimiser holds becomes zero; any other becomes null
    /// until then, and its memory is used again.
    /// </summary>
    public void ClearGradient()
    {
        if (_gradientInBlock)
        {
            _gradient!.AsSpan().Clear();
        }
        else if (_gradient is not null)
        {
            (_clearedGradient, _gradient) = (_gradient, null);
        }
    }
}
