using System.Globalization;
using Samples;

namespace Stories;

/// <summary>The bAbI tasks (Weston et al. 2015, arXiv:1502.05698): files <c>qaN_NAME_train.txt</c> and <c>qaN_NAME_test.txt</c>.</summary>
internal static class BabiFiles
{
    /// <summary>Some tasks of a folder.</summary>
    /// <param name="folder">The folder, such as <c>en</c> with 1,000 questions a task.</param>
    /// <param name="numbers">Which ones; null for all 20.</param>
    /// <exception cref="InputException">A file is missing or has another form.</exception>
    internal static StoryTask[] Read(string folder, int[]? numbers) => [.. (numbers ?? [.. Enumerable.Range(1, 20)]).Select(number =>
    {
        var files = InputFiles.Guard("--data", folder, () => Directory.GetFiles(folder, $"qa{number}_*.txt"));
        var test = files.FirstOrDefault(file => file.EndsWith("_test.txt", StringComparison.Ordinal));
        return files.FirstOrDefault(file => file.EndsWith("_train.txt", StringComparison.Ordinal)) is { } training && test is not null
            ? new StoryTask(number, Path.GetFileName(test).Split('_')[1].Replace('-', ' '), Parse(training, number), Parse(test, number))
            : throw new InputException($"--data: expected a folder with qa{number}_*_train.txt and qa{number}_*_test.txt, the bAbI tasks, but {folder} lacks one.");
    })];

    /// <summary>
    /// One line a sentence, numbered from 1 in each story; a question has its answer and the lines that support it behind tabs. The supporting lines are not read: a memory network finds them by itself.
    /// </summary>
    /// <exception cref="InvalidDataException">A line has another form, or there is no question.</exception>
    internal static List<StoryText> Parse(IEnumerable<string> lines, int kind)
    {
        var (questions, story, number) = (new List<StoryText>(), new List<string>(), 0);
        foreach (var line in lines)
        {
            number++;
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            if (space < 0 || !int.TryParse(line.AsSpan(0, space), NumberStyles.None, CultureInfo.InvariantCulture, out var place))
            {
                throw new InvalidDataException($"line {number}: expected a number and a sentence, as in the bAbI tasks, but got '{line}'.");
            }

            if (place == 1)
            {
                story.Clear();
            }

            var parts = line[(space + 1)..].Split('\t');
            var text = string.Join(' ', parts[0].ToLowerInvariant().Split([' ', '.', '?'], StringSplitOptions.RemoveEmptyEntries));
            if (parts.Length == 1)
            {
                story.Add(text);
            }
            else
            {
                questions.Add(new([.. story], text, parts[1].Trim().ToLowerInvariant(), kind));
            }
        }

        return questions.Count > 0 ? questions : throw new InvalidDataException("expected questions as in the bAbI tasks but found none.");
    }

    private static List<StoryText> Parse(string path, int kind) => InputFiles.Guard("--data", path, () => Parse(File.ReadLines(path), kind));
}
