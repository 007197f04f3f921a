using Rnn.Models;
using Samples;
using Spectre.Console;

namespace Stories;

/// <summary>A story with how much each hop looked at each of its sentences: a table on a terminal, lines where the output goes elsewhere.</summary>
internal static class AttentionTable
{
    internal static void Show(SampleRun run, StoryText text, StoryAnswer answer)
    {
        var title = $"{text.Question}? {answer}, and right is {text.Answer}";
        if (Console.IsOutputRedirected)
        {
            run.Line($"--- {title}: where each hop looked");
            foreach (var line in Lines(text, answer))
            {
                run.Line(line);
            }

            return;
        }

        var table = new Table().Title(title.EscapeMarkup()).AddColumn("story");
        for (var hop = 0; hop < answer.Attention.Count; hop++)
        {
            table.AddColumn(new TableColumn($"hop {hop + 1}").RightAligned());
        }

        for (var i = 0; i < text.Story.Length; i++)
        {
            table.AddRow([text.Story[i].EscapeMarkup(), .. answer.Attention.Select(hop => hop[i] >= 0.5 ? $"[bold]{hop[i]:P0}[/]" : $"{hop[i]:P0}")]);
        }

        AnsiConsole.Write(table);
    }

    /// <summary>A line for each sentence: the per cent of each hop and the sentence.</summary>
    internal static IEnumerable<string> Lines(StoryText text, StoryAnswer answer) =>
        text.Story.Select((sentence, i) => $"{string.Concat(answer.Attention.Select(hop => FormattableString.Invariant($"{100 * hop[i],4:F0} %")))}  {sentence}");
}
