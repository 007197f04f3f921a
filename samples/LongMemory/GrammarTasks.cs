using System.Numerics.Tensors;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace LongMemory;

/// <summary>A counting language; the figure is the n up to which all words are predicted right.</summary>
internal sealed class CountingTask : MemoryTask
{
    private const int Most = 1000;

    private readonly CountingLanguage _language;

    internal CountingTask(int letters, int taught, RandomSource random)
    {
        _language = new(letters, taught, 16, random);
        (Units, Fades, Updates, RateFactor) = (10, true, 6000, 3);
    }

    internal override Module<float> Create(Cell cell, ulong seed) => Chain(cell, _language.Symbols, _language.Symbols, _language.Longest, seed);

    internal override Task<TrainingResult> LearnAsync(Trainer<float> trainer, CancellationToken stop) =>
        trainer.FitAsync(_language, batch => SymbolTask.LossOf(SymbolTask.Forward(trainer.Model, batch), batch), cancellationToken: stop);

    internal override Measurement Test(Module<float> network)
    {
        var n = 0;
        while (n < Most && CountingLanguage.Words(_language.Letters, n + 1) is var word && word.Score(SymbolTask.Forward(network, word)).RightRows == 1)
        {
            n++;
        }

        return new(n, 2 * n >= 3 * _language.Longest);
    }
}

/// <summary>A stream of embedded Reber strings without end; the figure is how many symbols of another stream are read without a wrong prediction.</summary>
internal sealed class StreamTask : MemoryTask
{
    private const int Most = 100_000;
    private const int Window = 40;

    private readonly ReberStream _stream;
    private readonly RandomState _test;

    internal StreamTask(RandomSource random)
    {
        (_stream, _test) = (new(Rows, Window, random.Split("training")), random.Split("test").GetState());
        (Units, TestEvery) = (32, 250);
    }

    internal override Module<float> Create(Cell cell, ulong seed) =>
        new LanguageModel<float>(ReberGrammar.Letters.Length, cell.Create(new(8, Units, Window, ForgetBias), seed), new() { Seed = seed });

    internal override Task<TrainingResult> LearnAsync(Trainer<float> trainer, CancellationToken stop) => trainer.FitAsync(_stream, cancellationToken: stop);

    internal override Measurement Test(Module<float> network)
    {
        var (reader, grammar, random) = (((LanguageModel<float>)network).CreateStream(), ReberGrammar.Embedded, new RandomSource(_test));
        var (state, read) = (ReberGrammar.Start, 0);
        while (read < Most)
        {
            foreach (var symbol in grammar.Generate(random))
            {
                state = grammar.Next(state, symbol);
                if (((grammar.Legal(state) >> TensorPrimitives.IndexOfMax(reader.Step(symbol))) & 1) == 0)
                {
                    return new(read, false);
                }

                read++;
            }
        }

        return new(Most, true);
    }
}
