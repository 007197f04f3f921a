using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;

namespace Rnn.Tests.Models;

public sealed class EncoderDecoderStepperTests
{
    private const int Size = 8;
    private static readonly CharVocabulary Source = CharVocabulary.FromText("abcd");
    private static readonly CharVocabulary Target = CharVocabulary.FromText("abcd", new() { BeginAndEnd = true });
    private static readonly string[] Sources = ["abc", "", "bbda", "ca"];

    public static TheoryData<DecoderAttention, bool> Kinds => EncoderDecoderTests.Kinds();

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_step_and_a_selection_of_as_many_rows_allocate_nothing(DecoderAttention attention, bool feeding)
    {
        var model = Make(attention, feeding);
        var stepper = model.CreateTokenStepper(Batch());
        var (tokens, logits, rows) = (new[] { 2, 3, 4, 5 }, new float[4 * Target.Count], new[] { 1, 1, 3, 0 });
        Run();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var step = 0; step < 50; step++)
        {
            Run();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Run()
        {
            stepper.Step(tokens, logits);
            stepper.SelectRows(rows);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Rows_that_are_chosen_go_on_as_their_sources_alone(DecoderAttention attention, bool feeding)
    {
        // More rows, fewer rows, rows in another order: each must score what a stepper of its source alone scores after the same tokens.
        var model = Make(attention, feeding);
        var stepper = model.CreateTokenStepper(Batch());
        var (histories, random) = (Sources.Select((_, i) => (Source: i, Tokens: new List<int>())).ToList(), new Random(1));
        foreach (var count in new[] { 6, 6, 2, 7, 1, 1 })
        {
            int[] tokens = [.. histories.Select(_ => random.Next(Target.Count))];
            var logits = new float[tokens.Length * Target.Count];
            stepper.Step(tokens, logits);
            for (var row = 0; row < tokens.Length; row++)
            {
                histories[row].Tokens.Add(tokens[row]);
                var (alone, expected) = (model.CreateTokenStepper(SequenceBatch.Pad(new[] { Source.Encode(Sources[histories[row].Source]) })), new float[Target.Count]);
                foreach (var token in histories[row].Tokens)
                {
                    alone.Step([token], expected);
                }

                for (var token = 0; token < expected.Length; token++)
                {
                    Assert.Equal(expected[token], logits[(row * Target.Count) + token], 5e-6f);
                }
            }

            int[] rows = [.. Enumerable.Range(0, count).Select(_ => random.Next(tokens.Length))];
            stepper.SelectRows(rows);
            Assert.Equal(count, stepper.Rows);
            histories = [.. rows.Select(row => (histories[row].Source, histories[row].Tokens.ToList()))];
        }
    }

    [Fact]
    public void Many_texts_are_translated_as_each_alone()
    {
        var model = Make(DecoderAttention.LuongGeneral, false);
        var random = new Random(2);
        string[] texts = [.. Enumerable.Range(0, 150).Select(_ => string.Concat(Enumerable.Range(0, random.Next(6)).Select(_ => (char)('a' + random.Next(4)))))];
        var options = new BeamSearchOptions { Width = 3, MaximumLength = 5 };
        Assert.Equal(texts.Select(text => model.Translate(text, options)), model.Translate(texts, options));
    }

    [Fact]
    public void Wrong_tokens_and_rows_are_named()
    {
        var stepper = Make(DecoderAttention.Bahdanau, true).CreateTokenStepper(Batch());
        Assert.Contains("expected 4 tokens", Assert.Throws<ArgumentException>(() => stepper.Step([1], new float[Target.Count])).Message);
        Assert.Contains("row 2 has 99", Assert.Throws<ArgumentOutOfRangeException>(() => stepper.Step([1, 2, 99, 3], new float[4 * Target.Count])).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => stepper.SelectRows([4]));
        Assert.Throws<ArgumentException>(() => stepper.SelectRows([]));
    }

    private static SequenceBatch Batch() => SequenceBatch.Pad(Sources.Select(text => Source.Encode(text)).ToArray());

    private static EncoderDecoder<float> Make(DecoderAttention attention, bool feeding) => new(
        Source, Target, new Gru<float>(3, Size / 2, new() { Bidirectional = true, Seed = 1 }),
        new Lstm<float>(5 + (attention == DecoderAttention.Bahdanau ? Size : 0) + (feeding && attention != DecoderAttention.None ? Size : 0), Size, new() { Layers = 2, Seed = 2 }),
        new() { Attention = attention, InputFeeding = feeding, Seed = 3 });
}
