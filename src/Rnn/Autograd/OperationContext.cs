using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Autograd;

/// <summary>One call of a <see cref="DifferentiableOperation{T}"/>: its inputs, what its forward pass saves and its backward pass reads.</summary>
/// <typeparam name="T">The element type.</typeparam>
public sealed class OperationContext<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly List<Tensor<T>> _saved = [];
    private Tensor<T>?[]? _inputs;
    private Tensor<T>[] _outputs = [];
    private GraphNode<T>? _node;

    internal OperationContext(Tensor<T>?[] inputs)
    {
        _inputs = inputs;
        IsRecorded = Graph.Records<T>(inputs);
    }

    /// <summary>Whether a backward pass may follow: an input requires a gradient and recording is not switched off.</summary>
    public bool IsRecorded { get; }

    /// <summary>The number of inputs, those included that were not given.</summary>
    public int InputCount => Inputs.Length;

    /// <summary>Anything else that <c>Backward</c> needs, such as indices; set in <c>Forward</c>, and not to be changed later.</summary>
    public object? State { get; set; }

    /// <summary>The inputs as they were given.</summary>
    internal Tensor<T>?[] Inputs => _inputs ?? throw new InvalidOperationException("This context belongs to a graph that was freed; it is good inside Forward and Backward only.");

    /// <summary>Whether an input was given.</summary>
    /// <param name="index">The number of the input.</param>
    public bool HasInput(int index) => At(Inputs, index, nameof(HasInput)) is not null;

    /// <summary>An input.</summary>
    /// <param name="index">The number of the input.</param>
    /// <exception cref="InvalidOperationException">The input was not given; see <see cref="HasInput"/>.</exception>
    public Tensor<T> Input(int index) => At(Inputs, index, nameof(Input)) ?? throw new InvalidOperationException($"Input: input {index} was not given.");

    /// <summary>Whether the gradient of an input is wanted; where it is not, <c>Forward</c> need not save for it, nor <c>Backward</c> compute it.</summary>
    /// <param name="index">The number of the input.</param>
    public bool NeedsGradient(int index) => At(Inputs, index, nameof(NeedsGradient)) is { RequiresGradient: true } && IsRecorded;

    /// <summary>Saves a tensor, neither input nor result, for <c>Backward</c>; in <c>Forward</c> only. Keeps nothing where nothing is recorded.</summary>
    /// <param name="tensor">The tensor, not to be written to later.</param>
    /// <returns>The same tensor.</returns>
    /// <exception cref="InvalidOperationException">The forward pass has ended.</exception>
    public Tensor<T> Save(Tensor<T> tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (_node is not null)
        {
            throw new InvalidOperationException("Save: tensors are saved in Forward, for Backward to read.");
        }

        if (IsRecorded)
        {
            _saved.Add(tensor);
        }

        return tensor;
    }

    /// <summary>A saved tensor; in <c>Backward</c> only.</summary>
    /// <param name="index">The number of the call to <see cref="Save"/> in <c>Forward</c>.</param>
    /// <exception cref="InvalidOperationException">There is no backward pass.</exception>
    public Tensor<T> Saved(int index)
    {
        CheckBackward(nameof(Saved));
        return At(_saved, index, nameof(Saved));
    }

    /// <summary>A result of the forward pass; in <c>Backward</c> only.</summary>
    /// <param name="index">The number of the result.</param>
    /// <exception cref="InvalidOperationException">There is no backward pass.</exception>
    public Tensor<T> Output(int index = 0)
    {
        CheckBackward(nameof(Output));
        return At(_outputs, index, nameof(Output));
    }

    /// <summary>Whether anything depends on a result; else its gradient is zero. In <c>Backward</c> only.</summary>
    /// <param name="index">The number of the result.</param>
    /// <exception cref="InvalidOperationException">There is no backward pass.</exception>
    public bool HasOutputGradient(int index = 0)
    {
        _ = Output(index);
        return _node!.HasOutputGradient(index);
    }

    /// <summary>The gradient of a result, a copy in its shape; zeros where nothing depends on it. In <c>Backward</c> only.</summary>
    /// <param name="index">The number of the result.</param>
    /// <exception cref="InvalidOperationException">There is no backward pass.</exception>
    public Tensor<T> OutputGradient(int index = 0)
    {
        var shape = Output(index).Shape;
        return _node!.HasOutputGradient(index) ? Tensor<T>.From(_node.OutputGradient(index), shape) : Tensor<T>.Zeros(shape);
    }

    /// <summary>Ends the forward pass.</summary>
    /// <returns>The saved tensors.</returns>
    internal Tensor<T>[] Record(GraphNode<T> node, Tensor<T>[] outputs)
    {
        (_node, _outputs) = (node, outputs);
        return [.. _saved];
    }

    /// <summary>Forgets everything when the graph is freed.</summary>
    internal void Release()
    {
        (_inputs, _outputs, State) = (null, [], null);
        _saved.Clear();
    }

    private static TItem At<TItem>(IReadOnlyList<TItem> items, int index, string member) => (uint)index < (uint)items.Count
        ? items[index]
        : throw new ArgumentOutOfRangeException(nameof(index), index, $"{member}: expected a number from 0 to {items.Count - 1} but got {index}.");

    private void CheckBackward(string member)
    {
        if (_node is not { IsFreed: false })
        {
            throw new InvalidOperationException($"{member}: good inside Backward only.");
        }
    }
}
