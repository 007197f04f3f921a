using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Training;

/// <summary>Who reads a model does not write its modes; who trains it puts them back.</summary>
public class ModeTests
{
    private static readonly int[] Tokens = [.. Enumerable.Range(0, 400).Select(i => i * i * 7 % 11 % 5)];

    private static readonly Dictionary<string, Action<LanguageModel<float>>> Readers = new()
    {
        ["tokens"] = model => model.Score(Tokens),
        ["text"] = model => model.Score("abcdeab"),
        ["several streams"] = model => model.Score(Tokens, new TextScoreOptions { Segments = 3 }),
        ["refused tokens"] = model => Assert.Throws<ArgumentException>(() => model.Score([1, 9, 2])),
        ["cancelled"] = model => Assert.Throws<OperationCanceledException>(() => model.Score(Tokens, null, new CancellationToken(canceled: true))),
        ["mean loss"] = model => SequenceEvaluation.MeanLoss(model, Tokens),
        ["generation"] = model => Assert.Equal(20, model.Generate([1, 2], 20).Count()),
        ["stream"] = model => Assert.Equal(5, model.CreateStream().Step(1).Length),
    };

    public static TheoryData<string> Reading => [.. Readers.Keys];

    [Theory]
    [MemberData(nameof(Reading))]
    public void Reading_leaves_every_module_as_it_was(string reader)
    {
        var model = Model();
        Readers[reader](model);
        Assert.All(All(model), module => Assert.True(module.IsTraining));

        model.SequenceLayer.Evaluate();
        Readers[reader](model);
        Assert.All(All(model), module => Assert.Equal(module != model.SequenceLayer, module.IsTraining));

        model.Evaluate();
        model.Output.Train();
        Readers[reader](model);
        Assert.All(All(model), module => Assert.Equal(module == model.Output, module.IsTraining));
    }

    [Theory]
    [MemberData(nameof(Reading))]
    public void Reading_draws_no_mask(string reader)
    {
        var model = Model();
        var before = Sources(model);
        Readers[reader](model);
        Assert.Equal(before, Sources(model));
    }

    [Fact]
    public void Scores_do_not_depend_on_the_modes()
    {
        var model = Model();
        var score = model.Score(Tokens);
        var loss = SequenceEvaluation.MeanLoss(model, Tokens);
        Assert.Equal(score.Loss, loss, 1e-6);
        model.Evaluate();
        Assert.Equal(score, model.Score(Tokens));
        Assert.Equal(loss, SequenceEvaluation.MeanLoss(model, Tokens));
        model.SequenceLayer.Train();
        Assert.Equal(score, model.Score(Tokens));
    }

    /// <summary>The ways out of a training.</summary>
    public enum Ending
    {
        Complete,
        Cancelled,
        LossThrows,
        InfiniteGradient,
        ProgressThrows,
    }

    [Theory]
    [InlineData(Ending.Complete)]
    [InlineData(Ending.Cancelled)]
    [InlineData(Ending.LossThrows)]
    [InlineData(Ending.InfiniteGradient)]
    [InlineData(Ending.ProgressThrows)]
    public async Task Training_puts_every_mode_back(Ending ending)
    {
        foreach (var rootTrains in new[] { true, false })
        {
            var model = Model();
            var dropout = model.Children.Select(child => child.Value).OfType<Dropout<float>>().First();
            if (!rootTrains)
            {
                model.Evaluate();
            }

            dropout.Evaluate();
            model.Output.Train();
            var modes = All(model).Select(module => module.IsTraining).ToArray();
            var mask = dropout.Random.GetState();
            using var source = new CancellationTokenSource();
            var seen = new List<bool[]>();
            var steps = 0;
            Tensor<float> Loss(int[] batch)
            {
                seen.Add([.. All(model).Select(module => module.IsTraining)]);
                if (++steps == 3 && ending == Ending.LossThrows)
                {
                    throw new NotSupportedException();
                }

                var loss = model.ForwardLoss(batch.AsSpan(0, 8), 1, default, null, batch.AsSpan(1)).Loss;
                return steps == 3 && ending == Ending.InfiniteGradient ? loss * float.PositiveInfinity : loss;
            }

            var reports = new Reports
            {
                OnReport = report =>
                {
                    if (report.Update == 2 && ending == Ending.Cancelled)
                    {
                        source.Cancel();
                    }
                    else if (report.Update == 2 && ending == Ending.ProgressThrows)
                    {
                        throw new NotSupportedException();
                    }
                },
            };
            var training = new Trainer<float>(model, new Sgd<float> { LearningRate = 0.1 }) { MaxUpdates = 4 }
                .FitAsync([.. Tokens.Chunk(9).Take(10)], Loss, progress: reports, cancellationToken: source.Token);
            if (ending == Ending.Complete)
            {
                await training;
            }
            else
            {
                await Assert.ThrowsAnyAsync<Exception>(() => training);
            }

            // What the user had put into evaluation alone stays so while the rest trains; a model in evaluation trains as a whole.
            Assert.InRange(seen.Count, 2, 4);
            Assert.All(seen, now => Assert.Equal(rootTrains ? modes : modes.Select(_ => true), now));
            Assert.Equal(rootTrains, mask == dropout.Random.GetState());
            Assert.Equal(modes, All(model).Select(module => module.IsTraining));
        }
    }

    [Fact]
    public async Task Validation_is_without_dropout_and_leaves_the_training_its_modes()
    {
        var model = Model();
        model.Output.Evaluate();
        var seen = new List<string>();
        double Loss(string kind)
        {
            seen.Add($"{kind} {model.IsTraining} {model.SequenceLayer.IsTraining} {model.Output.IsTraining}");
            return 0;
        }

        var parameter = ((Linear<float>)model.Output).Bias!;
        await new Trainer<float>(model, new Sgd<float>()).FitAsync(
            ["train"], kind => (parameter.Value * (float)(1 + Loss(kind))).Sum(), validation: ["validate"], epochs: 2);
        Assert.Equal(
            ["train True True False", "validate False False False", "train True True False", "validate False False False"], seen);

        // The figure is that of the same model in evaluation mode.
        var result = await new Trainer<float>(model, new Sgd<float> { LearningRate = 0.1 }) { BatchSize = 4, SequenceLength = 10 }.FitAsync(Tokens, Tokens, epochs: 1);
        Assert.Equal(SequenceEvaluation.MeanLoss(model, Tokens, rows: 4), result.ValidationLoss!.Value, 1e-6);
    }

    [Fact]
    public async Task A_training_that_is_started_inside_an_evaluation_trains()
    {
        var inner = Model();
        var seen = new List<bool>();
        using (Evaluation.Enter())
        {
            Assert.False(inner.IsTraining);
            await new Trainer<float>(inner, new Sgd<float>()).FitAsync(
                [0, 1],
                batch =>
                {
                    seen.Add(inner.IsTraining);
                    return ((Linear<float>)inner.Output).Bias!.Value.Sum();
                },
                epochs: 1);
            Assert.False(inner.IsTraining);
        }

        Assert.True(inner.IsTraining);
        Assert.Equal([true, true], seen);
    }

    [Fact]
    public async Task A_scope_is_of_its_own_flow()
    {
        var model = Model();
        using (Evaluation.Enter())
        {
            Assert.False(model.IsTraining);
            Assert.False(await Task.Run(() => model.SequenceLayer.IsTraining));
            var elsewhere = true;
            var thread = new Thread(() => elsewhere = model.IsTraining);
            thread.UnsafeStart();
            thread.Join();
            Assert.True(elsewhere);
            using (Evaluation.Enter())
            {
                Assert.False(model.IsTraining);
            }

            Assert.False(model.IsTraining);
            using (Evaluation.Suspend())
            {
                Assert.True(model.IsTraining);
            }

            Assert.False(model.IsTraining);
        }

        Assert.True(model.IsTraining);
    }

    [Fact]
    public void Modules_hear_of_changes_of_their_mode_only()
    {
        var module = new Listener();
        module.Train();
        module.Evaluate();
        module.Evaluate();
        using (Evaluation.Enter())
        {
            Assert.False(module.IsTraining);
        }

        module.Train();
        Assert.Equal(["False", "True"], module.Heard);
    }

    [Fact]
    public void Many_threads_score_and_write_with_one_new_model()
    {
        for (var round = 0; round < 25; round++)
        {
            var expected = (Model().Score("abcdeabccba"), string.Join(' ', Model().Generate([1], 20, new() { Seed = 3 })));
            var model = Model();
            var results = new (TextScore Score, string Text)[4];
            Run(results.Length, thread =>
            {
                var score = thread % 2 == 0 ? model.Score("abcdeabccba") : default;
                var text = string.Join(' ', model.Generate([1], 20, new() { Seed = 3 }));
                results[thread] = (thread % 2 == 0 ? score : model.Score("abcdeabccba"), text);
            });
            Assert.All(results, result => Assert.Equal(expected, result));
            Assert.True(model.IsTraining);
        }
    }

    [Fact]
    public async Task Scoring_beside_a_training_takes_no_mask_from_it()
    {
        var (alone, watched) = (Model(), Model());
        await Fit(alone);
        var training = Fit(watched);
        var scores = 0;
        Run(2, _ =>
        {
            while (!training.IsCompleted)
            {
                watched.Score(Tokens);
                Interlocked.Increment(ref scores);
            }
        });
        await training;

        // Each step draws the same masks with and without the scoring, since none of its forward passes was one of evaluation.
        Assert.Equal(Sources(alone), Sources(watched));
        Assert.True(scores > 0);
        static Task Fit(LanguageModel<float> model) =>
            new Trainer<float>(model, new Sgd<float> { LearningRate = 0.01 }) { BatchSize = 4, SequenceLength = 10 }.FitAsync(Tokens, epochs: 40);
    }

    private static LanguageModel<float> Model() => new(
        CharVocabulary.FromText("abcde"),
        new Lstm<float>(6, 10, new() { Layers = 2, Dropout = 0.5, HiddenZoneout = 0.2, WeightDrop = 0.2, Seed = 1 }),
        new() { Dropout = 0.5, EmbeddingDropout = 0.5, Seed = 1 });

    private static List<Module<float>> All(Module<float> module) => [module, .. module.Children.SelectMany(child => All(child.Value))];

    private static List<RandomState> Sources(LanguageModel<float> model) =>
        [((RecurrentLayer<float>)model.SequenceLayer).Random.GetState(), .. model.Children.Select(child => child.Value).OfType<Dropout<float>>().Select(layer => layer.Random.GetState())];

    // Threads of their own that begin at once.
    private static void Run(int count, Action<int> action)
    {
        using var barrier = new Barrier(count);
        var errors = new Exception?[count];
        var threads = Enumerable.Range(0, count).Select(index => new Thread(() =>
        {
            try
            {
                barrier.SignalAndWait();
                action(index);
            }
            catch (Exception error)
            {
                errors[index] = error;
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.All(errors, Assert.Null);
    }

    private sealed class Listener : Module<float>
    {
        public List<string> Heard { get; } = [];

        protected override void OnModeChanged() => Heard.Add($"{IsTraining}");
    }
}
