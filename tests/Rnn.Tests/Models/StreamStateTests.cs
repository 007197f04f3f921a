using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Tests.Models;

/// <summary>Streams of every model are left, saved and gone on from, in another stream and on another thread, with the same bits.</summary>
public sealed class StreamStateTests
{
    private const int Steps = 11;

    /// <summary>A stream of each kind as a function from a step's input to numbers, with its state.</summary>
    public static TheoryData<string> Kinds => ["language", "labels", "last", "mean", "max", "attention", "tokens", "mixture", "mulaw", "transcriber", "stacked", "chain", "scan", "wavenet"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_saved_state_goes_on_in_another_stream(string kind)
    {
        var make = Make(kind);
        var whole = make();
        var expected = Enumerable.Range(0, Steps).Select(whole.Step).ToArray();
        for (var at = 0; at <= Steps; at += 3)
        {
            var first = make();
            var outputs = Enumerable.Range(0, at).Select(first.Step).ToList();
            using var file = new MemoryStream();
            first.GetState().Save(file);
            file.Position = 0;

            // The other stream has been elsewhere.
            var second = make();
            second.Step(7);
            second.SetState(SequenceState<float>.Load(file));
            outputs.AddRange(Enumerable.Range(at, Steps - at).Select(second.Step));
            Assert.Equal(expected, outputs);

            // The first is where it was.
            Assert.Equal(expected.Skip(at), Enumerable.Range(at, Steps - at).Select(first.Step));
            second.Reset();
            Assert.Equal(expected, Enumerable.Range(0, Steps).Select(second.Step));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Streams_on_several_threads_share_a_model(string kind)
    {
        var make = Make(kind);
        var whole = make();
        var expected = Enumerable.Range(0, Steps).Select(whole.Step).ToArray();
        Parallel.For(0, 16, new() { MaxDegreeOfParallelism = 4 }, _ =>
        {
            var stream = make();
            Assert.Equal(expected, Enumerable.Range(0, Steps).Select(stream.Step));
        });
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void States_that_do_not_fit_are_refused_and_change_nothing(string kind)
    {
        var make = Make(kind);
        var whole = make();
        var expected = Enumerable.Range(0, Steps).Select(whole.Step).ToArray();
        var stream = make();
        stream.Step(0);
        var state = stream.GetState();
        Assert.Throws<ArgumentException>(() => stream.SetState(state.Repeat(2)));
        Assert.Throws<ArgumentException>(() => stream.SetState(new(1, ("nothing", Tensor<float>.Zeros(1, 3)))));
        Assert.Throws<ArgumentNullException>(() => stream.SetState(null!));
        foreach (var name in state.Names)
        {
            var tensors = state.Names.Where(other => other != name).Select(other => (other, state[other])).ToArray();
            Assert.Throws<ArgumentException>(() => stream.SetState(new(1, tensors)));
            Assert.Throws<ArgumentException>(() => stream.SetState(new(1, [.. tensors, (name, Tensor<float>.Zeros(1, state[name].Length + 1))])));
        }

        Assert.Equal(expected.Skip(1), Enumerable.Range(1, Steps - 1).Select(stream.Step));
    }

    private static Func<Running> Make(string kind)
    {
        switch (kind)
        {
            case "language":
                var language = new LanguageModel<float>(5, new Lstm<float>(3, 6, new() { Seed = 1 }), new() { Seed = 2 });
                return () => Of(language.CreateStream(), (stream, i) => Text(stream.Step(i % 5)), stream => stream.GetState(), (stream, state) => stream.SetState(state), stream => stream.Reset());
            case "labels":
                var labels = new MultiLabelSequenceModel<float>(new Gru<float>(4, 5, new() { Seed = 1 }), 4, new() { Seed = 2 });
                return () => Of(labels.CreateStream(), (stream, i) => Text(stream.Step(Features(i))), stream => stream.GetState(), (stream, state) => stream.SetState(state), stream => stream.Reset());
            case "last" or "mean" or "max" or "attention":
                var features = new SequenceClassifier<float>(
                    new Gru<float>(4, 6, new() { Seed = 1 }), ["a", "b", "c"], new() { Pooling = Enum.Parse<PoolingKind>(kind, ignoreCase: true), Seed = 2 });
                return () => Of(features.CreateStream(), (stream, i) => Text(stream.Step(Features(i))), stream => stream.GetState(), (stream, state) => stream.SetState(state), stream => stream.Reset());
            case "tokens":
                var tokens = new SequenceClassifier<float>(5, new Lstm<float>(4, 6, new() { Seed = 1 }), ["a", "b"], new() { Pooling = PoolingKind.Attention, Seed = 2 });
                return () => Of(tokens.CreateStream(), (stream, i) => Text(stream.Step(i % 5)), stream => stream.GetState(), (stream, state) => stream.SetState(state), stream => stream.Reset());
            case "mixture" or "mulaw":
                var wave = kind == "mixture"
                    ? new WaveformModel<float>(new Lstm<float>(1, 6, new() { Seed = 1 }), new() { Output = WaveformOutput.LogisticMixture, Seed = 2 })
                    : new WaveformModel<float>(new Lstm<float>(5, 6, new() { Seed = 1 }), new() { Seed = 2 });
                return () => Of(wave.CreateStream(), (stream, i) => $"{stream.Score(MathF.Sin(i))}", stream => stream.GetState(), (stream, state) => stream.SetState(state), stream => stream.Reset());
            case "transcriber" or "stacked":
                var stacking = kind == "stacked" ? 2 : 1;
                var transcriber = new SequenceTranscriber<float>(new Gru<float>(4 * stacking, 5, new() { Seed = 1 }), CharVocabulary.FromText("abc"), new() { FrameStacking = stacking, Seed = 3 });
                return () => Of(
                    transcriber.CreateStream(), (stream, i) => $"{stream.Step(Features(i))} {(stacking == 2 && i % 2 == 0 ? string.Empty : Text(stream.Probabilities))}", stream => stream.GetState(),
                    (stream, state) => stream.SetState(state), stream => stream.Reset());
            default:
                SequenceLayer<float> layer = kind switch
                {
                    "scan" => new MinLstm<float>(4, 5, new() { Seed = 1 }),
                    "wavenet" => new WaveNet<float>(4, new() { ResidualChannels = 4, DilationChannels = 3, SkipChannels = 3, LayersPerBlock = 3, Seed = 1 }),
                    _ => new SequenceChain<float>(new Linear<float>(4, 3, new() { Seed = 1 }), new Lstm<float>(3, 5, new() { Seed = 2 }), new Linear<float>(5, 2, new() { Seed = 3 })),
                };
                layer.Evaluate();
                return () => Of(
                    layer.CreateStream(),
                    (stream, i) =>
                    {
                        var output = new float[stream.OutputSize];
                        stream.Step(Features(i), output);
                        return Text(output);
                    },
                    stream => stream.GetState(), (stream, state) => stream.SetState(state), stream => stream.Reset());
        }
    }

    private static float[] Features(int i) => [MathF.Sin(i), MathF.Cos(2 * i), i % 3, -i % 2];

    private static string Text(ReadOnlySpan<float> values) => string.Join(" ", values.ToArray());

    private static Running Of<TStream>(
        TStream stream, Func<TStream, int, string> step, Func<TStream, SequenceState<float>> get, Action<TStream, SequenceState<float>> set, Action<TStream> reset) =>
        new(i => step(stream, i), () => get(stream), state => set(stream, state), () => reset(stream));

    private sealed record Running(Func<int, string> Step, Func<SequenceState<float>> GetState, Action<SequenceState<float>> SetState, Action Reset);
}
