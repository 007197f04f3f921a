using Samples;

namespace Tagger;

/// <summary>Sentences with a tag for each word.</summary>
internal sealed record TaggedSentences(IReadOnlyList<string[]> Words, IReadOnlyList<string[]> Tags)
{
    /// <summary>The one file of a folder that has a part in its name, such as <c>en_ewt-ud-train.conllu</c>.</summary>
    internal static TaggedSentences Read(string folder, string part)
    {
        var files = InputFiles.Guard("--data", folder, () => Directory.GetFiles(folder, $"*{part}*.conllu"));
        return files.Length == 1
            ? InputFiles.Guard("--data", files[0], () => Parse(File.ReadLines(files[0])))
            : throw new InputException($"--data: expected a folder with one file *{part}*.conllu, a treebank of Universal Dependencies, but {folder} has {files.Length}.");
    }

    /// <summary>CoNLL-U (universaldependencies.org/format.html): a word a line, its columns separated by tabs, an empty line after each sentence.</summary>
    /// <exception cref="InvalidDataException">A line has another form, or there is no sentence.</exception>
    internal static TaggedSentences Parse(IEnumerable<string> lines)
    {
        var (words, tags, number) = (new List<string[]>(), new List<string[]>(), 0);
        var sentence = new List<(string Word, string Tag)>();
        foreach (var line in lines.Append(string.Empty))
        {
            number++;
            if (line.Length == 0 && sentence.Count > 0)
            {
                words.Add([.. sentence.Select(pair => pair.Word)]);
                tags.Add([.. sentence.Select(pair => pair.Tag)]);
                sentence.Clear();
            }

            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            var columns = line.Split('\t');
            if (columns.Length != 10)
            {
                throw new InvalidDataException($"line {number}: expected 10 columns of CoNLL-U, separated by tabs, but it has {columns.Length}.");
            }

            // 3-4 is how two words are written together, 5.1 a word that is not written; neither is a word of the sentence.
            if (!columns[0].Contains('-', StringComparison.Ordinal) && !columns[0].Contains('.', StringComparison.Ordinal))
            {
                sentence.Add((columns[1], columns[3]));
            }
        }

        return words.Count > 0 ? new(words, tags) : throw new InvalidDataException("expected sentences in CoNLL-U but found none.");
    }
}
