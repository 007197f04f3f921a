using System.Numerics;
using System.Text;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Models;

public sealed class MemoryNetworkTests
{
    // Stories of 0, 1, 3 and 7 sentences, longer than the memory of 5, with sentences of 0, 1 and up to 4 words that come again; one question without words.
    private static readonly string[][] Stories =
    [
        [],
        ["mary went there"],
        ["mary took the milk", "", "john went"],
        ["mary took the milk", "mary took the milk", "john went", "milk", "the john took milk", "john", "mary went there"],
    ];

    private static readonly string[] Questions = ["where is milk", "", "where is mary", "where is the milk"];
    private static readonly string?[] Answers = ["milk", "there", null, "john,mary"];

    // The rows whose answer is known.
    private static readonly int[] Known = [0, 1, 3];

    [Theory]
    [InlineData(MemoryTying.Adjacent, true, null, true, false, true)]
    [InlineData(MemoryTying.Adjacent, true, 6, true, true, true)]
    [InlineData(MemoryTying.Adjacent, false, null, false, false, false)]
    [InlineData(MemoryTying.LayerWise, true, null, true, false, false)]
    [InlineData(MemoryTying.LayerWise, false, null, true, true, false)]
    [InlineData(MemoryTying.LayerWise, true, 4, false, false, true)]
    public void Gradients_are_those_of_finite_differences(MemoryTying tying, bool positions, int? length, bool times, bool linear, bool empty)
    {
        var model = Make<double>(tying, positions, length, times, linear, empty);
        var check = GradientCheck.Run(model, () => model.Loss(Batch(model)));
        Assert.True(check.Passed, check.ToString());
    }

    [Theory]
    [InlineData(MemoryTying.Adjacent, true, null, true, false, true)]
    [InlineData(MemoryTying.Adjacent, true, 6, true, true, true)]
    [InlineData(MemoryTying.Adjacent, false, null, false, false, false)]
    [InlineData(MemoryTying.LayerWise, true, null, true, false, false)]
    [InlineData(MemoryTying.LayerWise, false, null, true, true, false)]
    [InlineData(MemoryTying.LayerWise, true, 4, false, false, true)]
    public void Scores_and_attention_are_those_of_plain_loops(MemoryTying tying, bool positions, int? length, bool times, bool linear, bool empty)
    {
        var model = Make<double>(tying, positions, length, times, linear, empty);
        model.Evaluate();
        var logits = model.Forward(Batch(model));
        var answers = model.Answer(Batch(model));
        Assert.Equal([Stories.Length, model.Vocabulary.Count], logits.Shape.Dimensions.ToArray());
        for (var row = 0; row < Stories.Length; row++)
        {
            var (scores, attention) = Oracle(model, model.Encode(Stories[row], Questions[row]));
            for (var token = 0; token < scores.Length; token++)
            {
                Assert.Equal(scores[token], logits[row, token], 1e-12);
            }

            var sum = scores.Sum(Math.Exp);
            Assert.All(answers[row].Probabilities, (probability, token) => Assert.Equal(Math.Exp(scores[token]) / sum, probability, 1e-12));
            Assert.Equal(Array.IndexOf(scores, scores.Max()), answers[row].Token);
            Assert.Equal(model.Vocabulary.TokenText(answers[row].Token), answers[row].Text);
            Assert.Equal(answers[row].Probabilities.Max(), answers[row].Probability);
            Assert.Matches(@"^\S+ \(\d+\.\d %\)$", answers[row].ToString());
            Assert.Equal(model.Options.Hops, answers[row].Attention.Count);
            for (var hop = 0; hop < attention.Length; hop++)
            {
                Assert.Equal(Stories[row].Length, answers[row].Attention[hop].Count);
                Assert.All(answers[row].Attention[hop], (weight, i) => Assert.Equal(attention[hop][i], weight, 1e-12));
                if (!linear && Stories[row].Length > 0)
                {
                    Assert.Equal(empty && Stories[row].Length < 5, answers[row].Attention[hop].Sum() < 1 - 1e-12);
                }
            }
        }
    }

    [Theory]
    [InlineData(MemoryTying.Adjacent)]
    [InlineData(MemoryTying.LayerWise)]
    public void A_question_in_a_batch_is_as_alone(MemoryTying tying)
    {
        var model = Make<double>(tying);
        var together = model.Answer(Batch(model));
        for (var row = 0; row < Stories.Length; row++)
        {
            var alone = model.Answer(Stories[row], Questions[row]);
            Assert.Equal(alone.Text, together[row].Text);
            Assert.All(alone.Probabilities, (probability, token) => Assert.Equal(probability, together[row].Probabilities[token], 1e-12));
            Assert.Equal(alone.Attention, together[row].Attention);
        }
    }

    [Fact]
    public void The_loss_counts_questions_whose_answer_is_known()
    {
        var model = Make<double>();
        var (batch, sum) = (Batch(model), 0.0);
        var answers = model.Answer(batch);
        foreach (var row in Known)
        {
            sum -= Math.Log(answers[row].Probabilities[batch.Answers[row]]);
        }

        model.Evaluate();
        Assert.Equal(sum / 3, model.Loss(batch).Item(), 1e-12);
        Assert.Equal(sum, model.Loss(batch, new() { Reduction = LossReduction.Sum, IgnoreIndex = 0 }).Item(), 1e-12);
        var score = model.Score([batch, batch]);
        var right = Known.Count(row => answers[row].Text == Answers[row]);
        Assert.Equal((6, 2 * right, right / 3.0), (score.Count, score.Right, score.Accuracy));
        Assert.Equal(1 - score.Accuracy, score.ErrorRate, 1e-12);
        Assert.Equal(sum / 3, score.Loss, 1e-12);
        Assert.Matches(@"^error \d+\.\d %, loss \d+\.\d{3}$", score.ToString());
        Assert.Equal((0, 0.0, 0.0, 0.0), (model.Score([]).Count, model.Score([]).Accuracy, model.Score([]).ErrorRate, model.Score([]).Loss));
    }

    [Fact]
    public void No_answer_counts_as_right_where_the_vocabulary_does_not_have_it()
    {
        var model = new MemoryNetwork<double>(WordVocabulary.FromText("where is"), new() { Seed = 1 });
        model.Embeddings[^1].Weight.Value.AsSpan().Clear();
        Assert.Equal(0, model.Vocabulary.Unknown);
        var question = model.Encode(["nobody knows"], "where is", "nowhere");
        Assert.Equal(model.Vocabulary.Unknown, question.Answer);
        Assert.Equal(model.Vocabulary.Unknown, model.Encode([], "where is", "where is").Answer);
        var lower = new MemoryNetwork<double>(WordVocabulary.FromText("Where IS it", new() { Lowercase = true }));
        Assert.Equal("it", lower.Vocabulary.TokenText(lower.Encode([], "WHERE is", "It").Answer!.Value));

        // All scores are equal, so that the first token, the unknown one, is the answer.
        Assert.Equal(0, model.Answer(StoryBatch.Of([question]))[0].Token);
        Assert.Equal((1, 0), (model.Score([StoryBatch.Of([question])]).Count, model.Score([StoryBatch.Of([question])]).Right));
    }

    [Theory]
    [InlineData(MemoryTying.Adjacent, true)]
    [InlineData(MemoryTying.LayerWise, true)]
    [InlineData(MemoryTying.Adjacent, false)]
    public async Task Where_somebody_went_last_is_learned(MemoryTying tying, bool linearStart)
    {
        string[] people = ["mary", "john", "ann"], places = ["garden", "office", "hall"];
        var vocabulary = WordVocabulary.FromWords([.. people, .. places, "went", "to", "where", "is"]);
        var model = new MemoryNetwork<float>(vocabulary, new() { Tying = tying, Hops = 2, MemorySize = 8, Seed = 2 });
        var random = new RandomSource(1);
        StoryQuestion[] questions = [.. Enumerable.Range(0, 400).Select(_ => Make())];
        var batches = StoryBatch.Batches(questions[..300], 32, random);
        var sum = new CrossEntropyOptions { Reduction = LossReduction.Sum };
        if (linearStart)
        {
            model.IsLinear = true;
            await new Trainer<float>(model, new Sgd<float> { LearningRate = 0.005 }) { MaxGradientNorm = 40 }.FitAsync(batches, batch => model.Loss(batch, sum), epochs: 10);
            model.IsLinear = false;
        }

        await new Trainer<float>(model, new Sgd<float> { LearningRate = 0.01 }) { MaxGradientNorm = 40 }.FitAsync(batches, batch => model.Loss(batch, sum), epochs: 60);
        var score = model.Score([StoryBatch.Of(questions[300..])]);
        Assert.True(score.ErrorRate <= 0.02, $"{score}");
        var answer = model.Answer(["mary went to garden", "john went to hall", "mary went to office", "ann went to hall"], "where is mary");
        Assert.Equal("office", answer.Text);
        Assert.True(answer.Attention.Max(hop => hop[2]) > 0.5, string.Join(' ', answer.Attention[0]));

        StoryQuestion Make()
        {
            var (story, last) = (new List<string>(), new Dictionary<string, string>());
            for (var i = random.Next(2, 8); i > 0; i--)
            {
                var (person, place) = (people[random.Next(3)], places[random.Next(3)]);
                story.Add($"{person} went to {place}");
                last[person] = place;
            }

            var asked = last.Keys.Order(StringComparer.Ordinal).ElementAt(random.Next(last.Count));
            return model.Encode(story, $"where is {asked}", last[asked]);
        }
    }

    [Theory]
    [InlineData(MemoryTying.Adjacent, true, null, true, false, true)]
    [InlineData(MemoryTying.Adjacent, true, 6, false, true, false)]
    [InlineData(MemoryTying.LayerWise, false, null, true, false, false)]
    public void It_is_saved_and_opened_by_one_call(MemoryTying tying, bool positions, int? length, bool times, bool linear, bool empty)
    {
        var model = Make<float>(tying, positions, length, times, linear, empty, noise: 0.25);
        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        var opened = MemoryNetwork<float>.Open(stream);
        Assert.False(opened.IsTraining);
        Assert.Equal(model.Options with { Seed = null, InitialDeviation = 0.1 }, opened.Options);
        Assert.Equal((linear, model.ToString(), model.Vocabulary.ToMetadata()), (opened.IsLinear, opened.ToString(), opened.Vocabulary.ToMetadata()));
        model.Evaluate();
        Assert.Equal(model.Forward(Batch(model)).ToArray(), opened.Forward(Batch(opened)).ToArray());

        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.safetensors");
        model.Save(path);
        Assert.Equal(model.Forward(Batch(model)).ToArray(), MemoryNetwork<float>.Open(path).Forward(Batch(model)).ToArray());
        model.Output.Save(path);
        Assert.Contains("not a memory network that MemoryNetwork.Save wrote", Assert.Throws<InvalidDataException>(() => MemoryNetwork<float>.Open(path)).Message, StringComparison.Ordinal);
        File.Delete(path);

        // The shapes fit, but what is computed with the weights is something else.
        stream.Position = 0;
        var other = Make<float>(tying, !positions, length, times, linear, empty);
        Assert.Contains("memory network, 3 hops", Assert.Throws<InvalidDataException>(() => other.Load(stream)).Message, StringComparison.Ordinal);
        stream.Position = 0;
        var words = new MemoryNetwork<float>(WordVocabulary.FromWords(Enumerable.Range(0, model.Vocabulary.Count - 1).Select(i => $"w{i}")), model.Options);
        Assert.Contains("another list of vocabulary", Assert.Throws<InvalidDataException>(() => words.Load(stream)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"hops\":3", "\"hops\":0")]
    [InlineData("\"hops\":3", "\"hops\":9")]
    [InlineData("\"memory_size\":5", "\"memory_size\":9")]
    [InlineData("\"embedding_size\":4", "\"embedding_size\":8")]
    [InlineData("\"tying\":\"Adjacent\"", "\"tying\":\"Adjacenx\"")]
    [InlineData("\"vocabulary\"", "\"vocabularx\"")]
    public void A_damaged_file_is_refused(string text, string damaged)
    {
        using var stream = new MemoryStream();
        Make<float>().Save(stream);
        var bytes = Encoding.Latin1.GetString(stream.ToArray()).Replace(text.Replace("\"", "\\\""), damaged.Replace("\"", "\\\""));
        Assert.NotEqual(Encoding.Latin1.GetString(stream.ToArray()), bytes);
        Assert.Throws<InvalidDataException>(() => MemoryNetwork<float>.Open(new MemoryStream(Encoding.Latin1.GetBytes(bytes))));
    }

    [Fact]
    public void Noise_moves_ages_in_training_alone_and_is_the_same_with_the_same_seed()
    {
        var (model, same, other) = (Make<float>(noise: 0.9), Make<float>(noise: 0.9), Make<float>(noise: 0.9, seed: 4));
        var batch = Batch(model);
        var passes = Enumerable.Range(0, 8).Select(_ => model.Forward(batch).ToArray()).ToArray();
        Assert.All(passes, pass => Assert.Equal(pass, same.Forward(batch).ToArray()));
        Assert.True(passes.Select(pass => string.Join(' ', pass)).Distinct().Count() > 1);
        Assert.Equal(model.Answer(batch)[3].Probabilities, model.Answer(batch)[3].Probabilities);
        Assert.NotEqual(model.Answer(batch)[3].Probabilities, other.Answer(batch)[3].Probabilities);

        // A batch without stories draws nothing and has nothing to look at.
        var empty = StoryBatch.Of([model.Encode([], "where is mary")]);
        Assert.Equal(model.Forward(empty).ToArray(), model.Forward(empty).ToArray());
        Assert.All(model.Answer([], "where is mary").Attention, Assert.Empty);
    }

    [Fact]
    public void Wrong_inputs_are_named()
    {
        var model = Make<float>();
        Refuses<ArgumentException>("Hops: expected 1 or more but got 0", () => new MemoryNetworkOptions { Hops = 0 });
        Refuses<ArgumentException>("EmbeddingSize: expected 1 or more but got 0", () => new MemoryNetworkOptions { EmbeddingSize = 0 });
        Refuses<ArgumentException>("MemorySize: expected 1 or more but got 0", () => new MemoryNetworkOptions { MemorySize = 0 });
        Refuses<ArgumentException>("PositionLength: expected 1 or more but got 0", () => new MemoryNetworkOptions { PositionLength = 0 });
        Refuses<ArgumentException>("TimeNoise", () => new MemoryNetworkOptions { TimeNoise = 1 });
        Refuses<ArgumentException>("InitialDeviation", () => new MemoryNetworkOptions { InitialDeviation = 0 });
        Refuses<ArgumentException>("Tying: expected Adjacent or LayerWise but got 2", () => new MemoryNetworkOptions { Tying = (MemoryTying)2 });
        Refuses<ArgumentException>("unseen", () => model.Answer(["mary unseen"], "where is mary"));
        Refuses<ArgumentException>("answer: 'mary went' is not one token of the vocabulary but 2", () => model.Encode([], "where is mary", "mary went"));
        Refuses<ArgumentException>($"batch: expected tokens from 0 to {model.Vocabulary.Count - 1}, the vocabulary of this model, but got 99", () => model.Forward(StoryBatch.Of([new([[0, 99]], [0])])));
        Refuses<ArgumentException>("but got -1", () => model.Forward(StoryBatch.Of([new([[0]], [-1])])));
        Refuses<ArgumentException>("99", () => model.Loss(StoryBatch.Of([new([[0]], [0], 99)])));
        Assert.Throws<ArgumentNullException>(() => new MemoryNetwork<float>(null!));
        Assert.Throws<ArgumentNullException>(() => model.Forward(null!));
        Assert.Throws<ArgumentNullException>(() => model.Answer(null!, "where"));

        static void Refuses<TException>(string message, Action action)
            where TException : Exception => Assert.Contains(message, Assert.ThrowsAny<TException>(action).Message, StringComparison.Ordinal);
    }

    // The equations of the paper, sentence by sentence.
    private static (double[] Scores, double[][] Attention) Oracle(MemoryNetwork<double> model, StoryQuestion question)
    {
        var (options, size) = (model.Options, model.Options.EmbeddingSize);
        var adjacent = options.Tying == MemoryTying.Adjacent;
        var (first, count) = (Math.Max(0, question.Story.Count - options.MemorySize), question.Story.Count);
        var u = Embed(adjacent ? 0 : 2, question.Question);
        var attention = new double[options.Hops][];
        for (var hop = 0; hop < options.Hops; hop++)
        {
            var (a, c) = adjacent ? (hop, hop + 1) : (0, 1);
            var p = attention[hop] = new double[count];
            for (var i = first; i < count; i++)
            {
                p[i] = Memory(a, i).Zip(u, (x, y) => x * y).Sum();
            }

            if (!model.IsLinear)
            {
                var sum = p[first..].Sum(Math.Exp) + (options.EmptyPlaces ? options.MemorySize - (count - first) : 0);
                for (var i = first; i < count; i++)
                {
                    p[i] = Math.Exp(p[i]) / sum;
                }
            }

            var next = new double[size];
            for (var k = 0; k < size; k++)
            {
                next[k] = adjacent ? u[k] : Enumerable.Range(0, size).Sum(j => model.Hop!.Weight.Value[k, j] * u[j]);
                for (var i = first; i < count; i++)
                {
                    next[k] += p[i] * Memory(c, i)[k];
                }
            }

            u = next;
        }

        var weights = adjacent ? model.Embeddings[^1].Weight.Value : model.Output.Weight.Value;
        return ([.. Enumerable.Range(0, model.Vocabulary.Count).Select(token => Enumerable.Range(0, size).Sum(k => weights[token, k] * u[k]))], attention);

        double[] Memory(int table, int i)
        {
            var vector = Embed(table, question.Story[i]);
            for (var k = 0; k < size && options.TemporalEncoding; k++)
            {
                vector[k] += model.Times[table].Weight.Value[count - 1 - i, k];
            }

            return vector;
        }

        double[] Embed(int table, IReadOnlyList<int> tokens)
        {
            var (vector, words) = (new double[size], options.PositionLength ?? tokens.Count);
            for (var j = 0; j < tokens.Count; j++)
            {
                for (var k = 0; k < size; k++)
                {
                    var (x, y) = (((k + 1) - ((size + 1) / 2.0)) / size, ((j + 1) - ((words + 1) / 2.0)) / words);
                    vector[k] += (options.PositionEncoding ? 1 + (4 * x * y) : 1) * model.Embeddings[table].Weight.Value[tokens[j], k];
                }
            }

            return vector;
        }
    }

    private static StoryBatch Batch<T>(MemoryNetwork<T> model)
        where T : unmanaged, IFloatingPointIeee754<T> => StoryBatch.Of([.. Stories.Select((story, i) => model.Encode(story, Questions[i], Answers[i]))]);

    // Noise draws other ages in each pass, so there is none unless it is looked at.
    private static MemoryNetwork<T> Make<T>(
        MemoryTying tying = MemoryTying.Adjacent, bool positions = true, int? length = null, bool times = true, bool linear = false, bool empty = true, double noise = 0, ulong seed = 3)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var words = Stories.SelectMany(story => story).Concat(Questions).SelectMany(text => text.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Append("john,mary");
        return new(WordVocabulary.FromWords(words, new() { Unknown = false }), new()
        {
            EmbeddingSize = 4,
            Hops = 3,
            Tying = tying,
            MemorySize = 5,
            EmptyPlaces = empty,
            PositionEncoding = positions,
            PositionLength = length,
            TemporalEncoding = times,
            TimeNoise = noise,
            InitialDeviation = 0.5,
            Seed = seed,
        })
        { IsLinear = linear };
    }
}
