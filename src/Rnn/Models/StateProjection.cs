using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Models;

/// <summary>The state that a decoder starts with, made of one vector for each sequence: tanh of a learned projection for each tensor of the state, whatever their names and shapes.</summary>
internal sealed class StateProjection<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly SequenceLayer<T> _decoder;
    private readonly Linear<T>[] _layers;

    /// <summary>New projections.</summary>
    /// <param name="decoder">The layer whose state they make.</param>
    /// <param name="inputSize">The size of the vector.</param>
    /// <param name="random">Where their weights come from.</param>
    /// <param name="add">Registers each projection with the model, under its name <c>start_…</c>.</param>
    internal StateProjection(SequenceLayer<T> decoder, int inputSize, RandomSource random, Func<string, Linear<T>, Linear<T>> add)
    {
        var state = decoder.ZeroState(1);
        (_decoder, _layers) = (decoder, new Linear<T>[state.Tensors.Count]);
        for (var i = 0; i < _layers.Length; i++)
        {
            _layers[i] = add($"start_{state.Names[i].Replace('.', '_')}", new(inputSize, state.Tensors[i].Length, new() { Random = random.Split($"start {i}") }));
        }
    }

    /// <summary>The weights that it has, for descriptions of files: each number of a row of the state has one for each of the vector.</summary>
    internal static double WeightCount(SequenceLayer<T> decoder, int inputSize) => decoder.ZeroState(1).Tensors.Sum(tensor => (double)tensor.Length * inputSize);

    /// <summary>The state of N rows.</summary>
    /// <param name="vectors">[N, size].</param>
    internal SequenceState<T> Forward(Tensor<T> vectors)
    {
        var zero = _decoder.ZeroState(vectors.Shape[0]);
        var tensors = new (string, Tensor<T>)[_layers.Length];
        for (var i = 0; i < tensors.Length; i++)
        {
            tensors[i] = (zero.Names[i], _layers[i].Forward(vectors).Tanh().Reshape(zero.Tensors[i].Shape));
        }

        return new(zero.Rows, tensors);
    }
}
