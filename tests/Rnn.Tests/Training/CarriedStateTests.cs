using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Training;

/// <summary>Truncated training over separate sequences: what each row of each window starts from.</summary>
public class CarriedStateTests
{
    // Rows of 5, 2, 7, 3 and 4 steps in windows of three: a row begins anew beside others that go on, at every place of a window.
    private static readonly int[][] Sequences = [[1, 2, 3, 0, 2, 1], [3, 3, 1], [0, 1, 2, 3, 2, 1, 0, 3], [2, 2, 0, 1], [1, 0, 3, 1, 2]];

    // The loss of a window is that of the same steps in sequences that are read alone, from their beginning.
    [Theory]
    [InlineData(1, 3, false)]
    [InlineData(2, 3, false)]
    [InlineData(3, 2, false)]
    [InlineData(2, 1, false)]
    [InlineData(2, 3, true)]
    [InlineData(3, 2, true)]
    public async Task Every_window_loses_what_its_sequences_lose_alone(int rows, int steps, bool learned)
    {
        var model = Model(learned);
        var reports = new Reports();
        await new Trainer<double>(model, new Sgd<double> { LearningRate = 0 }) { BatchSize = rows, SequenceLength = steps }.FitAsync(Sequences, epochs: 2, progress: reports);

        var alone = Sequences.Select(sequence => StepLosses(model, sequence)).ToArray();
        var batcher = new TokenSequenceSource(Sequences, rows, steps);
        var (next, current, position, expected) = (0, new int[rows], new int[rows], new List<double>());
        while (batcher.MoveNext())
        {
            var window = batcher.Current;
            var losses = new List<double>();
            for (var row = 0; row < rows; row++)
            {
                if (window.Starts[row])
                {
                    (current[row], position[row]) = (window.ValidSteps[row] > 0 ? next++ : -1, 0);
                }

                losses.AddRange(Enumerable.Range(0, window.ValidSteps[row]).Select(_ => alone[current[row]][position[row]++]));
            }

            expected.Add(losses.Average());
        }

        Assert.Equal(Sequences.Length, next);
        TestModule<double>.AssertClose([.. expected, .. expected], [.. reports.Select(report => report.Loss)], 1e-12);
    }

    // Two rows in windows of two; row 1 begins its second sequence in the second window, where row 0 goes on. The initial state gets a gradient from it.
    [Fact]
    public async Task Gradients_flow_to_the_initial_state_of_rows_that_begin()
    {
        int[][] sequences = [[1, 2, 3, 0, 1], [3, 3, 1], [0, 1, 2]];
        var (model, twin) = (Model(learned: true), Model(learned: true));
        var trainer = new Trainer<double>(model, new Sgd<double> { LearningRate = 0.5 }) { BatchSize = 2, SequenceLength = 2 };
        await trainer.FitAsync(sequences, epochs: 1);

        var optimizer = new Sgd<double>(twin) { LearningRate = 0.5 };
        var (_, carried) = twin.Forward([1, 2], 1);
        var first = (Sum(twin, [1, 2], [2, 3], null) + Sum(twin, [3, 3], [3, 1], null)) * 0.25;
        var state = carried.Clone();
        Update(first);
        Update((Sum(twin, [3, 0], [0, 1], state) + Sum(twin, [0, 1], [1, 2], null)) * 0.25);
        foreach (var (expected, actual) in twin.NamedParameters.Zip(model.NamedParameters))
        {
            TestModule<double>.AssertClose(expected.Value.Value.ToArray(), actual.Value.Value.ToArray(), 1e-13);
        }

        Assert.NotEqual(Model(learned: true).SequenceLayer.InitialState(1).Hidden().ToArray(), model.SequenceLayer.InitialState(1).Hidden().ToArray());

        void Update(Tensor<double> loss)
        {
            optimizer.ZeroGradients();
            loss.Backward();
            optimizer.Step();
        }

        static Tensor<double> Sum(LanguageModel<double> model, int[] tokens, int[] targets, SequenceState<double>? state) =>
            model.ForwardLoss(tokens, 1, default, state, targets, new() { Reduction = LossReduction.Sum }).Loss;
    }

    [Fact]
    public void The_initial_state_is_what_a_sequence_begins_with()
    {
        var model = Model(learned: true);
        var state = model.InitialState(3)!;
        Assert.Equal(model.Forward([1, 2, 3, 0, 1, 2], 3).Logits.ToArray(), model.Forward([1, 2, 3, 0, 1, 2], 3, state: state).Logits.ToArray());
        state.Hidden(0).Sum().Backward();
        Assert.All(model.NamedParameters.Single(pair => pair.Key == "recurrent.initial_h_l0").Value.Gradient!.ToArray(), gradient => Assert.Equal(3, gradient));
        Assert.Null(Model(learned: false).InitialState(3));
        Assert.All(Model(learned: false).SequenceLayer.InitialState(2).Tensors, tensor => Assert.Equal(new double[tensor.Length], tensor.ToArray()));
    }

    // After a step that was left out the state is not to be trusted; in a new pass the series begins anew.
    [Fact]
    public async Task States_are_forgotten_after_a_skipped_step_and_at_each_pass()
    {
        var model = new Watched(sickAt: 3);
        var tokens = Enumerable.Range(0, 26).Select(i => i % 4).ToArray();
        var trainer = new Trainer<double>(model, new Sgd<double>()) { BatchSize = 1, SequenceLength = 5, NonFiniteGradients = NonFinitePolicy.SkipStep };
        var result = await trainer.FitAsync(tokens, epochs: 2);
        Assert.Equal((10L, 1L), (result.Updates, result.SkippedUpdates));
        Assert.Equal([true, false, false, true, false, true, false, false, false, false], model.Begins);

        var lstm = new Lstm<double>(1, 2, new() { Seed = 1 });
        var begins = new List<bool>();
        var series = new SeriesSource<double>(Tensor<double>.Ones(12, 1), Tensor<double>.Ones(12, 2), 1, 4);
        await new Trainer<double>(lstm, new Sgd<double>()).FitAsync(
            series,
            (x, state) =>
            {
                begins.Add(state is null);
                var output = lstm.Forward(x, default, state);
                return (output.Output, output.FinalState);
            },
            (y, target) => Loss.MeanSquaredError(y, target),
            epochs: 2);
        Assert.Equal([true, false, false, true, false, false], begins);
    }

    // Two windows of one's own loop, the state not detached: the second backward pass would run into the first window.
    [Fact]
    public void Windows_that_are_not_detached_are_told()
    {
        var model = new TinyLanguageModel<double>(4);
        var first = model.Forward([1, 2, 3], 1, default, null);
        Loss.CrossEntropy(first.Logits, [2, 3, 0]).Backward();
        var second = model.Forward([0, 1, 2], 1, default, first.State);
        var error = Assert.Throws<InvalidOperationException>(() => Loss.CrossEntropy(second.Logits, [1, 2, 3]).Backward());
        Assert.Contains("Detach() what is carried on", error.Message);

        second = model.Forward([0, 1, 2], 1, default, first.State.Detach());
        Loss.CrossEntropy(second.Logits, [1, 2, 3]).Backward();
    }

    [Fact]
    public async Task A_task_that_keeps_its_state_beyond_the_step_is_told()
    {
        var model = new TinyLanguageModel<double>(4);
        var error = await Assert.ThrowsAnyAsync<InvalidOperationException>(() => new Trainer<double>(model, new Sgd<double>()) { MaxUpdates = 2 }.FitAsync(new Keeping(model)));
        Assert.Contains("TensorScope that has ended", error.Message);
    }

    private static LanguageModel<double> Model(bool learned)
    {
        var model = new LanguageModel<double>(4, new Lstm<double>(3, 5, new() { Layers = 2, LearnedInitialState = learned, Seed = 7 }), new() { Seed = 7 });
        var random = new RandomSource(1);
        foreach (var (_, parameter) in model.NamedParameters.Where(pair => pair.Key.Contains("initial", StringComparison.Ordinal)))
        {
            for (var i = 0; i < parameter.Length; i++)
            {
                parameter.Value[i] = random.NextNormal();
            }
        }

        return model;
    }

    private static double[] StepLosses(LanguageModel<double> model, int[] sequence)
    {
        var logits = model.Forward(sequence.AsSpan(..^1), 1).Logits;
        return [.. Enumerable.Range(0, sequence.Length - 1).Select(step => Loss.CrossEntropy(logits.Slice(1, step..(step + 1)), [sequence[step + 1]]).Item())];
    }

    private sealed class Watched : Module<double>, ISequenceModel<double>
    {
        private readonly TinyLanguageModel<double> _inner;
        private readonly int _sickAt;

        public Watched(int sickAt) => (_inner, _sickAt) = (AddModule("inner", new TinyLanguageModel<double>(4)), sickAt);

        public List<bool> Begins { get; } = [];

        public SequenceOutput<double> Forward(ReadOnlySpan<int> tokens, int rows, ReadOnlySpan<int> lengths, SequenceState<double>? state)
        {
            Begins.Add(state is null);
            var output = _inner.Forward(tokens, rows, lengths, state);
            return Begins.Count == _sickAt ? new(output.Logits * double.NaN, output.State) : output;
        }
    }

    private sealed class Keeping(TinyLanguageModel<double> model) : TrainingTask<double>
    {
        private SequenceState<double>? _state;

        public override BatchLoss<double>? NextLoss()
        {
            var output = model.Forward([1, 2], 1, default, _state);
            _state = output.State;
            return new(Loss.CrossEntropy(output.Logits, [2, 3]), 2);
        }
    }
}
