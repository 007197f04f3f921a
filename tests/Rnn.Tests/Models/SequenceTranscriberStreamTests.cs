using System.Numerics;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Tests.Models;

public sealed class SequenceTranscriberStreamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_stream_reads_the_labels_of_the_best_path(int stacking)
    {
        var model = Make<double>(stacking);
        var (stream, random, seen) = (model.CreateStream(), new RandomSource(5), new HashSet<int>());
        foreach (var length in new[] { 37, 0, 1, 17, 40 })
        {
            var x = Tensor<double>.RandomNormal(random, 0, 2, length, 2);
            var (labels, probabilities) = (new List<int>(), length == 0 ? null : model.Probabilities(x));
            for (var t = 0; t < length; t++)
            {
                Add(stream.Step(x.Select(0, t).ToArray()));
                if ((t + 1) % stacking == 0)
                {
                    Assert.Equal(probabilities!.Select(0, t / stacking).ToArray(), stream.Probabilities.ToArray(), (a, b) => Math.Abs(a - b) < 1e-13);
                }
            }

            Add(stream.Finish());
            Assert.Null(stream.Finish());
            if (probabilities is not null)
            {
                Assert.Equal(model.Transcribe(x).Labels, labels);
                Assert.Equal(probabilities.Select(0, probabilities.Shape[0] - 1).ToArray(), stream.Probabilities.ToArray(), (a, b) => Math.Abs(a - b) < 1e-13);
            }

            seen.UnionWith(labels);
            stream.Reset();
            Assert.All(stream.Probabilities.ToArray(), probability => Assert.Equal(0, probability));

            void Add(int? label)
            {
                if (label is { } read)
                {
                    labels.Add(read);
                }
            }
        }

        Assert.Equal([0, 1, 2], seen.Order());
    }

    [Fact]
    public void Tokens_are_read_too()
    {
        var model = new SequenceTranscriber<float>(CharVocabulary.FromText("xyz"), new Gru<float>(6, 5, new() { Seed = 1 }), CharVocabulary.FromText("abc"), new() { FrameStacking = 2, Seed = 3 });
        Scale(model, 6);
        const string Text = "xyzzyxxzyxzyzyzxyzx";
        var (stream, labels) = (model.CreateStream(), new List<int>());
        foreach (var token in model.SourceVocabulary!.Encode(Text))
        {
            if (stream.Step(token) is { } label)
            {
                labels.Add(label);
            }
        }

        if (stream.Finish() is { } last)
        {
            labels.Add(last);
        }

        Assert.NotEmpty(labels);
        Assert.Equal(model.Transcribe(Text).Labels, labels);
    }

    [Fact]
    public void A_step_allocates_nothing()
    {
        var stream = Make<float>(stacking: 2).CreateStream();
        float[] frame = [0.5f, -1];
        stream.Step(frame);
        stream.Step(frame);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var t = 0; t < 100; t++)
        {
            frame[0] = -frame[0];
            stream.Step(frame);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        var stream = Make<float>(stacking: 2).CreateStream();
        Assert.StartsWith("features: expected 2 numbers, the model's FeatureSize, but got 4.", Assert.Throws<ArgumentException>(() => stream.Step(new float[4])).Message, StringComparison.Ordinal);
        Assert.StartsWith("Step: this transcriber reads feature vectors", Assert.Throws<InvalidOperationException>(() => stream.Step(1)).Message, StringComparison.Ordinal);
        var texts = new SequenceTranscriber<float>(CharVocabulary.FromText("xyz"), new Gru<float>(6, 5), CharVocabulary.FromText("abc")).CreateStream();
        Assert.StartsWith("Step: this transcriber reads texts", Assert.Throws<InvalidOperationException>(() => texts.Step(new float[6])).Message, StringComparison.Ordinal);
        Assert.StartsWith("token: expected a token from 0 to 2 but got 3.", Assert.Throws<ArgumentOutOfRangeException>(() => texts.Step(3)).Message, StringComparison.Ordinal);
        var both = new SequenceTranscriber<float>(new Gru<float>(6, 5, new() { Bidirectional = true }), CharVocabulary.FromText("abc"));
        Assert.StartsWith("CreateStream: the sequence layer of this model is bidirectional", Assert.Throws<InvalidOperationException>(both.CreateStream).Message, StringComparison.Ordinal);
    }

    private static SequenceTranscriber<T> Make<T>(int stacking)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var model = new SequenceTranscriber<T>(new Gru<T>(2 * stacking, 5, new() { Seed = 1 }), CharVocabulary.FromText("abc"), new() { FrameStacking = stacking, Seed = 3 });
        Scale(model, 6);
        model.Evaluate();
        return model;
    }

    // Scores far enough apart that all labels are read now and then.
    private static void Scale<T>(SequenceTranscriber<T> model, double factor)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var edit = model.Output.Weight.Value.Edit();
        foreach (ref var weight in edit.Span)
        {
            weight *= T.CreateTruncating(factor);
        }
    }
}
