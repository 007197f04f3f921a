using System.Diagnostics;
using Rnn.Formats;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tests.Samples;

namespace Rnn.Tests.Models;

/// <summary>A published model that spells English words in phonemes (g2p-en), its weights read from NumPy's archive into a model of this library.</summary>
public class SpellingTests
{
    private const string Folder = "pretrained/g2p-en";

    [SharedDataFact(Folder)]
    public void A_published_model_spells_words()
    {
        var model = Open();
        var options = new BeamSearchOptions { Width = 1, MaximumLength = 20 };
        string[] words = ["activationist", "recurrent", "network", "library"];
        var spelled = model.Translate(words, options);
        Assert.Equal("AE2 K T IH0 V EY1 SH AH0 N IH0 S T", spelled[0]);
        Assert.Equal(words.Select(word => model.Translate(word, options)), spelled);

        // For the record, not asserted: a hundred words, one after the other.
        var hundred = Enumerable.Range(0, 100).Select(i => $"{words[i % 4]}{(char)('a' + (i % 26))}").ToArray();
        var start = Stopwatch.GetTimestamp();
        Assert.All(hundred, word => Assert.NotEqual(string.Empty, model.Translate(word, options)));
        Console.WriteLine($"A hundred words in {Stopwatch.GetElapsedTime(start).TotalSeconds:F2} s.");
    }

    private static EncoderDecoder<float> Open()
    {
        var folder = SharedDataFactAttribute.PathOf(Folder);
        var phonemes = new Symbols([.. File.ReadLines(Path.Combine(folder, "phonemes.txt"))]);
        var letters = new Symbols(["<pad>", "<unk>", "</s>", .. Enumerable.Range('a', 26).Select(letter => $"{(char)letter}")]) { IsSource = true };
        var model = new EncoderDecoder<float>(letters, phonemes, new Gru<float>(256, 256), new Gru<float>(256, 256), new() { Attention = DecoderAttention.None });
        using var file = WeightFile.Open(Path.Combine(folder, "checkpoint20.npz"));
        model.LoadPyTorch(file.Rename(name => name switch
        {
            "enc_emb" => "source_embedding.weight",
            "dec_emb" => "target_embedding.weight",
            "fc_w" => "output.weight",
            "fc_b" => "output.bias",
            _ => $"{(name[0] == 'e' ? "encoder" : "decoder")}.{(name[4] == 'w' ? "weight" : "bias")}{name[5..]}",
        }));
        return model;
    }

    // Letters one by one with an end behind them, or phonemes with spaces between.
    private sealed class Symbols(string[] symbols) : IVocabulary
    {
        public bool IsSource { get; init; }

        public int Count => symbols.Length;

        public int? BeginOfSequence => IsSource ? null : Array.IndexOf(symbols, "<s>");

        public int? EndOfSequence => Array.IndexOf(symbols, "</s>");

        public int[] Encode(ReadOnlySpan<char> text) => [.. text.ToString().Select(letter => Array.IndexOf(symbols, $"{letter}")), EndOfSequence!.Value];

        public string Decode(params ReadOnlySpan<int> tokens) => string.Join(' ', tokens.ToArray().Where(token => token != EndOfSequence).Select(token => symbols[token]));
    }
}
