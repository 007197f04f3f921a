using Samples;
using Rnn.Training;
using Spectre.Console;

namespace Rnn.Tests.Samples;

/// <summary>What a user sees on a terminal while the sample trains.</summary>
public class ReportTests
{
    [Theory]
    [InlineData(150)]
    [InlineData(80)]
    [InlineData(40)]
    public async Task Text_that_stays_and_the_bar_that_moves_do_not_overlap(int width)
    {
        var screen = new Screen(width);
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            ColorSystem = ColorSystemSupport.Standard,
            Interactive = InteractionSupport.Yes,
            Out = new AnsiConsoleOutput(screen),
        });
        console.Profile.Width = width;
        var report = new Report.LiveReport(console);
        for (var step = 0; step < 4; step++)
        {
            await Task.Delay(250);
            var progress = new TrainingProgress
            {
                Update = (step * 100) + 1,
                Epoch = 1,
                Loss = 1.5,
                SmoothedLoss = 1.25,
                LearningRate = 0.01,
                GradientNorm = 0.5,
                Tokens = 10_000,
                TokensPerSecond = 123_456,
                Elapsed = TimeSpan.FromSeconds(step),
            };
            report.Progress(progress, step * 0.2);
            await Task.Delay(250);
            if (step > 0)
            {
                report.Text($"after {step}00 steps", $"short {step}\n\na longer line {step}");
            }
        }

        Assert.Contains("step 301", string.Join('\n', screen.Lines), StringComparison.Ordinal);
        report.EndProgress();
        report.Line("the end");
        Assert.Equal(
            [
                "--- after 100 steps ---", "short 1", "", "a longer line 1", "---",
                "--- after 200 steps ---", "short 2", "", "a longer line 2", "---",
                "--- after 300 steps ---", "short 3", "", "a longer line 3", "---",
                "the end",
            ],
            screen.Lines.SkipWhile(line => line.Length == 0).Reverse().SkipWhile(line => line.Length == 0).Reverse());
    }

    /// <summary>A terminal: what is written comes to stand in lines, with the control sequences that Spectre sends.</summary>
    private sealed class Screen(int width) : StringWriter
    {
        private readonly List<char[]> _lines = [];
        private readonly Lock _lock = new();
        private string _sequence = string.Empty;
        private int _row;
        private int _column;

        internal string[] Lines
        {
            get
            {
                lock (_lock)
                {
                    return [.. _lines.Select(line => new string(line).TrimEnd())];
                }
            }
        }

        public override void Write(char value) => Write([value]);

        public override void Write(string? value) => Write(value.AsSpan());

        public override void WriteLine(string? value) => Write($"{value}\n");

        public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

        public override void Write(ReadOnlySpan<char> buffer)
        {
            lock (_lock)
            {
                foreach (var character in buffer)
                {
                    Take(character);
                }
            }
        }

        private char[] Line(int row)
        {
            while (_lines.Count <= row)
            {
                _lines.Add([.. Enumerable.Repeat(' ', width)]);
            }

            return _lines[row];
        }

        private void Take(char character)
        {
            if (_sequence.Length > 0 || character == '\e')
            {
                _sequence += character;
                if (_sequence.Length > 2 && char.IsAsciiLetter(character))
                {
                    Obey(_sequence[2..^1], character);
                    _sequence = string.Empty;
                }
            }
            else if (character == '\n')
            {
                (_row, _column) = (_row + 1, 0);
            }
            else if (character == '\r')
            {
                _column = 0;
            }
            else
            {
                if (_column == width)
                {
                    (_row, _column) = (_row + 1, 0);
                }

                Line(_row)[_column++] = character;
            }
        }

        private void Obey(string parameters, char command)
        {
            var count = int.TryParse(parameters, out var number) ? number : 1;
            switch (command)
            {
                case 'A':
                    _row = Math.Max(0, _row - count);
                    break;
                case 'K':
                    Line(_row).AsSpan(parameters == "2" ? 0 : _column).Fill(' ');
                    break;
                case 'J':
                    Line(_row).AsSpan(_column).Fill(' ');
                    _lines.Skip(_row + 1).ToList().ForEach(line => line.AsSpan().Fill(' '));
                    break;
                case 'm' or 'h' or 'l':
                    break;
                default:
                    throw new NotSupportedException($"the control sequence {parameters}{command}");
            }
        }
    }
}
