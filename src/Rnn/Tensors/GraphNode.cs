using System.Numerics;

namespace Rnn.Tensors;

/// <summary>
/// One recorded operation of the graph: an output tensor points to its node, the node to its input tensors.
/// The operations themselves and the backward pass over the graph are in Autograd, which knows tensors; this base is here because a tensor
/// refers to its node.
/// </summary>
/// <remarks>
/// A node adds up the gradients of its outputs in pooled buffers that exist only during a backward pass. Inside
/// <see cref="Backward"/> an operation reads <see cref="OutputGradient"/> and adds to <see cref="InputGradient(int)"/>.
/// </remarks>
internal abstract class GraphNode<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly OutputSlot[]? _otherOutputs;
    private readonly long _versions;
    private SavedTensor[] _saved = [];
    private OutputSlot _firstOutput;
    private RecordedMemory.Entry? _savedMemory;
    private Tensor<T>?[]? _inputs;

    /// <summary>Records an operation of these inputs; null stands for an input that was not given.</summary>
    protected GraphNode(Tensor<T>?[] inputs, int outputs = 1)
    {
        _inputs = inputs;
        _versions = Versions(inputs);
        _otherOutputs = outputs > 1 ? new OutputSlot[outputs - 1] : null;
    }

    /// <summary>The inputs of the operation.</summary>
    /// <exception cref="InvalidOperationException">The graph was freed by an earlier backward pass.</exception>
    internal Tensor<T>?[] Inputs => _inputs ?? throw new InvalidOperationException(
        "Backward: this graph was already freed by an earlier Backward, or by one that failed; call Backward(keepGraph: true) there to run another one through it, or Detach() what is carried on.");

    /// <summary>Whether the graph was freed: by a backward pass, or by one that failed.</summary>
    internal bool IsFreed => _inputs is null;

    /// <summary>Whether any output has received a gradient in this backward pass.</summary>
    internal bool HasGradient
    {
        get
        {
            if (_firstOutput.Gradient is not null)
            {
                return true;
            }

            foreach (ref var slot in _otherOutputs.AsSpan())
            {
                if (slot.Gradient is not null)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>The number of nodes that use the outputs and that this backward pass has not run yet.</summary>
    internal int Pending { get; set; }

    /// <summary>Whether another backward pass may follow: what this one reads must be unchanged after it.</summary>
    internal bool IsKept { get; set; }

    /// <summary>The number of the backward pass that last reached this node.</summary>
    internal long Visit { get; set; }

    /// <summary>
    /// Whether <see cref="Backward"/> reads values of the inputs, so that they may not change before it. False for operations that only
    /// move or sum values.
    /// </summary>
    private protected virtual bool ReadsInputs => true;

    /// <summary>Whether the output is the input's memory in another shape: then a write to it is an error only for operations that read its values.</summary>
    private protected virtual bool SharesMemory => false;

    /// <summary>Names tensors, neither inputs nor outputs, that <see cref="Backward"/> reads, such as a mask; they may not change before it.</summary>
    private protected void SaveForBackward(params ReadOnlySpan<Tensor<T>> tensors)
    {
        _saved = new SavedTensor[tensors.Length];
        for (var i = 0; i < tensors.Length; i++)
        {
            _saved[i] = new(tensors[i]);
        }
    }

    /// <summary>
    /// Throws if a value that <see cref="Backward"/> needs was modified after recording, directly or through an alias. Outputs always count:
    /// many operations read them, and the gradient at an overwritten value would be meaningless.
    /// </summary>
    /// <exception cref="InvalidOperationException">An input, an output or a saved tensor was written to.</exception>
    internal void CheckUnchanged()
    {
        if (ReadsInputs && Versions(Inputs) != _versions)
        {
            var isBeingEdited = Array.Exists(Inputs, input => input is { Memory.IsBeingEdited: true });
            throw Changed("a tensor that was used in this graph", isBeingEdited);
        }

        foreach (var tensor in _saved)
        {
            tensor.CheckUnchanged("a tensor that was used in this graph");
        }

        if (!SharesMemory)
        {
            _firstOutput.Values.CheckUnchanged("the result of an operation in this graph");
            foreach (ref var slot in _otherOutputs.AsSpan())
            {
                slot.Values.CheckUnchanged("the result of an operation in this graph");
            }
        }
    }

    /// <summary>Adds to the gradients of the inputs from the gradients of the outputs.</summary>
    internal abstract void Backward();

    /// <summary>
    /// Saves pooled memory for <see cref="Backward"/>; it is released when the graph is freed, or once nothing refers to the node any more.
    /// At most once for each node, right after its construction.
    /// </summary>
    internal void SaveMemory(IRecordedMemory memory, long bytes) => _savedMemory = RecordedMemory.Begin(this, memory, bytes);

    /// <summary>Releases what the operation saved for the backward pass; called once, when the graph is freed.</summary>
    protected virtual void OnRelease()
    {
    }

    /// <summary>Makes <paramref name="tensor"/> output number <paramref name="index"/> of this node.</summary>
    internal Tensor<T> Attach(Tensor<T> tensor, int index = 0)
    {
        tensor.SetNode(this, index);
        ref var slot = ref Slot(index);
        slot.Length = tensor.Length;
        slot.Values = new(tensor);
        return tensor;
    }

    /// <summary>Whether an input requires a gradient.</summary>
    protected bool Needs(int input) => Inputs[input] is { RequiresGradient: true };

    /// <summary>Whether this output has received a gradient in this backward pass.</summary>
    internal bool HasOutputGradient(int index) => Slot(index).Gradient is not null;

    /// <summary>The gradient of an output; empty if no gradient reached it.</summary>
    internal ReadOnlySpan<T> OutputGradient(int index = 0)
    {
        ref var slot = ref Slot(index);
        return slot.Gradient is { } array ? array.AsSpan(0, slot.Length) : default;
    }

    /// <summary>The gradient of an input to add to; check <see cref="Needs"/> first.</summary>
    protected Span<T> InputGradient(int input)
    {
        var span = InputGradient(input, out var overwrite);
        if (overwrite)
        {
            span.Clear();
        }

        return span;
    }

    /// <summary>
    /// The gradient of an input. Where <paramref name="overwrite"/> is true its content is undefined and every element must be written, which saves
    /// clearing it; else the operation must add to it. Fill one input's gradient before asking for the next: two inputs may be
    /// the same tensor.
    /// </summary>
    protected Span<T> InputGradient(int input, out bool overwrite)
    {
        var tensor = Inputs[input]!;
        if (tensor.Node is { } node)
        {
            return node.GradientToFill(tensor.NodeOutput, tensor.Length, out overwrite);
        }

        return tensor.GradientToFill(out overwrite).AsSpan();
    }

    /// <summary>The buffer of an output's gradient, rented on first use.</summary>
    internal Span<T> GradientToFill(int index, int length, out bool overwrite)
    {
        ref var slot = ref Slot(index);
        overwrite = slot.Gradient is null;
        var array = slot.Gradient ??= TensorPool<T>.Rent(length);
        return array.AsSpan(0, length);
    }

    /// <summary>Uses a gradient that the caller owns, in memory that does not move, for the duration of the backward pass.</summary>
    internal void BorrowGradient(int index, T[] gradient)
    {
        ref var slot = ref Slot(index);
        slot.Gradient = gradient;
        slot.IsBorrowed = true;
    }

    /// <summary>Returns the gradient buffers of the outputs.</summary>
    internal void ReleaseGradients()
    {
        _firstOutput.Release();
        foreach (ref var slot in _otherOutputs.AsSpan())
        {
            slot.Release();
        }
    }

    /// <summary>Drops the inputs and returns what was saved for the backward pass.</summary>
    internal void Release()
    {
        if (_inputs is not null)
        {
            (_inputs, _saved) = (null, []);
            _firstOutput.Values = default;
            foreach (ref var slot in _otherOutputs.AsSpan())
            {
                slot.Values = default;
            }

            OnRelease();
            if (_savedMemory is { } entry)
            {
                _savedMemory = null;
                RecordedMemory.End(entry);

                // While this node is reachable, nobody else releases its memory.
                GC.KeepAlive(this);
            }
        }
    }

    // The storage of a tensor never changes and versions only grow, so the sum is unchanged only if every version is.
    private static long Versions(Tensor<T>?[] inputs)
    {
        var sum = 0L;
        foreach (var input in inputs)
        {
            sum += input?.Version ?? 0;
        }

        return sum;
    }

    private static InvalidOperationException Changed(string what, bool isBeingEdited) => new(isBeingEdited
        ? $"Backward: {what} is being edited; dispose what Edit() returned, and edit before the forward pass or after the backward pass."
        : $"Backward: {what} has been written to since (by an indexer, Edit, CopyTo or an optimiser's step, perhaps through an alias such as Detach()), so gradients would be wrong; call Backward first, or write to Detach().Clone() of it.");

    private ref OutputSlot Slot(int index)
    {
        if (index == 0)
        {
            return ref _firstOutput;
        }

        return ref _otherOutputs![index - 1];
    }

    private struct OutputSlot
    {
        public T[]? Gradient;
        public int Length;
        public bool IsBorrowed;
        public SavedTensor Values;

        public void Release()
        {
            if (Gradient is { } array)
            {
                Gradient = null;
                if (!IsBorrowed)
                {
                    TensorPool<T>.Return(array);
                }

                IsBorrowed = false;
            }
        }
    }

    /// <summary>A tensor's memory and its version at the time of recording.</summary>
    private readonly struct SavedTensor(Tensor<T> tensor)
    {
        private readonly Storage<T>? _memory = tensor.Memory;
        private readonly int _version = tensor.Version;

        public void CheckUnchanged(string what)
        {
            if (_memory is not null && _memory.Version != _version)
            {
                throw Changed(what, _memory.IsBeingEdited);
            }
        }
    }
}
