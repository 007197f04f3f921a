using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Rnn.Models;
using Rnn.Tests.Architecture;

namespace Rnn.Tests.Samples;

/// <summary>What every sample does alike: it runs without arguments, says its result, saves a model that it opens again, and refuses wrong input.</summary>
public sealed partial class SamplesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("samples-").FullName;

    /// <summary>The samples with the names of their files and the figures of their result lines.</summary>
    public static TheoryData<string, string, string[]> All { get; } = new()
    {
        { "Addition", "addition", ["accuracy", "loss"] },
        { "AudioClassifier", "audio-classifier", ["accuracy", "macro_f1"] },
        { "Captions", "captions", ["exact"] },
        { "Chorales", "chorales", ["nll", "precision", "recall", "f1"] },
        { "Dates", "dates", ["accuracy", "loss"] },
        { "Forecast", "forecast", ["rmse", "naive", "mse", "mase", "coverage"] },
        { "Gradients", "gradients", ["rnn_half", "rnn_one", "rnn_two", "lstm", "gru", "mse"] },
        { "Melodies", "melodies", ["in_scale", "whole_bars"] },
        { "Stories", "stories", ["error", "task1"] },
        { "Tagger", "tagger", ["accuracy", "macro_f1"] },
        { "TextClassifier", "text-classifier", ["accuracy", "macro_f1"] },
        { "Transcriber", "transcriber", ["ler", "exact", "loss"] },
        { "Translator", "translator", ["bleu", "bleu_greedy", "bleu_single", "loss"] },
        { "VideoClassifier", "video-classifier", ["accuracy", "macro_f1"] },
        { "WaveNet", "wavenet", ["nll", "bits"] },
        { "WordRnn", "word-rnn", ["loss", "perplexity"] },
    };

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(All))]
    public void A_sample_trains_says_its_result_and_opens_what_it_saved(string sample, string name, string[] figures)
    {
        var trained = SampleProcess.Run(sample, _folder, "--updates", "2", "--threads", "2");
        Assert.True(trained.ExitCode == 0, trained.Error);
        Assert.Empty(trained.Error);
        var file = Path.Combine(_folder, $"{name}.safetensors");
        Assert.Contains($"the model is saved in {file}", trained.Output, StringComparison.Ordinal);
        var values = Values(trained.LastLine);
        Assert.Equal([.. figures, "seconds"], values.Keys);
        Assert.All(values.Values, value => Assert.True(double.IsFinite(value)));

        // The saved model gives the same figures on the same data.
        var opened = SampleProcess.Run(sample, _folder, "--open", file, "--threads", "1");
        Assert.True(opened.ExitCode == 0, opened.Error);
        Assert.Equal(figures.Select(figure => values[figure]), figures.Select(figure => Values(opened.LastLine)[figure]));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void A_sample_refuses_wrong_input_in_one_line(string sample, string name, string[] figures)
    {
        Assert.NotEmpty(figures);
        Refuses("--data", "no-such-folder");
        Refuses("--open", $"{name}.safetensors");
        Refuses("--updates", "0");
        Refuses("--no-such-option");
        void Refuses(params string[] arguments)
        {
            var result = SampleProcess.Run(sample, _folder, arguments);
            Assert.Equal(2, result.ExitCode);
            Assert.Equal(1, result.Error.Count(character => character == '\n'));
            Assert.StartsWith(arguments[0] == "--no-such-option" ? "Unrecognized" : $"{arguments[0]}: ", result.Error, StringComparison.Ordinal);
        }
    }

    // What stands in Common is the same for all of them, so one is enough.
    [Fact]
    public void Interrupting_a_sample_saves_its_model()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        using var process = SampleProcess.Start("TextClassifier", _folder, "--threads", "1");
        while (process.StandardOutput.ReadLine() is { } line && !line.Contains("step ", StringComparison.Ordinal))
        {
        }

        // Not INT: programs started without a terminal may inherit that it is ignored. The samples take both alike.
        using (var kill = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]))
        {
            kill.WaitForExit();
        }

        var result = SampleProcess.Finish(process);
        Assert.Equal(130, result.ExitCode);
        Assert.Empty(result.Error);
        Assert.Matches(@"(^|\n)the model is saved in .*text-classifier\.safetensors\ncancelled after \d+ updates; the saved model is as it was then\n$", result.Output);
        Assert.Equal(4, SequenceClassifier<float>.Open(Path.Combine(_folder, "text-classifier.safetensors")).Classes.Count);
    }

    [Fact]
    public void A_sample_is_short_and_stands_in_the_list()
    {
        Assert.NotNull(SourceTree.Root);
        var readme = File.ReadAllText(Path.Combine(SourceTree.Root!, "samples", "README.md"));
        var samples = Directory.GetFiles(Path.Combine(SourceTree.Root!, "samples"), "Program.cs", SearchOption.AllDirectories);
        Assert.NotEmpty(samples);
        Assert.All(samples, path =>
        {
            Assert.InRange(File.ReadLines(path).Count(), 1, 99);
            Assert.Contains($"samples/{Path.GetFileName(Path.GetDirectoryName(path))}", readme, StringComparison.Ordinal);
        });
    }

    private static Dictionary<string, double> Values(string line)
    {
        Assert.Matches(ResultLine(), line);
        return line.Split(' ')[1..].Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => double.Parse(pair[1], CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"^result( [a-z0-9_]+=-?[0-9.]+)+$")]
    private static partial Regex ResultLine();
}
