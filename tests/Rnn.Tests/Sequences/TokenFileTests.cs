using System.Text;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Tests.Learning;

namespace Rnn.Tests.Sequences;

public sealed class TokenFileTests : IDisposable
{
    private static readonly int[] Tokens = [.. Enumerable.Range(0, 100_000).Select(i => (int)((long)i * i % 1009))];
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("rnn-tokens-");

    private string FilePath => Path.Combine(_folder.FullName, "text.tokens");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(1009, 2)]
    [InlineData(65_536, 2)]
    [InlineData(65_537, 4)]
    [InlineData(int.MaxValue, 4)]
    public void Tokens_come_back(int vocabularySize, int bytes)
    {
        var tokens = Tokens.ToArray();
        tokens[77_777] = vocabularySize - 1;
        TokenFile.Write(FilePath, tokens.Chunk(777), vocabularySize);
        using var file = TokenFile.Open(FilePath);
        Assert.Equal((tokens.Length, vocabularySize), (file.Count, file.VocabularySize));
        Assert.Equal(32 + ((long)bytes * tokens.Length), new FileInfo(FilePath).Length);
        var read = new int[tokens.Length];
        file.Read(0, read);
        Assert.Equal(tokens, read);
        file.Read(77_777, read.AsSpan(0, 2));
        Assert.Equal(tokens[77_777..77_779], read[..2]);
        using var part = file.Slice(70_000, 8000).Slice(7_777);
        Assert.Equal(223, part.Count);
        part.Read(0, read.AsSpan(0, 1));
        Assert.Equal(vocabularySize - 1, read[0]);
        part.Dispose();
        file.Read(0, read.AsSpan(0, 1));
    }

    [Theory]
    [InlineData(3, 7, null)]
    [InlineData(3, 7, 2)]
    [InlineData(1, 500, 500)]
    public void Windows_are_those_of_tokens_in_memory(int rows, int steps, int? stride)
    {
        TokenFile.Write(FilePath, [Tokens], 1009);
        using var file = TokenFile.Open(FilePath);
        foreach (var (start, count) in new[] { (0, 100_000), (13, 1999) })
        {
            var memory = new TokenStreamSource(Tokens.AsMemory(start, count), rows, steps, stride);
            var disk = new TokenStreamSource(file.Slice(start, count), rows, steps, stride);
            Assert.Equal(memory.Identity, disk.Identity);
            Assert.Equal((memory.WindowCount, memory.TargetCount), (disk.WindowCount, disk.TargetCount));
            while (memory.MoveNext())
            {
                Assert.True(disk.MoveNext());
                var (expected, actual) = (memory.Current, disk.Current);
                Assert.Equal((expected.Steps, expected.CarrySteps, expected.TargetCount), (actual.Steps, actual.CarrySteps, actual.TargetCount));
                Assert.True(expected.Inputs.SequenceEqual(actual.Inputs) && expected.Targets.SequenceEqual(actual.Targets) && expected.Starts.SequenceEqual(actual.Starts));
            }

            Assert.False(disk.MoveNext());
        }
    }

    // Lines, a line longer than a piece, none at the end, both kinds of line ends, characters of two code units, a byte order mark at the start and inside.
    [Fact]
    public void A_text_that_is_read_in_pieces_has_the_tokens_and_the_vocabulary_of_the_whole()
    {
        var random = new RandomSource(5);
        var text = new StringBuilder("\uFEFFIt's \"so\", said Ann-Marie 3.14\n");
        string[] parts = ["word ", "Ann-Marie ", "3.14 ", "é", "e\u0301 ", "\n", "\r\n", "\uFEFF", "\n\uFEFF", "😀", "don't ", ".", ", ", new('x', 300)];
        for (var i = 0; i < 3000; i++)
        {
            text.Append(parts[random.Next(parts.Length)]);
        }

        text.Append('a', 200_000).Append(' ').Append('b', 100_000);
        var whole = text.ToString();
        var words = WordVocabulary.FromText(whole, new() { Lowercase = true });
        var characters = CharVocabulary.FromText(whole);
        Assert.Equal(words.ToMetadata(), WordVocabulary.FromText(new StringReader(whole), new() { Lowercase = true }).ToMetadata());
        Assert.Equal(characters.ToMetadata(), CharVocabulary.FromText(new StringReader(whole)).ToMetadata());
        foreach (var vocabulary in new IVocabulary[] { words, characters })
        {
            Assert.Equal(vocabulary.Encode(whole), TextPieces.Read(new StringReader(whole), size: 7).SelectMany(piece => vocabulary.Encode(piece.Span)));
            TokenFile.Write(FilePath, new StringReader(whole), vocabulary);
            using var file = TokenFile.Open(FilePath);
            var read = new int[file.Count];
            file.Read(0, read);
            Assert.Equal(vocabulary.Encode(whole), read);
        }

        Assert.Contains("expected a text", Assert.Throws<ArgumentException>(() => WordVocabulary.FromText(new StringReader("  "))).Message, StringComparison.Ordinal);
        Assert.Contains("expected a text", Assert.Throws<ArgumentException>(() => CharVocabulary.FromText(TextReader.Null)).Message, StringComparison.Ordinal);
        Assert.Contains("U+D83D", Assert.Throws<ArgumentException>(() => WordVocabulary.FromText(new StringReader("a \uD83D b"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_files_are_explained()
    {
        Assert.Contains("not a file of tokens", Error("text"), StringComparison.Ordinal);
        Assert.Contains("not a file of tokens", Error("this is some other file of more than 32 bytes"), StringComparison.Ordinal);
        TokenFile.Write(FilePath, [[1, 2, 3]], 5);
        var bytes = File.ReadAllBytes(FilePath);
        Assert.Contains("expected 38 bytes for 3 tokens but the file has 37; its end is missing", Changed(bytes[..^1]), StringComparison.Ordinal);
        Assert.Contains("something stands behind its end", Changed([.. bytes, 0]), StringComparison.Ordinal);
        Assert.Contains("expected version 1 of the format but the file has 2", Changed([.. bytes[..8], 2, .. bytes[9..]]), StringComparison.Ordinal);
        Assert.Contains("the header is damaged", Changed([.. bytes[..12], 4, .. bytes[13..]]), StringComparison.Ordinal);
        Assert.Contains("the header is damaged", Changed([.. bytes[..31], 0xFF]), StringComparison.Ordinal);

        File.WriteAllBytes(FilePath, [.. bytes[..36], 9, 0]);
        using (var file = TokenFile.Open(FilePath))
        {
            Assert.Contains("token 2 is 9, expected 0 to 4", Assert.Throws<InvalidDataException>(() => file.Read(0, new int[3])).Message, StringComparison.Ordinal);
            File.WriteAllBytes(FilePath, bytes[..36]);
            Assert.Contains("end of the file is missing", Assert.Throws<InvalidDataException>(() => file.Read(0, new int[3])).Message, StringComparison.Ordinal);
        }

        Assert.Throws<FileNotFoundException>(() => TokenFile.Open(Path.Combine(_folder.FullName, "none")));

        string Error(string content) => Changed(Encoding.ASCII.GetBytes(content));

        string Changed(byte[] content)
        {
            File.WriteAllBytes(FilePath, content);
            return Assert.Throws<InvalidDataException>(() => TokenFile.Open(FilePath)).Message;
        }
    }

    [Fact]
    public void Wrong_input_is_named_and_leaves_the_file_as_it_was()
    {
        TokenFile.Write(FilePath, [], 5);
        using (var empty = TokenFile.Open(FilePath))
        {
            Assert.Equal(0, empty.Count);
            empty.Read(0, []);
            Assert.Contains("0 tokens give", Assert.Throws<ArgumentException>(() => new TokenStreamSource(empty, 1, 1)).Message, StringComparison.Ordinal);
        }

        Assert.Contains("from 0 to 4 but token 2 is 5", Assert.Throws<ArgumentException>(() => TokenFile.Write(FilePath, [[1, 2], [5]], 5)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => TokenFile.Write(FilePath, [], 0));
        using var file = TokenFile.Open(FilePath);
        Assert.Equal(0, file.Count);
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Read(0, new int[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Slice(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Slice(0, 1));
        Assert.Single(Directory.GetFiles(_folder.FullName));
    }

    [LongFact]
    public void A_file_of_three_hundred_megabytes_needs_no_memory()
    {
        const int Piece = 100_000, Pieces = 1500;
        TokenFile.Write(FilePath, Enumerable.Range(0, Pieces).Select(piece => Enumerable.Range(0, Piece).Select(i => (piece + i) % 30_000).ToArray()), 30_000);
        Assert.Equal(32 + (2L * Piece * Pieces), new FileInfo(FilePath).Length);
        using var file = TokenFile.Open(FilePath);
        var source = new TokenStreamSource(file, 32, 64);
        _ = source.MoveNext();
        var (before, sum, windows) = (GC.GetAllocatedBytesForCurrentThread(), 0L, 1);
        while (source.MoveNext())
        {
            sum += source.Current.Inputs[0];
            windows++;
        }

        Assert.Equal((source.WindowCount, true), (windows, sum > 0));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true), 0, 100 << 20);
    }
}
