using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace LongMemory;

/// <summary>What a test says of a network: a figure, and whether it is good enough.</summary>
internal readonly record struct Measurement(double Value, bool IsSolved);

/// <summary>A task of one length: how a network for it is made, learns and is tested.</summary>
internal abstract class MemoryTask
{
    /// <summary>The rows of a batch, where a task says nothing else.</summary>
    internal const int Rows = 32;

    /// <summary>Units of a layer.</summary>
    internal int Units { get; init; } = 64;

    /// <summary>The most updates.</summary>
    internal int Updates { get; init; } = 4000;

    /// <summary>The updates between two tests.</summary>
    internal int TestEvery { get; init; } = 100;

    /// <summary>Whether the learning rate fades to zero over all the updates, and the network is tested at their end alone.</summary>
    internal bool Fades { get; init; }

    /// <summary>What the cells' learning rates are multiplied by.</summary>
    internal double RateFactor { get; init; } = 1;

    /// <summary>The bias that forget gates of LSTMs start with.</summary>
    internal double ForgetBias { get; init; } = 1;

    internal abstract Module<float> Create(Cell cell, ulong seed);

    /// <summary>Trains a network until the trainer ends it.</summary>
    internal abstract Task<TrainingResult> LearnAsync(Trainer<float> trainer, CancellationToken stop);

    internal abstract Measurement Test(Module<float> network);

    /// <summary>A layer of the cell and an output layer.</summary>
    protected SequenceChain<float> Chain(Cell cell, int inputs, int outputs, int length, ulong seed) =>
        new(cell.Create(new(inputs, Units, length, ForgetBias), seed), new Linear<float>(Units, outputs, new() { Seed = seed }));
}

/// <summary>The adding problem.</summary>
internal sealed class AddingTask(int length, RandomSource random) : MemoryTask
{
    private readonly AddingProblem<float> _problem = new(length, Rows, random.Split("training"));
    private readonly AddingBatch<float> _test = new AddingProblem<float>(length, 500, random.Split("test")).First();

    internal override Module<float> Create(Cell cell, ulong seed) => Chain(cell, 2, 1, length, seed);

    internal override Task<TrainingResult> LearnAsync(Trainer<float> trainer, CancellationToken stop) =>
        trainer.FitAsync(_problem, batch => LossOf(trainer.Model, batch), cancellationToken: stop);

    internal override Measurement Test(Module<float> network)
    {
        var error = LossOf(network, _test).Item();
        return new(error, error < 0.01);
    }

    private static Tensor<float> LossOf(Module<float> network, AddingBatch<float> batch) =>
        Loss.MeanSquaredError(((SequenceChain<float>)network).Forward(batch.Input, batch.Lengths).Last, batch.Targets);
}

/// <summary>A task over symbols; what is judged is the score and the loss of a batch that is not learned from.</summary>
internal sealed class SymbolTask(GeneratedSource<SymbolBatch> source, SymbolBatch test, Func<SymbolScore, double, Measurement> judge) : MemoryTask
{
    internal override Module<float> Create(Cell cell, ulong seed) => Chain(cell, test.SymbolCount, test.ClassCount, test.Steps, seed);

    internal override Task<TrainingResult> LearnAsync(Trainer<float> trainer, CancellationToken stop) =>
        trainer.FitAsync(source, batch => LossOf(Forward(trainer.Model, batch), batch), cancellationToken: stop);

    internal override Measurement Test(Module<float> network)
    {
        var scores = Forward(network, test);
        return judge(test.Score(scores), LossOf(scores, test).Item());
    }

    internal static Tensor<float> Forward(Module<float> network, SymbolBatch batch) => ((SequenceChain<float>)network).Forward(batch.OneHot<float>(), batch.Lengths).Output;

    internal static Tensor<float> LossOf(Tensor<float> scores, SymbolBatch batch) => Loss.CrossEntropy(scores, batch.Targets, batch.Lengths);
}
