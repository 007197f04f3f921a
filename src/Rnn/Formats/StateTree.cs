using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Formats;

/// <summary>
/// The state of something that can be saved and put back: tensors, and values beside them, by dotted path. What is added is not copied: write or read the tree
/// before anything changes.
/// </summary>
/// <typeparam name="T">The element type of the tensors.</typeparam>
public sealed class StateTree<T> : StateValues
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly SortedDictionary<string, Tensor<T>> _tensors;

    /// <summary>An empty tree.</summary>
    public StateTree() => _tensors = new(StringComparer.Ordinal);

    private StateTree(SortedDictionary<string, Tensor<T>> tensors, SortedDictionary<string, string> values, string prefix)
        : base(values, prefix) => _tensors = tensors;

    /// <summary>All tensors of the tree by their whole paths.</summary>
    public IReadOnlyDictionary<string, Tensor<T>> Tensors => _tensors;

    /// <inheritdoc/>
    public override StateTree<T> Branch(string name) => new(_tensors, Dictionary, $"{Prefix}{name}.");

    /// <summary>Adds a tensor; it is not copied.</summary>
    /// <param name="name">The name in this branch.</param>
    /// <param name="tensor">The tensor.</param>
    public void Add(string name, Tensor<T> tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        _tensors.Add(Prefix + name, tensor);
    }

    /// <summary>A tensor of the tree, or null.</summary>
    /// <param name="name">The name in this branch.</param>
    public Tensor<T>? FindTensor(string name) => _tensors.GetValueOrDefault(Prefix + name);

    /// <summary>A tensor of the tree.</summary>
    /// <param name="name">The name in this branch.</param>
    /// <param name="shape">The shape that it must have.</param>
    /// <exception cref="InvalidDataException">There is none, or it has another shape.</exception>
    public Tensor<T> GetTensor(string name, Shape shape)
    {
        var tensor = FindTensor(name) ?? throw Missing(name);
        return tensor.Shape == shape ? tensor : throw new InvalidDataException($"The saved state's '{Prefix}{name}': expected {shape} but it is {tensor.Shape}.");
    }
}
