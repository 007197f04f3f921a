using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Onnx.Tests.Export;

/// <summary>The models of the library, each as the files that it is exported to.</summary>
public class ModelExportTests
{
    private static readonly int[] Spelled = [0, 3, 2, 1];
    private static readonly int[][] TokenRows = [[3, 1, 4, 1, 5], [2], [6, 5], [0, 7, 2, 3]];

    [Theory]
    [InlineData("lstm")]
    [InlineData("tied")]
    [InlineData("adaptive")]
    [InlineData("wavenet")]
    public void Language_models_agree(string kind)
    {
        var model = Numbers.Fill(kind switch
        {
            "lstm" => new LanguageModel<float>(8, new Lstm<float>(4, 5, new() { Layers = 2, LearnedInitialState = true })),
            "tied" => new LanguageModel<float>(8, new Gru<float>(4, 4), new() { TieWeights = true, Dropout = 0.3, EmbeddingDropout = 0.2 }),
            "adaptive" => new LanguageModel<float>(8, new SequenceChain<float>(new MinGru<float>(8, 8), new RmsNorm<float>(8)), new() { AdaptiveSoftmax = new() { Cutoffs = [3] } }),
            _ => new LanguageModel<float>(8, new WaveNet<float>(4, new() { Blocks = 1, LayersPerBlock = 2, ResidualChannels = 3, DilationChannels = 3, SkipChannels = 4 })),
        });
        foreach (var options in new OnnxExportOptions[] { new(), new() { Lengths = true }, new() { States = true } })
        {
            using var file = new RuntimeModel(model, options);
            foreach (var (rows, steps) in SequenceExport.Shapes)
            {
                var tokens = Numbers.Tokens(5, rows * steps, 8);
                var lengths = options.Lengths ? Numbers.Lengths(rows, steps) : [];
                var state = options.States ? Numbers.State(model.SequenceLayer, rows, 3) : null;
                if (options.Lengths)
                {
                    file.With("lengths", lengths, rows);
                }

                var found = file.WithTokens("tokens", tokens, rows, steps).WithState(state).Run();
                var (scores, next) = model.Forward(tokens, rows, lengths, state);
                Numbers.Agree(scores, found["scores"], $"{kind}, [{rows}, {steps}]");
                for (var i = 0; state is not null && i < state.Names.Count; i++)
                {
                    Numbers.Agree(next!.Tensors[i], found[$"{state.Names[i]}_next"], state.Names[i]);
                }
            }
        }
    }

    [Theory]
    [InlineData(PoolingKind.Last)]
    [InlineData(PoolingKind.Mean)]
    [InlineData(PoolingKind.Max)]
    [InlineData(PoolingKind.Attention)]
    public void Classifiers_agree(PoolingKind pooling)
    {
        var layer = new Lstm<float>(3, 4, new() { Bidirectional = true });
        var ofTokens = Numbers.Fill(new SequenceClassifier<float>(8, layer, ["a", "b", "c"], new() { Pooling = pooling }));
        using (var file = new RuntimeModel(ofTokens, new() { Lengths = true }))
        {
            Assert.Equal("a\nb\nc", file.Metadata.CustomMetadataMap["classes"]);
            foreach (var count in new[] { 1, 2, 4 })
            {
                var batch = SequenceBatch.Pad(TokenRows[..count]);
                var found = file.With("lengths", batch.Lengths, count).WithTokens("tokens", batch.Tokens, count, batch.Steps).Run();
                Numbers.Agree(ofTokens.Forward(batch), found["scores"], $"{pooling}, {count} rows");
            }
        }

        var ofFeatures = Numbers.Fill(new SequenceClassifier<float>(new Gru<float>(3, 4), ["a", "b"], new() { Pooling = pooling, Dropout = 0.4 }));
        using var features = new RuntimeModel(ofFeatures);
        foreach (var (rows, steps) in SequenceExport.Shapes)
        {
            var x = Numbers.Random(2, rows, steps, 3);
            Numbers.Agree(ofFeatures.Forward(x), features.With("input", x).Run()["scores"], $"{pooling}, [{rows}, {steps}]");
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Taggers_agree_in_scores_and_tags(bool field)
    {
        var words = WordVocabulary.FromWords(["a", "bad", "cab", "dab"], new() { Unknown = true });
        var characters = CharVocabulary.FromText("abcd");
        var plain = Numbers.Fill(new SequenceTagger<float>(words, new Gru<float>(4, 3, new() { Bidirectional = true }), ["x", "y", "z"], new() { ConditionalRandomField = field }));
        var spelling = Numbers.Fill(new SequenceTagger<float>(
            words, characters, new Lstm<float>(3, 2, new() { Bidirectional = true }), new Gru<float>(9, 3), ["x", "y", "z"], new() { ConditionalRandomField = field }));
        foreach (var model in new[] { plain, spelling })
        {
            using var file = new RuntimeModel(model, new() { Lengths = true });
            foreach (var sentences in new string[][][] { [["a", "bad", "cab"], ["dab"]], [["cab", "a"]], [["bad"], ["a", "a", "cab", "dab"], ["cab", "bad"]] })
            {
                var batch = SentenceBatch.Pad(
                    [.. sentences.Select(sentence => words.EncodeWords(sentence))], [.. sentences.Select(sentence => sentence.Select(word => characters.Encode(word)).ToArray())]);
                var (rows, steps) = (batch.Rows, batch.Words.Steps);
                file.With("lengths", batch.Words.Lengths, rows).WithTokens("words", batch.Words.Tokens, rows, steps);
                if (ReferenceEquals(model, spelling))
                {
                    var spelled = batch.Spellings!;
                    file.WithTokens("spellings", spelled.Tokens, spelled.Rows, spelled.Steps).With("spelling_lengths", spelled.Lengths, spelled.Rows).WithTokens("spelling_of", batch.SpellingOf, rows, steps);
                }

                var found = file.Run();
                Numbers.Agree(model.Forward(batch), found["scores"], $"{rows} sentences");
                var best = model.Predict(batch);
                for (var row = 0; field && row < rows; row++)
                {
                    Assert.Equal(best[row], Enumerable.Range(0, best[row].Length).Select(step => (int)found["tags"][row, step]));
                }
            }
        }
    }

    [Fact]
    public void Multi_label_models_agree()
    {
        var model = Numbers.Fill(new MultiLabelSequenceModel<float>(new Gru<float>(4, 3), 4));
        using var file = new RuntimeModel(model, new() { States = true });
        foreach (var (rows, steps) in SequenceExport.Shapes)
        {
            var x = Numbers.Random(2, rows, steps, 4);
            var found = file.With("input", x).WithState(model.SequenceLayer.ZeroState(rows)).Run();
            Numbers.Agree(model.Forward(x), found["scores"], $"[{rows}, {steps}]");
            Assert.True(found.ContainsKey("h_l0_next"));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Transcribers_agree(int stacking)
    {
        var model = Numbers.Fill(new SequenceTranscriber<float>(new Gru<float>(2 * stacking, 3, new() { Bidirectional = true }), CharVocabulary.FromText("abc"), new() { FrameStacking = stacking }));
        foreach (var ragged in new[] { false, true })
        {
            using var file = new RuntimeModel(model, new() { Lengths = ragged });
            foreach (var (rows, steps) in SequenceExport.Shapes.Append((2, 7)))
            {
                var (x, lengths) = (Numbers.Random(2, rows, steps, 2), ragged ? Numbers.Lengths(rows, steps) : []);
                if (ragged)
                {
                    file.With("lengths", lengths, rows);
                }

                var found = file.With("input", x).Run();
                Numbers.Agree(model.Forward(x, lengths), found["scores"], $"[{rows}, {steps}], stacking {stacking}");
                Assert.True(!ragged || stacking == 1 || found["output_lengths"].ToArray().SequenceEqual(model.OutputLengths(lengths).Select(length => (float)length)));
            }
        }

        var texts = Numbers.Fill(new SequenceTranscriber<float>(CharVocabulary.FromText("xyzw"), new Gru<float>(2 * stacking, 3), CharVocabulary.FromText("abc"), new() { FrameStacking = stacking }));
        using var ofTexts = new RuntimeModel(texts);
        var batch = TranscriptionBatch<float>.Pad([Spelled], [Array.Empty<int>()]);
        Numbers.Agree(texts.Forward(batch), ofTexts.WithTokens("tokens", Spelled, 1, 4).Run()["scores"], "texts");
    }

    [Theory]
    [InlineData(WaveformOutput.MuLaw)]
    [InlineData(WaveformOutput.LogisticMixture)]
    public void Waveform_models_agree(WaveformOutput output)
    {
        IReadOnlyList<string>[] conditions = [["low", "high"], ["a", "b", "c"]];
        var model = Numbers.Fill(new WaveformModel<float>(new Gru<float>(output == WaveformOutput.MuLaw ? 7 : 5, 4), new() { Output = output, Components = 2, Conditions = conditions, ClassSize = 2 }));
        using var file = new RuntimeModel(model);
        foreach (var (rows, steps) in SequenceExport.Shapes)
        {
            var classes = Numbers.Tokens(4, rows * 2, 2);
            int[][] levels = [.. Enumerable.Range(0, rows).Select(row => Numbers.Tokens((ulong)row + 1, steps, model.Levels))];
            var batch = ConditionedBatch<float>.Pad(Tensor<float>.From(Array.ConvertAll(classes, value => (float)value), rows, 2), [.. levels.Select(row => row[..^1])], begin: levels[0][0], end: 0);
            file.WithTokens("classes", classes, rows, 2);
            if (output == WaveformOutput.MuLaw)
            {
                file.WithTokens("levels", batch.Inputs, rows, steps);
            }
            else
            {
                file.With("samples", Tensor<float>.From(Array.ConvertAll(batch.Inputs.ToArray(), level => (float)((2.0 * level / (model.Levels - 1)) - 1)), rows, steps));
            }

            Assert.Equal(steps, batch.Steps);
            Numbers.Agree(model.Forward(batch), file.Run()["scores"], $"{output}, [{rows}, {steps}]");
        }
    }

    [Theory]
    [InlineData(WindowScaling.None, false)]
    [InlineData(WindowScaling.LastValue, true)]
    [InlineData(WindowScaling.MeanAndStandardDeviation, false)]
    [InlineData(WindowScaling.MeanAndStandardDeviation, true)]
    public void Forecasters_agree_in_the_units_of_the_data(WindowScaling scaling, bool decodes)
    {
        var values = Numbers.Random(9, 60, 3) * 20f + 7f;
        var series = new Series<float>(["price", "holiday", "demand"], values);
        var options = new ForecasterOptions { Scaling = scaling, Known = ["holiday"], Targets = decodes ? ["demand"] : null, AutoregressiveSteps = 3, Quantiles = decodes ? [0.1, 0.5, 0.9] : [] };
        var model = decodes
            ? new Forecaster<float>(series, 6, 4, new Gru<float>(3, 4), new Lstm<float>(5, 3, new() { Bidirectional = true }), options)
            : new Forecaster<float>(series, 6, 4, new Gru<float>(3, 4), options);
        Numbers.Fill(model);
        if (decodes)
        {
            model.Calibrate(model.Windows(series, 8));
        }

        using var file = new RuntimeModel(model);
        foreach (var rows in new[] { 1, 2, 5 })
        {
            var (past, known) = (Numbers.Random(3, rows, 6, 3) * 20f + 7f, Numbers.Random(4, rows, 4, 1) * 20f + 7f);
            Numbers.Agree(model.Predict(past, known).Values, file.With("past", past).With("known", known).Run()["forecast"], $"{scaling}, {rows} rows");
        }
    }

    [Theory]
    [InlineData(DecoderAttention.None, false)]
    [InlineData(DecoderAttention.Bahdanau, false)]
    [InlineData(DecoderAttention.Bahdanau, true)]
    [InlineData(DecoderAttention.LuongDot, true)]
    [InlineData(DecoderAttention.LuongGeneral, false)]
    [InlineData(DecoderAttention.LuongConcat, true)]
    public void Encoder_decoders_agree_step_by_step(DecoderAttention attention, bool feeds)
    {
        foreach (var start in new[] { DecoderStart.Encoder, DecoderStart.Projection, DecoderStart.Own }.Where(start => attention != DecoderAttention.None || start != DecoderStart.Own))
        {
            var (source, target) = (CharVocabulary.FromText("abcdefgh"), CharVocabulary.FromText("xyz", new() { BeginAndEnd = true }));
            var fed = (attention == DecoderAttention.Bahdanau ? 4 : 0) + (feeds ? 4 : 0);
            var model = Numbers.Fill(new EncoderDecoder<float>(
                source, target, new Lstm<float>(3, 4), new Lstm<float>(3 + fed, 4, new() { LearnedInitialState = start == DecoderStart.Own }), new() { Attention = attention, InputFeeding = feeds, Start = start }));
            var folder = Directory.CreateTempSubdirectory();
            try
            {
                var paths = (Encoder: Path.Combine(folder.FullName, "encoder.onnx"), Decoder: Path.Combine(folder.FullName, "decoder.onnx"));
                model.SaveOnnx(paths.Encoder, paths.Decoder, new() { Lengths = true });
                using var encoder = new RuntimeModel(File.ReadAllBytes(paths.Encoder));
                using var decoder = new RuntimeModel(File.ReadAllBytes(paths.Decoder));
                foreach (var rows in new[] { 1, 2, 4 })
                {
                    int[][] targets = [[0, 1, 2], [1], [2, 2], []];
                    var batch = SequencePairBatch.Pad(TokenRows[..rows], targets[..rows], model.Begin, model.End);
                    StepsAgree(model.Forward(batch), batch.Inputs.ToArray(), [.. batch.TargetLengths], decoder, batch.Source.Lengths.ToArray(), encoder
                        .WithTokens("tokens", batch.Source.Tokens, rows, batch.Source.Steps).With("lengths", batch.Source.Lengths, rows).Run());
                }
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Conditional_generators_agree_step_by_step(bool feeds)
    {
        var vocabulary = CharVocabulary.FromText("xyz", new() { BeginAndEnd = true });
        var ofClasses = Numbers.Fill(new ConditionalGenerator<float>(vocabulary, ["a", "b", "c"], new Gru<float>(feeds ? 6 : 3, 4, new() { Layers = 2 }), new() { ClassSize = 3, FeedCondition = feeds }));
        var ofVectors = Numbers.Fill(new ConditionalGenerator<float>(
            vocabulary, 5, new Sequential<float>(new Linear<float>(5, 2), new ActivationLayer<float>(Activation.Relu)), new CausalConvolution<float>(feeds ? 5 : 3, 4, new() { KernelSize = 3 }), new() { FeedCondition = feeds }));
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            foreach (var model in new[] { ofClasses, ofVectors })
            {
                var paths = (Encoder: Path.Combine(folder.FullName, "encoder.onnx"), Decoder: Path.Combine(folder.FullName, "decoder.onnx"));
                model.SaveOnnx(paths.Encoder, paths.Decoder);
                using var encoder = new RuntimeModel(File.ReadAllBytes(paths.Encoder));
                using var decoder = new RuntimeModel(File.ReadAllBytes(paths.Decoder));
                foreach (var rows in new[] { 1, 3 })
                {
                    var isOfClasses = model.Classes.Count > 0;
                    var conditions = isOfClasses ? Tensor<float>.From(Enumerable.Range(0, rows).Select(row => (float)row).ToArray(), rows) : Numbers.Random(3, rows, 5);
                    int[][] texts = [[0, 1, 2], [1], [2, 2]];
                    var batch = ConditionedBatch<float>.Pad(conditions, texts[..rows], model.Begin, model.End);
                    var started = (isOfClasses ? encoder.WithTokens("classes", [.. Enumerable.Range(0, rows)], rows) : encoder.With("conditions", conditions)).Run();
                    StepsAgree(model.Forward(batch), batch.Inputs.ToArray(), [.. batch.Lengths], decoder, null, started);
                }
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        Assert.Contains("encoderPath", Assert.Throws<NotSupportedException>(() => ofClasses.ToOnnx()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(MemoryTying.Adjacent, true)]
    [InlineData(MemoryTying.LayerWise, true)]
    [InlineData(MemoryTying.Adjacent, false)]
    public void Memory_networks_agree(MemoryTying tying, bool all)
    {
        var vocabulary = WordVocabulary.FromWords(["anna", "went", "home", "where", "is", "bert", "away"], new());
        foreach (var length in new int?[] { null, 6 })
        {
            var model = Numbers.Fill(new MemoryNetwork<float>(vocabulary, new()
            {
                Tying = tying,
                EmbeddingSize = 5,
                Hops = 2,
                MemorySize = 3,
                EmptyPlaces = all,
                PositionEncoding = all,
                TemporalEncoding = all,
                PositionLength = length,
            }));
            model.IsLinear = !all && length is null;
            using var file = new RuntimeModel(model);
            string[][] stories = [["anna went home", "bert went away", "bert is home", "anna is away"], ["bert is home"], ["anna is", "bert went home"]];
            foreach (var rows in new[] { 1, 3 })
            {
                var questions = stories[..rows].Select(story => model.Encode(story, "where is bert")).ToArray();
                var (sentences, words) = (questions.Max(question => question.Story.Count), 3);
                var story = questions.SelectMany(question => Enumerable.Range(0, sentences).SelectMany(s => Padded(s < question.Story.Count ? question.Story[s] : [], words))).ToArray();
                var found = file.WithTokens("story", story, rows, sentences, words).WithTokens("question", questions.SelectMany(question => Padded([.. question.Question], 4)).ToArray(), rows, 4).Run();
                Numbers.Agree(model.Forward(StoryBatch.Of(questions)), found["scores"], $"{tying}, {rows} rows");
            }
        }

        static IEnumerable<int> Padded(int[] tokens, int count) => tokens.Concat(Enumerable.Repeat(-1, count - tokens.Length));
    }

    // What one file gives is what the next step reads.
    private static void StepsAgree(Tensor<float> expected, int[] inputs, int[] targetLengths, RuntimeModel decoder, int[]? sourceLengths, Dictionary<string, Tensor<float>> values)
    {
        var (rows, steps) = (expected.Shape[0], expected.Shape[1]);
        for (var step = 0; step < steps; step++)
        {
            decoder.WithTokens("token", [.. Enumerable.Range(0, rows).Select(row => inputs[(row * steps) + step])], rows);
            foreach (var name in decoder.InputNames)
            {
                if (name == "lengths")
                {
                    decoder.With(name, sourceLengths, rows);
                }
                else if (name != "token")
                {
                    decoder.With(name, values[name]);
                }
            }

            var found = decoder.Run();
            for (var row = 0; row < rows; row++)
            {
                if (step < targetLengths[row])
                {
                    Numbers.Agree(expected.Select(0, row).Select(0, step), found["scores"].Select(0, row), $"row {row}, step {step}");
                }
            }

            foreach (var (name, value) in found)
            {
                values[name.EndsWith("_next", StringComparison.Ordinal) ? name[..^"_next".Length] : name] = value;
            }
        }
    }
}
