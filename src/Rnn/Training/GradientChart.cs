using System.Globalization;
using System.Net;
using System.Text;

namespace Rnn.Training;

/// <summary>Curves of positive numbers over steps on a logarithmic scale: as plain text for a terminal, and as a drawing (SVG).</summary>
/// <example><code>
/// var chart = new GradientChart { Title = "norm of the gradient" }.Add("LSTM", lstm.JacobianNorms).Add("RNN", rnn.JacobianNorms);
/// Console.WriteLine(chart);
/// File.WriteAllText("flow.svg", chart.ToSvg());
/// </code></example>
public sealed class GradientChart
{
    private const string Marks = "*o+x#@%&ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    private static readonly string[] Colors = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#e69f00", "#56b4e9", "#999999"];

    private readonly List<(string Name, double[] Values)> _curves = [];

    /// <summary>What stands above the curves; nothing by default.</summary>
    public string Title { get; init; } = string.Empty;

    /// <summary>The name of the horizontal axis.</summary>
    public string Axis { get; init; } = "t";

    /// <summary>The smallest number that is shown; 1e-16 by default. Smaller ones stand on the lower border.</summary>
    public double Minimum
    {
        get;
        init => field = Sequences.OptionRange.AboveZero(value, nameof(Minimum));
    } = 1e-16;

    /// <summary>The largest number that is shown; 1e16 by default. Larger ones stand on the upper border.</summary>
    public double Maximum
    {
        get;
        init => field = Sequences.OptionRange.AboveZero(value, nameof(Maximum));
    } = 1e16;

    /// <summary>Adds a curve.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="values">Its numbers for t = 0, 1, …; those that are not positive (zeros count as below the smallest that is shown) or not a number are left out.</param>
    /// <returns>This chart.</returns>
    public GradientChart Add(string name, IReadOnlyList<double> values)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(values);
        _curves.Add((name, [.. values]));
        return this;
    }

    /// <summary>The chart as text, 72 characters wide and 16 lines high.</summary>
    public override string ToString() => ToString(72, 16);

    /// <summary>The chart as text: a mark for each curve, a scale at the left, the names below.</summary>
    /// <param name="width">The characters of a line, 20 or more.</param>
    /// <param name="height">The lines of the field of the curves, 2 or more.</param>
    public string ToString(int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 20);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 2);
        const int Margin = 8;
        var (low, high, steps) = Range();
        var field = new char[height][];
        for (var line = 0; line < height; line++)
        {
            field[line] = new char[width - Margin];
            Array.Fill(field[line], ' ');
        }

        for (var curve = 0; curve < _curves.Count; curve++)
        {
            var values = _curves[curve].Values;
            for (var column = 0; column < field[0].Length; column++)
            {
                var place = column * (double)(steps - 1) / (field[0].Length - 1);
                if (Height(values, (int)Math.Round(place), low, high) is { } part)
                {
                    field[(int)Math.Round((1 - part) * (height - 1))][column] = Marks[curve % Marks.Length];
                }
            }
        }

        var text = new StringBuilder(Title.Length > 0 ? $"{Title}\n" : string.Empty);
        for (var line = 0; line < height; line++)
        {
            var scale = line == 0 || line == height - 1 || line == (height - 1) / 2 ? Label(high - ((high - low) * line / (height - 1.0))) : string.Empty;
            text.Append($"{scale,Margin - 2} |").Append(new string(field[line]).TrimEnd()).Append('\n');
        }

        text.Append(' ', Margin - 2).Append(" +").Append('-', width - Margin).Append('\n');
        var right = (steps - 1).ToString(CultureInfo.InvariantCulture);
        text.Append(' ', Margin).Append($"0 {Axis}".PadRight(width - Margin - right.Length)).Append(right);
        for (var curve = 0; curve < _curves.Count; curve++)
        {
            text.Append('\n').Append(' ', Margin).Append(Marks[curve % Marks.Length]).Append(' ').Append(_curves[curve].Name);
        }

        return text.ToString();
    }

    /// <summary>The chart as a drawing: the text of an SVG file.</summary>
    /// <param name="width">The width in pixels, 200 or more.</param>
    /// <param name="height">The height of the field of the curves in pixels, 100 or more; the names stand below it.</param>
    public string ToSvg(int width = 800, int height = 400)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 200);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 100);
        const int Left = 60, Top = 36, Line = 18;
        var (low, high, steps) = Range();
        var (right, bottom) = (width - 20, Top + height);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{bottom + 44 + (Line * _curves.Count)}\" font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
        Write(width / 2, 22, "middle", Title);
        var decades = Math.Max(1, (int)Math.Ceiling((high - low) / 8));
        for (var decade = (int)low; decade <= high; decade += decades)
        {
            var y = bottom - ((decade - low) / (high - low) * height);
            text.Append(CultureInfo.InvariantCulture, $"<path d=\"M{Left} {y:F1}H{right}\" stroke=\"#ddd\"/>\n");
            Write(Left - 6, y + 4, "end", Label(decade));
        }

        text.Append(CultureInfo.InvariantCulture, $"<rect x=\"{Left}\" y=\"{Top}\" width=\"{right - Left}\" height=\"{height}\" fill=\"none\" stroke=\"#888\"/>\n");
        Write(Left, bottom + 18, "middle", "0");
        Write(right, bottom + 18, "middle", (steps - 1).ToString(CultureInfo.InvariantCulture));
        Write((Left + right) / 2, bottom + 18, "middle", Axis);
        for (var curve = 0; curve < _curves.Count; curve++)
        {
            var (name, values) = _curves[curve];
            var style = $"fill=\"none\" stroke=\"{Colors[curve % Colors.Length]}\" stroke-width=\"2\"{(curve >= Colors.Length ? " stroke-dasharray=\"6 4\"" : string.Empty)}";
            var (path, isDown) = (new StringBuilder(), false);
            for (var t = 0; t < values.Length; t++)
            {
                // The pen is lifted where there is no number.
                if (Height(values, t, low, high) is not { } part)
                {
                    isDown = false;
                    continue;
                }

                path.Append(CultureInfo.InvariantCulture, $"{(isDown ? 'L' : 'M')}{Left + (t * (double)(right - Left) / Math.Max(1, steps - 1)):F1} {bottom - (part * height):F1}");
                isDown = true;
            }

            var y = bottom + 34 + (Line * curve);
            text.Append(CultureInfo.InvariantCulture, $"<path d=\"{path}\" {style}/>\n<path d=\"M{Left} {y}h30\" {style}/>\n");
            Write(Left + 38, y + 4, "start", name);
        }

        return text.Append("</svg>\n").ToString();

        void Write(int x, double y, string anchor, string words) =>
            text.Append(CultureInfo.InvariantCulture, $"<text x=\"{x}\" y=\"{y:F1}\" text-anchor=\"{anchor}\">{WebUtility.HtmlEncode(words)}</text>\n");
    }

    private static string Label(double exponent) => string.Create(CultureInfo.InvariantCulture, $"1e{Math.Round(exponent):+0;-0}");

    // Where a number stands between the borders, 0 to 1; null where there is none.
    private double? Height(double[] values, int t, double low, double high) =>
        t < values.Length && values[t] >= 0 ? (Math.Log10(Math.Clamp(values[t], Minimum, Maximum)) - low) / (high - low) : null;

    // Whole decades around all numbers, and the number of steps.
    private (double Low, double High, int Steps) Range()
    {
        double low = double.PositiveInfinity, high = double.NegativeInfinity;
        var steps = 2;
        foreach (var (_, values) in _curves)
        {
            steps = Math.Max(steps, values.Length);
            foreach (var value in values)
            {
                if (value >= 0)
                {
                    var exponent = Math.Log10(Math.Clamp(value, Minimum, Maximum));
                    (low, high) = (Math.Min(low, Math.Floor(exponent)), Math.Max(high, Math.Ceiling(exponent)));
                }
            }
        }

        return low > high ? (0, 1, steps) : (low, high > low ? high : low + 1, steps);
    }
}
