using AudioClassifier;
using NWaves.Signals;
using Rnn.Tensors;
using Samples;
using Tagger;
using Transcriber;
using VideoClassifier;

namespace Rnn.Tests.Samples;

/// <summary>What the samples of classifiers and of the tagger read and make.</summary>
public sealed class ClassifierDataTests
{
    [Fact]
    public void A_treebank_is_read_without_comments_ranges_and_empty_words()
    {
        string[] lines =
        [
            "# text = I don't", Row("1", "I", "PRON"), Row("2-3", "don't", "_"), Row("2", "do", "AUX"), Row("3", "n't", "PART"), Row("3.1", "know", "VERB"), string.Empty, string.Empty,
            "# text = Yes", Row("1", "Yes", "INTJ"),
        ];
        var read = TaggedSentences.Parse(lines);
        Assert.Equal([["I", "do", "n't"], ["Yes"]], read.Words);
        Assert.Equal([["PRON", "AUX", "PART"], ["INTJ"]], read.Tags);
        Assert.Contains("line 2: expected 10 columns", Assert.Throws<InvalidDataException>(() => TaggedSentences.Parse([lines[1], "1 I PRON"])).Message, StringComparison.Ordinal);
        Assert.Contains("found none", Assert.Throws<InvalidDataException>(() => TaggedSentences.Parse(["# text"])).Message, StringComparison.Ordinal);

        static string Row(string id, string word, string tag) => $"{id}\t{word}\t_\t{tag}\t_\t_\t_\t_\t_\t_";
    }

    [SharedDataFact("ud-english-ewt")]
    public void The_treebank_has_its_sentences_words_and_tags()
    {
        foreach (var (part, sentences, words) in new[] { ("train", 12_544, 204_577), ("dev", 2_001, 25_147), ("test", 2_077, 25_094) })
        {
            var read = TaggedSentences.Read(SharedDataFactAttribute.PathOf("ud-english-ewt"), part);
            Assert.Equal((sentences, words), (read.Words.Count, read.Words.Sum(sentence => sentence.Length)));
            Assert.Equal(17, read.Tags.SelectMany(tags => tags).Distinct().Count());
        }
    }

    [Fact]
    public void The_small_grammar_tags_every_word_and_gives_some_words_two_tags()
    {
        var made = SmallGrammar.Generate(new RandomSource(1), 500);
        Assert.Equal(made.Words.Select(sentence => sentence.Length), made.Tags.Select(tags => tags.Length));
        var pairs = made.Words.SelectMany((sentence, i) => sentence.Zip(made.Tags[i])).Distinct().ToLookup(pair => pair.First, pair => pair.Second);
        Assert.Equal(["NOUN", "VERB"], pairs["plants"].Order());
        Assert.Equal(["ADJ", "NOUN"], pairs["novel"].Order());
        Assert.All(made.Tags, tags => Assert.Equal(1 + tags.Count(tag => tag == "CCONJ"), tags.Count(tag => tag == "VERB")));
    }

    [SharedDataFact("japanese-vowels")]
    public void The_vowels_have_their_sequences()
    {
        var (training, test) = Recordings.Read(SharedDataFactAttribute.PathOf("japanese-vowels"));
        Assert.Equal((270, 370, 9), (training.Labels.Length, test.Labels.Length, test.Classes.Count));
        Assert.Equal([31, 35, 88, 44, 29, 24, 40, 50, 29], Enumerable.Range(0, 9).Select(speaker => test.Labels.Count(label => label == speaker)));
        Assert.Equal((7, 29), (training.Features.Concat(test.Features).Min(sequence => sequence.Shape[0]), training.Features.Concat(test.Features).Max(sequence => sequence.Shape[0])));
        Assert.All(training.Features, sequence => Assert.Equal(12, sequence.Shape[1]));
        Assert.Equal(1.860936f, training.Features[0][0, 0]);
    }

    [SharedDataFact("spoken-digits")]
    public void The_spoken_digits_have_their_test_set()
    {
        var (training, test) = Recordings.Read(SharedDataFactAttribute.PathOf("spoken-digits"));
        Assert.Equal((0, 300), (training.Labels.Length % 600, test.Labels.Length));
        Assert.Equal(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], test.Classes);
        Assert.All(Enumerable.Range(0, 10), digit => Assert.Equal(30, test.Labels.Count(label => label == digit)));
        Assert.All(test.Features, sequence => Assert.True(sequence.Shape[0] > 5 && sequence.ToArray().All(float.IsFinite)));
    }

    [Theory]
    [InlineData(250)]
    [InlineData(1000)]
    [InlineData(3000)]
    public void A_tone_stands_in_its_own_band(int frequency)
    {
        var spectrogram = LogMel.Of(new DiscreteSignal(8000, [.. Enumerable.Range(0, 4000).Select(i => 0.5f * (float)Math.Sin(2 * Math.PI * frequency * i / 8000))]));
        Assert.Equal("[48, 32]", spectrogram.Shape.ToString());

        // The bands are as wide as each other on the mel scale of Slaney: linear below 1 kHz, logarithmic above.
        var mel = frequency < 1000 ? frequency * 3 / 200.0 : 15 + (27 * Math.Log(frequency / 1000.0) / Math.Log(6.4));
        var highest = 15 + (27 * Math.Log(4) / Math.Log(6.4));
        var loudest = Enumerable.Range(0, 32).MaxBy(band => spectrogram[20, band]);
        Assert.InRange(loudest + 1 - (mel / highest * 33), -1, 1);
        Assert.All(LogMel.Draw(spectrogram).Split('\n'), line => Assert.InRange(line.Length, 0, 48));
    }

    [SharedDataFact("spoken-digits")]
    public void Strings_of_spoken_digits_are_of_one_half_of_the_recordings_each()
    {
        var folder = SharedDataFactAttribute.PathOf("spoken-digits");
        var (training, test) = Speech.Read(folder, new RandomSource(1), 40, 30);
        Assert.Equal((40, 40, 30, 30), (training.Features.Count, training.Texts.Length, test.Features.Count, test.Texts.Length));
        Assert.Equal([3, 4, 5], training.Texts.Concat(test.Texts).Select(text => text.Length).Distinct().Order());
        Assert.All(training.Features.Concat(test.Features), features => Assert.True(features.Shape[1] == LogMel.Bands && features.ToArray().All(float.IsFinite)));

        // No digit is shorter than a seventh of a second, no pause longer than a quarter.
        Assert.All(test.Features.Zip(test.Texts), pair => Assert.InRange(pair.First.Shape[0], 14 * pair.Second.Length, (131 * pair.Second.Length) + (25 * (pair.Second.Length + 1))));
        Assert.Equal(test.Texts, Speech.Read(folder, new RandomSource(1), 40, 30).Test.Texts);
    }

    [Fact]
    public void Strings_are_drawn_with_as_many_digits_as_their_texts_have()
    {
        var drawn = Handwriting.Generate(new RandomSource(1), 200);
        Assert.Equal([3, 4, 5, 6], drawn.Texts.Select(text => text.Length).Distinct().Order());
        Assert.Equal(10, string.Concat(drawn.Texts).Distinct().Count());
        Assert.All(drawn.Features.Zip(drawn.Texts), pair => Assert.InRange(pair.First.Shape[0], 3 * pair.Second.Length, 4 + (16 * pair.Second.Length)));

        // Ink is nearly 1, paper nearly 0; a picture has some of both.
        Assert.All(drawn.Features.Select(features => features.ToArray().Average(value => value > 0.6 ? 1.0 : 0)), ink => Assert.InRange(ink, 0.1, 0.75));
        Assert.Equal(Handwriting.Height, Handwriting.Draw(drawn.Features[0]).Split('\n').Length);
        Assert.Equal("[2, 48]", Strings.Stack(drawn.Features[0].Slice(..8), 3).Shape.ToString());
    }

    [Fact]
    public void A_folder_of_other_files_is_refused()
    {
        var folder = Directory.CreateTempSubdirectory("recordings-");
        Assert.Contains("LABEL_SPEAKER_TAKE.wav", Assert.Throws<InputException>(() => Recordings.Read(folder.FullName)).Message, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(folder.FullName, "a_b_0.wav"), "no sound at all, nothing of the kind");
        File.Copy(Path.Combine(folder.FullName, "a_b_0.wav"), Path.Combine(folder.FullName, "c_b_9.wav"));
        Assert.StartsWith("--data: ", Assert.Throws<InputException>(() => Recordings.Read(folder.FullName)).Message, StringComparison.Ordinal);
        Assert.StartsWith("--data: ", Assert.Throws<InputException>(() => Speech.Read(folder.FullName, new RandomSource(1), 1, 1)).Message, StringComparison.Ordinal);
        folder.Delete(recursive: true);
    }

    [Fact]
    public void A_live_model_says_what_it_thinks_while_it_hears()
    {
        var folder = Directory.CreateTempSubdirectory("live-");
        var heard = SampleProcess.Run("AudioClassifier", folder.FullName, "--live", "--updates", "1", "--threads", "1");
        Assert.True(heard.ExitCode == 0, heard.Error);
        Assert.Contains("after 10 frames: ", heard.Output, StringComparison.Ordinal);
        folder.Delete(recursive: true);
    }

    [Fact]
    public void A_tagger_takes_its_options_and_tags_what_is_asked()
    {
        var folder = Directory.CreateTempSubdirectory("tagger-");
        string[] options = ["--updates", "1", "--threads", "1", "--ask", "the novel plants grow ."];
        var tagged = SampleProcess.Run("Tagger", folder.FullName, ["--crf", "--layers", "2", "--directions", "1", .. options]);
        Assert.True(tagged.ExitCode == 0, tagged.Error);
        Assert.Contains("Lstm(lstm, 256 → 128 → 128)", tagged.Output, StringComparison.Ordinal);
        Assert.Contains("conditional random field", tagged.Output, StringComparison.Ordinal);
        Assert.Matches("the/[A-Z]+ novel/[A-Z]+ plants/[A-Z]+ grow/[A-Z]+ \\./[A-Z]+", tagged.Output);
        var refused = SampleProcess.Run("Tagger", folder.FullName, ["--directions", "3", .. options]);
        Assert.Equal((2, "--directions: expected 1 or 2 but got 3.\n"), (refused.ExitCode, refused.Error));
        folder.Delete(recursive: true);
    }

    [Fact]
    public void A_shape_moves_as_its_label_says()
    {
        var films = Films.Generate(new RandomSource(1), 200);
        for (var i = 0; i < films.Labels.Length; i++)
        {
            // Frames that are moved back by the shape's own motion add up to one sharp picture: that of the largest energy.
            var (film, best, shift) = (films.Frames[i], 0.0, (0, 0));
            for (var down = -1; down <= 1; down++)
            {
                for (var right = -1; right <= 1; right++)
                {
                    var sums = new double[Films.Pixels];
                    for (var t = 0; t < film.Shape[0]; t++)
                    {
                        for (var pixel = 0; pixel < Films.Pixels; pixel++)
                        {
                            sums[pixel] += film[t, ((((pixel / 12) + (t * down) + 144) % 12) * 12) + (((pixel % 12) + (t * right) + 144) % 12)];
                        }
                    }

                    var energy = sums.Sum(value => value * value);
                    (best, shift) = energy > best ? (energy, (down, right)) : (best, shift);
                }
            }

            var name = $"{(shift.Item1 < 0 ? "up " : shift.Item1 > 0 ? "down " : string.Empty)}{(shift.Item2 < 0 ? "left" : shift.Item2 > 0 ? "right" : string.Empty)}".Trim();
            Assert.Equal(Films.Directions[films.Labels[i]], name);
        }

        Assert.Equal(12, Films.Draw(films.Frames[0]).Split('\n').Length);
    }
}
