using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Keras;

/// <summary>Weights of single layers in files of Keras: <c>.weights.h5</c>, <c>.keras</c> and old <c>.h5</c>.</summary>
public static class KerasWeights
{
    /// <summary>The layers of a file that have weights.</summary>
    /// <param name="path">The file.</param>
    /// <returns>Paths, such as <c>layers/lstm</c>; in files of Keras 1 and 2 the names of layers.</returns>
    /// <exception cref="InvalidDataException">The file is damaged or none of Keras.</exception>
    public static IReadOnlyList<string> Layers(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var archive = KerasArchive.Open(File.OpenRead(path), path);
        return KerasWeightGroup.Layers(archive.Weights);
    }

    /// <summary>All weights of a file by their paths, such as <c>layers/lstm/cell/vars/0</c>, as Keras stores them: kernels are [inputs, outputs], gates i f c o or z r h.</summary>
    /// <param name="path">The file.</param>
    /// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>; numbers of other widths are converted.</typeparam>
    /// <returns>The weights in the order of the layers.</returns>
    /// <exception cref="InvalidDataException">The file is damaged or none of Keras.</exception>
    public static IReadOnlyList<KeyValuePair<string, Tensor<T>>> Read<T>(string path)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var archive = KerasArchive.Open(File.OpenRead(path), path);
        return KerasWeightGroup.Paths(archive.Weights).Select(archive.Weights.Array).Select(array => KeyValuePair.Create(array.Path, Tensor<T>.From(array.Read<T>(), array.Shape))).ToArray();
    }

    /// <summary>Fills a layer of yours with the weights of one of Keras.</summary>
    /// <param name="path">The file.</param>
    /// <param name="layerPath">Which layer: one of <see cref="Layers"/>.</param>
    /// <param name="layer">
    /// LSTM, GRU or plain recurrent layer of one layer, in one direction or both, Linear, Embedding or LayerNorm, of the same sizes. A file of weights does not say which activations they were trained with, nor whether the
    /// biases of a GRU are [2, 3·units] since it resets after the product: your layer does.
    /// </param>
    /// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
    /// <exception cref="InvalidDataException">The file is damaged, has no such layer, or one of other sizes.</exception>
    /// <exception cref="NotSupportedException">Keras has no layer like yours.</exception>
    public static void Load<T>(string path, string layerPath, Module<T> layer)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(layerPath);
        ArgumentNullException.ThrowIfNull(layer);
        using var archive = KerasArchive.Open(File.OpenRead(path), path);
        KerasLayerWeights<T>.Fill(layer, KerasWeightGroup.At(archive.Weights, layerPath), layerPath);
    }
}
