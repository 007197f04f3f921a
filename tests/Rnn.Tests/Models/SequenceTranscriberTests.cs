using System.Numerics;
using System.Text;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Models;

public sealed class SequenceTranscriberTests
{
    private static readonly string[] Texts = ["ab", "a", "", "bba", "abc"];
    private static readonly string[] Spellings = ["xyxy", "xx", "", "yxyxyx", "xyzzz"];
    private static readonly int[] Lengths = [7, 3, 0, 9, 8];

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, false)]
    [InlineData(1, true)]
    [InlineData(2, true)]
    public void Gradients_are_those_of_finite_differences(int stacking, bool tokens)
    {
        var model = Make<double>(stacking, tokens);
        var batch = Batch<double>(model, tokens);
        Assert.Equal([5, (batch.Lengths.ToArray().Max() + stacking - 1) / stacking, 4], model.Forward(batch).Shape.Dimensions.ToArray());
        var check = GradientCheck.Run(model, () => model.Loss(batch, new() { InfeasibleTargets = InfeasibleTargets.LeftOut }));
        Assert.True(check.Passed, check.ToString());
    }

    [Fact]
    public void The_loss_is_that_of_its_scores_with_the_blank_last()
    {
        var model = Make<double>(stacking: 2, tokens: false);
        var batch = Batch<double>(model, tokens: false);
        Assert.Equal(3, model.Blank);
        Assert.Equal([4, 5, 0, 1], model.OutputLengths([7, 9, 0, 1]));
        var expected = Loss.Ctc(model.Forward(batch), batch.Targets, model.OutputLengths(batch.Lengths), new() { Blank = 3, Reduction = LossReduction.Sum });
        Assert.Equal(expected.Item(), model.Loss(batch, new() { Reduction = LossReduction.Sum }).Item());
        Assert.Equal(expected.Item() / 10, model.Loss(batch).Item(), 1e-12);
    }

    // Steps side by side are one vector, what is past the end of a row zero, whatever stands there.
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Stacked_steps_are_read_as_one_vector(int stacking)
    {
        var model = Make<double>(stacking, tokens: false);
        var input = Tensor<double>.RandomNormal(new RandomSource(2), 0, 1, 2, 7, 2);
        int[] lengths = [7, 4];
        for (var t = 4; t < 7; t++)
        {
            (input[1, t, 0], input[1, t, 1]) = (double.NaN, double.PositiveInfinity);
        }

        var steps = (7 + stacking - 1) / stacking;
        var stacked = new double[2 * steps * stacking * 2];
        for (var row = 0; row < 2; row++)
        {
            for (var t = 0; t < lengths[row]; t++)
            {
                (stacked[(((row * steps * stacking) + t) * 2) + 0], stacked[(((row * steps * stacking) + t) * 2) + 1]) = (input[row, t, 0], input[row, t, 1]);
            }
        }

        var read = model.SequenceLayer.Forward(Tensor<double>.From(stacked, 2, steps, 2 * stacking), model.OutputLengths(lengths)).Output;
        Assert.Equal(model.Output.Forward(read).ToArray(), model.Forward(input, lengths).ToArray());
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(3, false)]
    [InlineData(2, true)]
    public void A_sequence_in_a_batch_is_as_alone(int stacking, bool tokens)
    {
        var model = Make<double>(stacking, tokens);
        var features = Sequences<double>();
        foreach (var width in new[] { 1, 5 })
        {
            var together = model.Transcribe(Batch<double>(model, tokens), width);
            for (var i = 0; i < Texts.Length; i++)
            {
                var alone = tokens ? model.Transcribe(Spellings[i], width) : model.Transcribe(features[i], width);
                Assert.Equal(alone.Text, together[i].Text);
                Assert.Equal(alone.Labels, together[i].Labels);
                Assert.Equal(alone.LogProbability, together[i].LogProbability, 1e-12);
                Assert.Equal(alone.Text, $"{alone}");
            }
        }
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(1, true)]
    public async Task A_few_sequences_are_learned_by_heart(int stacking, bool tokens)
    {
        var model = Make<float>(stacking, tokens);
        var batches = tokens ? model.Pairs(Spellings, Texts, 2, new RandomSource(1)) : model.Pairs(Sequences<float>(), Texts, 2, new RandomSource(1));
        await new Trainer<float>(model, new Adam<float> { LearningRate = 0.03 }).FitAsync(batches, batch => model.Loss(batch), epochs: 120);
        Assert.Equal(Texts, model.Transcribe(Batch<float>(model, tokens)).Select(transcription => transcription.Text));
        Assert.Equal(Texts, model.Transcribe(Batch<float>(model, tokens), width: 4).Select(transcription => transcription.Text));
        var score = model.Score(batches, width: 4);
        Assert.Equal((5, 5, 9L, 0.0, 1.0), (score.Count, score.Exact, score.Labels, score.LabelErrorRate, score.Accuracy));
        Assert.InRange(score.Loss, 0, 0.2);
    }

    [Fact]
    public void A_score_counts_edits_over_labels()
    {
        var model = Make<double>(stacking: 1, tokens: false);
        var batch = Batch<double>(model, tokens: false);
        var found = model.Transcribe(batch).Select(transcription => transcription.Text).ToArray();
        var score = model.Score([batch]);
        Assert.Equal(found.Zip(Texts, EditDistance.Between).Sum() / 9.0, score.LabelErrorRate, 1e-12);
        Assert.Equal(found.Zip(Texts).Count(pair => pair.First == pair.Second), score.Exact);
        Assert.Equal(model.Loss(batch, new() { Reduction = LossReduction.Sum }).Item() / 9, score.Loss, 1e-12);
        Assert.Matches(@"^exact \d+\.\d %, label error rate \d+\.\d %, loss \d+\.\d{3}$", score.ToString());
        Assert.Equal((0, 0.0, 0.0), (model.Score([]).Count, model.Score([]).LabelErrorRate, model.Score([]).Loss));

        // The vocabulary has a label for unknown letters: no transcription of it is right.
        var unknown = new SequenceTranscriber<double>(new Gru<double>(2, 3), CharVocabulary.FromText("abc", new() { Unknown = true }));
        Assert.Equal(1, unknown.Score([TranscriptionBatch<double>.Pad([Tensor<double>.Zeros(0, 2)], [[unknown.Vocabulary.Unknown!.Value]])]).LabelErrorRate);
    }

    [Fact]
    public void Probabilities_are_those_of_each_step()
    {
        var model = Make<double>(stacking: 2, tokens: false);
        var sequence = Sequences<double>()[3];
        var probabilities = model.Probabilities(sequence);
        Assert.Equal(model.Forward(sequence.Unsqueeze(0)).Softmax().ToArray(), probabilities.ToArray());
        Assert.Equal([model.OutputLengths([sequence.Shape[0]])[0], 4], probabilities.Shape.Dimensions.ToArray());
        Assert.False(probabilities.RequiresGradient);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(3, false)]
    [InlineData(2, true)]
    public void It_is_saved_and_opened_by_one_call(int stacking, bool tokens)
    {
        var model = Make<float>(stacking, tokens);
        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        var opened = SequenceTranscriber<float>.Open(stream);
        Assert.Equal((stacking, tokens, false, 0.1, 0.2), (opened.Options.FrameStacking, opened.SourceVocabulary is not null, opened.IsTraining, opened.Options.InputDropout, opened.Options.Dropout));
        Assert.Equal(model.ToString(), opened.ToString().Replace("RecurrentLayer(", "Gru(", StringComparison.Ordinal));
        Assert.Contains($"→ 3 labels and the blank{(stacking > 1 ? $", {stacking} steps as one" : string.Empty)}", opened.ToString(), StringComparison.Ordinal);
        model.Evaluate();
        Assert.Equal(model.Forward(Batch<float>(model, tokens)).ToArray(), opened.Forward(Batch<float>(opened, tokens)).ToArray());

        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.safetensors");
        model.Save(path);
        Assert.Equal(model.Blank, SequenceTranscriber<float>.Open(path).Blank);
        model.SequenceLayer.Save(path);
        Assert.Contains("not a transcriber that SequenceTranscriber.Save wrote", Assert.Throws<InvalidDataException>(() => SequenceTranscriber<float>.Open(path)).Message, StringComparison.Ordinal);
        File.Delete(path);

        // Weights of a model that reads another number of steps as one are no weights of this one, though their shapes fit.
        if (stacking == 3)
        {
            stream.Position = 0;
            Assert.Contains("frame stacking 3", Assert.Throws<InvalidDataException>(() => new SequenceTranscriber<float>(
                new Gru<float>(6, 5, new() { Bidirectional = true }), model.Vocabulary, new() { FrameStacking = 1, InputDropout = 0.1, Dropout = 0.2 }).Load(stream)).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("\"frame_stacking\":3", "\"frame_stacking\":0")]
    [InlineData("\"frame_stacking\":3", "\"frame_stacking\":4")]
    [InlineData("\"reads_tokens\":false", "\"reads_tokens\":true ")]
    [InlineData("\"vocabulary\"", "\"vocabularx\"")]
    public void A_damaged_file_is_refused(string text, string damaged)
    {
        using var stream = new MemoryStream();
        Make<float>(stacking: 3, tokens: false).Save(stream);
        var bytes = Encoding.Latin1.GetString(stream.ToArray()).Replace(text.Replace("\"", "\\\""), damaged.Replace("\"", "\\\""));
        Assert.NotEqual(Encoding.Latin1.GetString(stream.ToArray()), bytes);
        Assert.Throws<InvalidDataException>(() => SequenceTranscriber<float>.Open(new MemoryStream(Encoding.Latin1.GetBytes(bytes.PadRight((int)stream.Length)[..(int)stream.Length]))));
    }

    [Fact]
    public void Dropout_acts_in_training_alone_and_is_the_same_with_the_same_seed()
    {
        var (model, same) = (Make<float>(2, false, seed: 4), Make<float>(2, false, seed: 4));
        var batch = Batch<float>(model, tokens: false);
        var first = model.Forward(batch).ToArray();
        Assert.Equal(first, same.Forward(batch).ToArray());
        Assert.NotEqual(first, model.Forward(batch).ToArray());
        Assert.Equal(model.Transcribe(batch)[0].LogProbability, model.Transcribe(batch)[0].LogProbability);
    }

    [Fact]
    public void Wrong_inputs_are_named()
    {
        var (model, reader) = (Make<float>(2, tokens: false), Make<float>(1, tokens: true));
        var features = Sequences<float>();
        Refuses<ArgumentException>("FrameStacking: the layer reads 5 numbers, which are not 2 steps", () => new SequenceTranscriber<float>(new Gru<float>(5, 3), Labels(), new() { FrameStacking = 2 }));
        Refuses<ArgumentException>("FrameStacking: expected 1 or more but got 0", () => new SequenceTranscriberOptions { FrameStacking = 0 });
        Refuses<ArgumentException>("input: expected [batch, steps, 2] but got [1, 4, 3]", () => model.Transcribe(Tensor<float>.Zeros(4, 3)));
        Refuses<ArgumentException>("lengths: expected 0 to 4 steps but row 0 has 5", () => model.Forward(Tensor<float>.Zeros(1, 4, 2), [5]));
        Refuses<ArgumentException>("width: expected 1 or more but got 0", () => model.Transcribe(features[0], 0));
        Refuses<ArgumentException>("width: expected 1 or more but got 0", () => model.Score([], 0));
        Refuses<ArgumentException>("targets: expected 5 targets", () => model.Pairs(features, ["a"], 2));
        Refuses<ArgumentException>("x", () => model.Pairs(features, ["x", "", "", "", ""], 2));
        Refuses<ArgumentException>("row 0 has 3 at index 0", () => model.Loss(TranscriptionBatch<float>.Pad([features[0]], [[3]])));
        Refuses<InvalidOperationException>("reads feature vectors", () => model.Transcribe("a"));
        Refuses<InvalidOperationException>("reads feature vectors", () => model.Pairs(Spellings, Texts, 2));
        Refuses<InvalidOperationException>("the batch has tokens", () => model.Forward(Batch<float>(reader, tokens: true)));
        Refuses<InvalidOperationException>("reads texts", () => reader.Transcribe(features[0]));
        Assert.Throws<ArgumentNullException>(() => new SequenceTranscriber<float>(null!, new Gru<float>(2, 2), Labels()));

        // One step for two labels: the loss says so, and nothing is NaN.
        Assert.Equal(float.PositiveInfinity, model.Loss(TranscriptionBatch<float>.Pad([features[1]], [[0, 1, 2]])).Item());

        static void Refuses<TException>(string message, Action action)
            where TException : Exception => Assert.Contains(message, Assert.ThrowsAny<TException>(action).Message, StringComparison.Ordinal);
    }

    private static CharVocabulary Labels() => CharVocabulary.FromText("abc");

    private static Tensor<T>[] Sequences<T>()
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var random = new RandomSource(9);
        return [.. Lengths.Select(length => Tensor<T>.RandomNormal(random, 0, 1, length, 2))];
    }

    private static TranscriptionBatch<T> Batch<T>(SequenceTranscriber<T> model, bool tokens)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int[][] targets = [.. Texts.Select(text => model.Vocabulary.Encode(text))];
        return tokens
            ? TranscriptionBatch<T>.Pad([.. Spellings.Select(text => model.SourceVocabulary!.Encode(text))], targets)
            : TranscriptionBatch<T>.Pad(Sequences<T>(), targets);
    }

    // Dropout where another model or none is compared would draw other masks: in double there is none.
    private static SequenceTranscriber<T> Make<T>(int stacking, bool tokens, ulong seed = 3)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var layer = new Gru<T>(2 * stacking, 5, new() { Bidirectional = true, Seed = 1 });
        var options = typeof(T) == typeof(double)
            ? new SequenceTranscriberOptions { FrameStacking = stacking, Seed = seed }
            : new SequenceTranscriberOptions { FrameStacking = stacking, Seed = seed, InputDropout = 0.1, Dropout = 0.2 };
        return tokens ? new(CharVocabulary.FromText("xyz"), layer, Labels(), options) : new(layer, Labels(), options);
    }
}
