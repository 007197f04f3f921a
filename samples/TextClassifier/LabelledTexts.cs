using Rnn.Tensors;
using Samples;

namespace TextClassifier;

/// <summary>What is cut into a part to learn from and one to test on.</summary>
internal enum SplitBy
{
    /// <summary>The different texts: one that comes several times is on one side only.</summary>
    Texts,

    /// <summary>The lines, as many published figures do.</summary>
    Lines,
}

/// <summary>Texts with their classes.</summary>
internal sealed record LabelledTexts(IReadOnlyList<string> Texts, int[] Labels, IReadOnlyList<string> Classes)
{
    /// <summary>
    /// The temporal order problem (Hochreiter and Schmidhuber 1997, experiment 6a): in some hundred characters two are an X or a Y, far apart, and the class
    /// is their order. A network must keep what it saw over fifty steps of noise.
    /// </summary>
    internal static LabelledTexts TemporalOrder(RandomSource random, int count)
    {
        string[] classes = ["XX", "XY", "YX", "YY"];
        var (texts, labels) = (new string[count], new int[count]);
        for (var i = 0; i < count; i++)
        {
            var text = new char[100 + random.Next(11)];
            foreach (ref var character in text.AsSpan())
            {
                character = (char)('a' + random.Next(4));
            }

            labels[i] = random.Next(classes.Length);
            (text[10 + random.Next(11)], text[50 + random.Next(11)]) = (classes[labels[i]][0], classes[labels[i]][1]);
            texts[i] = new(text);
        }

        return new(texts, labels, classes);
    }

    /// <summary>A folder of texts: one file for each class, named after it, with one text on each line.</summary>
    internal static LabelledTexts Read(string folder)
    {
        var files = InputFiles.Guard("--data", folder, () => Directory.GetFiles(folder, "*.txt"));
        Array.Sort(files, StringComparer.Ordinal);
        if (files.Length < 2)
        {
            throw new InputException($"--data: expected a folder with a .txt file for each of two classes or more, one text on each line, but {folder} has {files.Length}.");
        }

        var lines = files.Select(file => File.ReadLines(file).Select(line => line.Trim()).Where(line => line.Length > 0).ToArray()).ToArray();
        return new([.. lines.SelectMany(texts => texts)], [.. lines.SelectMany((texts, label) => texts.Select(_ => label))], [.. files.Select(file => Path.GetFileNameWithoutExtension(file)!)]);
    }

    /// <summary>Cuts the texts in two in a random order.</summary>
    /// <param name="random">Where the order comes from.</param>
    /// <param name="part">The part on the first side.</param>
    /// <param name="by">What is cut. Of different texts none to test on has been learned; lines may repeat one of the training part.</param>
    internal (LabelledTexts Training, LabelledTexts Test) Split(RandomSource random, double part, SplitBy by)
    {
        if (by == SplitBy.Lines)
        {
            int[] order = [.. Enumerable.Range(0, Texts.Count)];
            random.Shuffle(order);
            var cut = (int)(order.Length * part);
            return (Select(order[..cut]), Select(order[cut..]));
        }

        string[] different = [.. Texts.Distinct()];
        random.Shuffle(different.AsSpan());
        var first = different.Take((int)(different.Length * part)).ToHashSet();
        var sides = Enumerable.Range(0, Texts.Count).ToLookup(i => first.Contains(Texts[i]));
        return sides[true].Any() && sides[false].Any()
            ? (Select([.. sides[true]]), Select([.. sides[false]]))
            : throw new InputException($"--data: expected two different texts or more but got {different.Length}.");
    }

    private LabelledTexts Select(int[] indices) => new([.. indices.Select(i => Texts[i])], [.. indices.Select(i => Labels[i])], Classes);
}
