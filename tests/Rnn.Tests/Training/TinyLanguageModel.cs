using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Training;

/// <summary>Embedding, LSTM and linear layer: the smallest model that a trainer trains on tokens.</summary>
internal sealed class TinyLanguageModel<T> : Module<T>, ISequenceModel<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Embedding<T> _embedding;
    private readonly Lstm<T> _lstm;
    private readonly Linear<T> _head;

    public TinyLanguageModel(int vocabulary, int embedded = 8, int hidden = 16, int layers = 1)
    {
        _embedding = AddModule("embedding", new Embedding<T>(vocabulary, embedded, new() { Seed = 0 }));
        _lstm = AddModule("lstm", new Lstm<T>(embedded, hidden, new() { Layers = layers, Seed = 0 }));
        _head = AddModule("head", new Linear<T>(hidden, vocabulary, new() { Seed = 0 }));
    }

    public SequenceOutput<T> Forward(ReadOnlySpan<int> tokens, int rows, ReadOnlySpan<int> lengths, SequenceState<T>? state)
    {
        var output = _lstm.Forward(_embedding.Forward(tokens, new Shape(rows, tokens.Length / rows)), lengths, state);
        return new(_head.Forward(output.Output), output.FinalState);
    }
}

/// <summary>Keeps all reports; they come from the trainer's thread, one after the other.</summary>
internal sealed class Reports : List<TrainingProgress>, IProgress<TrainingProgress>
{
    public Action<TrainingProgress>? OnReport { get; init; }

    public void Report(TrainingProgress value)
    {
        Add(value);
        OnReport?.Invoke(value);
    }
}
