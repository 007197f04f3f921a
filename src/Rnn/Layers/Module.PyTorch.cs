using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <content>State dicts of PyTorch.</content>
public abstract partial class Module<T>
{
    /// <summary>
    /// The parameters and buffers under the names and in the shapes of a PyTorch state dict, to be written by <see cref="WeightFile.Write"/>, <see cref="PyTorchFile"/>, <see cref="NumPy"/> or <see cref="SafeTensors"/>.
    /// </summary>
    /// <remarks>
    /// <see cref="Lstm{T}"/>, <see cref="Gru{T}"/>, <see cref="SimpleRnn{T}"/>, <see cref="Linear{T}"/>, <see cref="Embedding{T}"/>, <see cref="LayerNorm{T}"/> and <see cref="CausalConvolution{T}"/> (a <c>Conv1d</c>) are named as there; layers in
    /// a <see cref="Sequential{T}"/> have their numbers before them; parameters and children of any other module keep their own names, as in a PyTorch module that has parts of these names. PyTorch's recurrent
    /// layers have two biases a gate, of which only the sum counts: it is written as (b, 0), but for the candidate of a GRU, which reads them apart. Tensors that are the same in both share their memory: write them before training goes on.
    /// </remarks>
    /// <param name="prefix">What to put before each name, with its dot: <c>encoder.</c>.</param>
    /// <exception cref="NotSupportedException">The module computes something that PyTorch's does not, such as a cell that it has not; the message says what.</exception>
    public IReadOnlyList<KeyValuePair<string, Tensor<T>>> ToPyTorch(string prefix = "")
    {
        ArgumentNullException.ThrowIfNull(prefix);
        return ToPyTorch(PyTorchParts(prefix, null));
    }

    /// <summary>Takes all parameters and buffers from a state dict of PyTorch, as <see cref="ToPyTorch(string)"/> names them; floating-point numbers of any width convert. When something does not fit, no parameter changes.</summary>
    /// <param name="file">The file, of any format.</param>
    /// <param name="prefix">What stands before each name, with its dot: <c>encoder.lstm.</c>.</param>
    /// <param name="strict">Whether a tensor below the prefix that belongs to nothing here is an error, as in PyTorch.</param>
    /// <exception cref="InvalidDataException">The file is damaged, or its names, shapes or types are not this module's: the message lists them all.</exception>
    /// <exception cref="NotSupportedException">PyTorch has no such cell, so that there is nothing to read it from.</exception>
    public void LoadPyTorch(WeightFile file, string prefix = "", bool strict = true)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(prefix);
        new PyTorchLoader<T>(PyTorchParts(prefix, file).ToList(), file, TypeName).Load(strict ? prefix : null);
    }

    /// <summary>The parameters and buffers of this module and its children with their places in a state dict.</summary>
    /// <param name="prefix">What stands before each name.</param>
    /// <param name="file">What is read, or null to write.</param>
    private protected virtual IEnumerable<PyTorchPart<T>> PyTorchParts(string prefix, WeightFile? file) =>
        _parameters.Select(pair => new KeyValuePair<string, Tensor<T>>(pair.Key, pair.Value.Value)).Concat(_buffers)
            .Select(pair => new PyTorchPart<T>(pair.Value, pair.Value.Shape, prefix + pair.Key))
            .Concat(_children.SelectMany(child => child.Value.PyTorchParts($"{prefix}{child.Key}.", file)));

    private protected static List<KeyValuePair<string, Tensor<T>>> ToPyTorch(IEnumerable<PyTorchPart<T>> parts) =>
        parts.SelectMany(part => part.Names.Zip(part.ToPyTorch(), (name, tensor) => new KeyValuePair<string, Tensor<T>>(name, tensor))).ToList();
}
