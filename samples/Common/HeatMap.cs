using System.Globalization;
using System.Net;
using System.Text;
using Rnn.Models;
using Rnn.Sequences;

namespace Samples;

/// <summary>A table of numbers from 0 to 1 as shades: on a terminal, as plain text, as a drawing (SVG).</summary>
/// <param name="rows">The names of the rows.</param>
/// <param name="columns">The names of the columns.</param>
/// <param name="values">The numbers [rows, columns].</param>
public sealed class HeatMap(IReadOnlyList<string> rows, IReadOnlyList<string> columns, double[,] values)
{
    private const string Shades = " ░▒▓█";

    /// <summary>Where a model with attention looks while it writes a text: a row for each token that is written, a column for each that is read.</summary>
    public static HeatMap OfAttention(EncoderDecoder<float> model, string source, string target)
    {
        ArgumentNullException.ThrowIfNull(model);
        var (read, written) = (model.SourceVocabulary.Encode(source), model.TargetVocabulary.Encode(target));
        var weights = model.AttentionWeights(SequencePairBatch.Pad(new[] { read }, new[] { written }, model.Begin, model.End));
        var values = new double[written.Length + 1, read.Length];
        for (var row = 0; row <= written.Length; row++)
        {
            for (var column = 0; column < read.Length; column++)
            {
                values[row, column] = weights[0, row, column];
            }
        }

        return new([.. written.Select(model.TargetVocabulary.TokenText), "end"], [.. read.Select(model.SourceVocabulary.TokenText)], values);
    }

    /// <summary>The table as lines of text.</summary>
    /// <param name="colors">Whether a terminal shows it: shades are then its greys, and else characters.</param>
    public string ToText(bool colors)
    {
        var margin = rows.Max(name => name.Length);
        var text = new StringBuilder().Append(' ', margin);
        foreach (var name in columns)
        {
            text.Append(' ').Append(name.PadRight(Width(name)));
        }

        for (var row = 0; row < rows.Count; row++)
        {
            text.Append('\n').Append(rows[row].PadLeft(margin)).Append(' ');
            for (var column = 0; column < columns.Count; column++)
            {
                var (value, width) = (Math.Clamp(values[row, column], 0, 1), Width(columns[column]) + 1);
                text.Append(colors ? string.Create(CultureInfo.InvariantCulture, $"\e[48;5;{232 + (int)(value * 23)}m{new string(' ', width)}\e[0m") : new string(Shades[(int)Math.Round(value * (Shades.Length - 1))], width));
            }
        }

        return text.ToString();
    }

    /// <summary>Saves the table as a drawing.</summary>
    public void SaveSvg(string path) => InputFiles.Guard("--save", path, () =>
    {
        const int Cell = 24;
        var left = 12 + (9 * rows.Max(name => name.Length));
        var top = 12 + (9 * columns.Select(name => name.Length).DefaultIfEmpty().Max());
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"""<svg xmlns="http://www.w3.org/2000/svg" width="{left + (Cell * columns.Count) + 8}" height="{top + (Cell * rows.Count) + 8}" font-family="monospace" font-size="14">""");
        for (var column = 0; column < columns.Count; column++)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n<text transform=\"translate({left + (Cell * column) + 16} {top - 6}) rotate(-90)\">{WebUtility.HtmlEncode(columns[column])}</text>");
        }

        for (var row = 0; row < rows.Count; row++)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n<text x=\"{left - 6}\" y=\"{top + (Cell * row) + 17}\" text-anchor=\"end\">{WebUtility.HtmlEncode(rows[row])}</text>");
            for (var column = 0; column < columns.Count; column++)
            {
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"\n<rect x=\"{left + (Cell * column)}\" y=\"{top + (Cell * row)}\" width=\"{Cell - 1}\" height=\"{Cell - 1}\" fill=\"#1f4e9c\" fill-opacity=\"{values[row, column]:F3}\" stroke=\"#ddd\"/>");
            }
        }

        File.WriteAllText(path, $"{text}\n</svg>\n");
        return true;
    });

    // A name of one character would make cells too narrow to see.
    private static int Width(string name) => Math.Max(name.Length, 1);
}
