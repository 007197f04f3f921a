using Rnn.Formats;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Tests.Sequences;

public class BatchSourceTests
{
    private static readonly int[][] Sequences =
        [.. Enumerable.Range(0, 37).Select(i => Enumerable.Range(i * 100, (i * 7) % 13).ToArray())];

    /// <summary>The sources that the tests walk.</summary>
    public enum Kind
    {
        Stream,
        OverlappingStream,
        Sequences,
        ShuffledSequences,
        Series,
        Buckets,
        ShuffledBuckets,
        Features,
        Rows,
        ShuffledRows,
        Forecasts,
        ShuffledForecasts,
    }

    public static TheoryData<Kind> Kinds() => [.. Enum.GetValues<Kind>()];

    public static IEnumerable<object[]> KindsAhead() => from kind in Enum.GetValues<Kind>() from ahead in Enumerable.Range(0, 3) select new object[] { kind, ahead };

    [Theory]
    [MemberData(nameof(KindsAhead))]
    public void Every_place_can_be_returned_to(Kind kind, int ahead)
    {
        // Places of the source itself; what is resumed there may make its batches ahead, and what makes them ahead has the same places.
        var whole = Make(kind);
        var twin = Make(kind, ahead: 2);
        var batches = new List<string>();
        var places = new List<StateValues>();
        for (var pass = 0; pass < 3; pass++)
        {
            whole.Begin();
            twin.Begin();
            Keep();
            while (whole.Next() is { } batch)
            {
                Assert.Equal(batch, twin.Next());
                batches.Add($"{pass} {batch}");
                Keep();
            }

            Assert.Null(twin.Next());
        }

        void Keep()
        {
            places.Add(whole.Save());
            Assert.Equal(places[^1].Values, twin.Save().Values);
        }

        Assert.True(batches.Count >= 9, $"{batches.Count} batches");
        foreach (var place in places)
        {
            var resumed = Make(kind, ahead: ahead);
            resumed.Restore(place);
            var (pass, position) = (place.GetInt64("pass"), place.GetInt64("position"));
            var rest = new List<string>();
            while (true)
            {
                while (resumed.Next() is { } batch)
                {
                    rest.Add($"{pass - 1} {batch}");
                }

                if (++pass > 3)
                {
                    break;
                }

                resumed.Begin();
            }

            Assert.Equal(batches.TakeLast(rest.Count), rest);
            Assert.Equal(batches.Count(batch => batch[0] - '0' >= place.GetInt64("pass") - 1) - position, rest.Count);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Shuffled_passes_differ_and_have_the_same_data(Kind kind)
    {
        var source = Make(kind);
        var passes = new List<string[]>();
        for (var pass = 0; pass < 3; pass++)
        {
            source.Begin();
            var batches = new List<string>();
            while (source.Next() is { } batch)
            {
                batches.Add(batch);
            }

            passes.Add([.. batches]);
        }

        if (IsShuffled(kind))
        {
            Assert.NotEqual(passes[0], passes[1]);
            Assert.NotEqual(passes[1], passes[2]);
        }
        else
        {
            Assert.Equal(passes[0], passes[1]);
        }

        Assert.NotEqual(source.Identity, Make(kind, other: true).Identity);
        Assert.Equal(source.Identity, Make(kind).Identity);
    }

    [Fact]
    public void A_reset_repeats_the_pass()
    {
        var source = SequenceBatch.Bucket(Sequences, 4, random: new RandomSource(3));
        int[][] Rest()
        {
            var all = new List<int[]>();
            while (source.MoveNext())
            {
                all.Add(source.Current.Indices.ToArray());
            }

            return [.. all];
        }

        var first = Rest();
        source.Reset();
        Assert.Equal((1, 0L), (source.Pass, source.Position));
        Assert.Equal(first, Rest());
        Assert.Equal((1, 10L), (source.Pass, source.Position));
        Assert.False(source.MoveNext());
        Assert.Equal(10, source.Position);
        source.BeginPass();
        Assert.NotEqual(first, Rest());
    }

    [Fact]
    public void A_pass_that_is_undone_does_not_count()
    {
        var (source, twin) = (SequenceBatch.Bucket(Sequences, 4, random: new RandomSource(3)), SequenceBatch.Bucket(Sequences, 4, random: new RandomSource(3)));
        _ = source.Take(3).Count();
        source.UndoPass();
        Assert.Equal(0, source.Pass);
        Assert.Equal(twin.SelectMany(batch => batch.Indices.ToArray()), source.SelectMany(batch => batch.Indices.ToArray()));
        Assert.Equal((1, 1), (source.Pass, twin.Pass));
    }

    [Fact]
    public void Two_passes_at_once_are_refused()
    {
        var source = new RowSource<float>(Tensor<float>.Zeros(9, 2), Tensor<float>.Zeros(9), 2);
        using var first = source.GetEnumerator();
        Assert.True(first.MoveNext());
        Assert.Equal(5, source.Count());
        Assert.Contains("one pass after the other", Assert.Throws<InvalidOperationException>(() => first.MoveNext()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_are_those_of_both_tensors()
    {
        var (inputs, targets) = (Tensor<double>.From([.. Enumerable.Range(0, 14).Select(i => (double)i)], 7, 2), Tensor<double>.From([0, 1, 2, 3, 4, 5, 6]));
        var source = new RowSource<double>(inputs, targets, 3, new RandomSource(2));
        var seen = new List<double>();
        foreach (var (x, y) in source)
        {
            Assert.Equal(new Shape(y.Length, 2), x.Shape);
            Assert.Equal(y.ToArray().SelectMany(row => new[] { 2 * row, (2 * row) + 1 }), x.ToArray());
            seen.AddRange(y.ToArray());
        }

        Assert.Equal([0, 1, 2, 3, 4, 5, 6], seen.Order());
        Assert.NotEqual(seen.Order(), seen);
        Assert.Contains("as many rows as the inputs [7, 2] but got [6]", Assert.Throws<ArgumentException>(() => new RowSource<double>(inputs, Tensor<double>.Zeros(6), 3)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new RowSource<double>(inputs, targets, 0));
        Assert.Empty(new RowSource<double>(Tensor<double>.Zeros(0, 2), Tensor<double>.Zeros(0), 3));
    }

    [Fact]
    public void Places_that_the_data_do_not_have_are_refused()
    {
        var source = new TokenStreamSource(new int[21], 2, 5);
        var state = new StateValues();
        Assert.Contains("'pass'", Assert.Throws<InvalidDataException>(() => source.RestoreState(state)).Message, StringComparison.Ordinal);
        state.Set("pass", 1);
        state.Set("position", 3);
        Assert.Contains("which have 2 batches", Assert.Throws<InvalidDataException>(() => source.RestoreState(state)).Message, StringComparison.Ordinal);
        state.Set("position", -1);
        Assert.Throws<InvalidDataException>(() => source.RestoreState(state));
        state.Set("position", "two");
        Assert.Contains("damaged: 'two'", Assert.Throws<InvalidDataException>(() => source.RestoreState(state)).Message, StringComparison.Ordinal);
    }

    private static bool IsShuffled(Kind kind) => kind is Kind.ShuffledSequences or Kind.ShuffledBuckets or Kind.ShuffledRows or Kind.ShuffledForecasts;

    private static Walk Make(Kind kind, bool other = false, int ahead = 0)
    {
        var stream = Enumerable.Range(0, 129 + (other ? 1 : 0)).ToArray();
        var series = Tensor<float>.From([.. stream[..128].Select(i => i + (other ? 0.5f : 0))], 128, 1);
        int[][] sequences = other ? [[1, 2], .. Sequences] : Sequences;
        Tensor<float>[] features = [.. sequences.Select(sequence => Tensor<float>.From([.. sequence.Select(i => (float)i)], sequence.Length, 1))];
        RandomSource? random = IsShuffled(kind) ? new(5) : null;
        Walk walk = kind switch
        {
            Kind.Stream => new Walk<TokenWindow>(new TokenStreamSource(stream, 3, 7), Describe),
            Kind.OverlappingStream => new Walk<TokenWindow>(new TokenStreamSource(stream, 3, 7, 2), Describe),
            Kind.Sequences or Kind.ShuffledSequences => new Walk<TokenWindow>(new TokenSequenceSource(sequences, 4, 5, random), Describe),
            Kind.Series => new Walk<SeriesWindow<float>>(new SeriesSource<float>(series, series, 3, 7, 3), window => string.Join(' ', window.Inputs(0, window.Steps).ToArray())),
            Kind.Buckets or Kind.ShuffledBuckets => new Walk<SequenceBatch>(SequenceBatch.Bucket(sequences, 4, 0, random), batch => $"{string.Join(' ', batch.Tokens.ToArray())} {string.Join(' ', batch.Indices.ToArray())}"),
            Kind.Features => new Walk<FeatureBatch<float>>(FeatureBatch<float>.Bucket(features, 4, random), batch => string.Join(' ', batch.Input.ToArray())),
            Kind.Forecasts or Kind.ShuffledForecasts => new Walk<ForecastBatch<float>>(
                new ForecastWindows<float>(new Series<float>("x", series.AsReadOnlySpan()), 5, 3, 17, 20.., random: random), batch => string.Join(' ', batch.Future.ToArray())),
            _ => new Walk<(Tensor<float> Inputs, Tensor<float> Targets)>(new RowSource<float>(series, series, 17, random), batch => string.Join(' ', batch.Inputs.ToArray())),
        };
        return ahead > 0 ? walk.Ahead(ahead) : walk;
    }

    private static string Describe(TokenWindow window) =>
        $"{string.Join(' ', window.Inputs.ToArray())} | {string.Join(' ', window.Targets.ToArray())} | {string.Join(' ', window.Starts.ToArray())} | {string.Join(' ', window.ValidSteps.ToArray())}";

    private abstract class Walk
    {
        public abstract string Identity { get; }

        public abstract Walk Ahead(int count);

        public abstract void Begin();

        public abstract string? Next();

        public abstract StateValues Save();

        public abstract void Restore(StateValues state);
    }

    private sealed class Walk<TBatch>(BatchSource<TBatch> source, Func<TBatch, string> describe) : Walk
    {
        public override string Identity => source.Identity;

        public override Walk Ahead(int count) => new Walk<TBatch>(source.Prefetch(count), describe);

        public override void Begin() => source.BeginPass();

        public override string? Next() => source.MoveNext() ? describe(source.Current) : null;

        public override StateValues Save()
        {
            var state = new StateValues();
            source.SaveState(state);
            return state;
        }

        public override void Restore(StateValues state) => source.RestoreState(state);
    }
}
