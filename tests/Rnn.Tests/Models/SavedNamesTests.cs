using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;

namespace Rnn.Tests.Models;

/// <summary>Weights belong to names: of tokens, classes and tags. A model does not take weights of others.</summary>
public sealed class SavedNamesTests
{
    private static readonly CharVocabulary Letters = CharVocabulary.FromText("abc", new() { BeginAndEnd = true });
    private static readonly CharVocabulary Others = CharVocabulary.FromText("abd", new() { BeginAndEnd = true });

    [Fact]
    public void Classifiers_take_weights_of_their_classes_and_tokens_alone()
    {
        var saved = Make(Letters, "Greek", "Irish");
        Make(Letters, "Greek", "Irish").Load(Saved(saved));
        Refused("another list of classes; open the file with SequenceClassifier.Open", saved, Make(Letters, "Irish", "Greek"));
        Refused("another list of vocabulary", saved, Make(Others, "Greek", "Irish"));
        var without = Make(Letters, "Greek", "Irish");
        without.Vocabulary = null;
        without.Load(Saved(saved));
        Assert.Throws<ArgumentException>(() => without.Vocabulary = CharVocabulary.FromText("a"));
        without.Vocabulary = Letters;
        Assert.Equal(saved.Classify("abba").Probabilities, without.Classify("abba").Probabilities);

        static SequenceClassifier<float> Make(CharVocabulary vocabulary, params string[] classes) => new(vocabulary, new Gru<float>(3, 4), classes);
    }

    [Fact]
    public void Taggers_decoders_and_generators_too()
    {
        Refused("another list of tags", Tagger("N", "V"), Tagger("V", "N"));
        Refused("another list of words", Tagger("N", "V"), new SequenceTagger<float>(WordVocabulary.FromWords(["x", "z"]), new Gru<float>(3, 4), ["N", "V"]));
        Refused("another list of source vocabulary", Decoder(Letters, Letters), Decoder(Others, Letters));
        Refused("another list of target vocabulary", Decoder(Letters, Letters), Decoder(Letters, Others));
        Refused("another list of vocabulary", Generator(Letters, "up", "down"), Generator(Others, "up", "down"));
        Refused("another list of classes", Generator(Letters, "up", "down"), Generator(Letters, "down", "up"));

        Refused("another list of vocabulary", Transcriber(Letters), Transcriber(Others));

        static SequenceTranscriber<float> Transcriber(CharVocabulary vocabulary) => new(new Gru<float>(3, 4), vocabulary);
        static SequenceTagger<float> Tagger(params string[] tags) => new(WordVocabulary.FromWords(["x", "y"]), new Gru<float>(3, 4), tags);
        static EncoderDecoder<float> Decoder(CharVocabulary source, CharVocabulary target) => new(source, target, new Gru<float>(3, 4), new Gru<float>(3, 4));
        static ConditionalGenerator<float> Generator(CharVocabulary vocabulary, params string[] classes) => new(vocabulary, classes, new Gru<float>(5, 4), new() { ClassSize = 2 });
    }

    private static MemoryStream Saved(Module<float> module)
    {
        var stream = new MemoryStream();
        module.Save(stream);
        stream.Position = 0;
        return stream;
    }

    private static void Refused(string message, Module<float> saved, Module<float> other) =>
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => other.Load(Saved(saved))).Message, StringComparison.Ordinal);
}
