using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;

namespace Rnn.Tests.Samples;

public sealed partial class CharRnnTests : IDisposable
{
    private const string Sample = "CharRnn";
    private static readonly string[] Small = ["--hidden", "16", "--embedding", "8", "--batch", "4", "--window", "16", "--length", "40"];
    private readonly string _folder = Directory.CreateTempSubdirectory("char-rnn-").FullName;

    public CharRnnTests() =>
        File.WriteAllText(Path.Combine(_folder, "text.txt"), string.Concat(Enumerable.Range(0, 150).Select(i => $"the {i % 7} cats sat on mat {i % 3}\n")));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void It_learns_writes_saves_and_goes_on_from_the_saved_model()
    {
        var result = Run(["--text", "text.txt", "--steps", "301", "--learning-rate", "0.01", "--save", "model.safetensors", .. Small]);
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Empty(result.Error);
        Assert.Contains("--- after 100 steps ---", result.Output, StringComparison.Ordinal);
        Assert.Contains("--- after 300 steps ---", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("--- after 700 steps ---", result.Output, StringComparison.Ordinal);
        Assert.Contains($"the model is saved in {Path.Combine(_folder, "model.safetensors")}", result.Output, StringComparison.Ordinal);
        var numbers = ResultLine().Match(result.LastLine);
        Assert.True(numbers.Success, result.LastLine);
        var loss = Number(numbers, "loss");
        Assert.InRange(loss, 0.01, 0.5);
        Assert.Equal(Math.Exp(loss), Number(numbers, "perplexity"), 1e-3);
        Assert.Equal("301", numbers.Groups["steps"].Value);

        // The figure is that of the saved model over the last tenth of the text, its state carried.
        var model = LanguageModel<float>.Open(Path.Combine(_folder, "model.safetensors"));
        var tokens = model.Vocabulary!.Encode(File.ReadAllText(Path.Combine(_folder, "text.txt")));
        Assert.Equal(model.Score(tokens.AsSpan((int)(tokens.Length * 0.9))).Loss, loss, 1e-4);

        string[] prompt = ["--load", "model.safetensors", "--prompt", "the 3 ", "--length", "30", "--temperature", "0"];
        var written = Run(prompt);
        Assert.Equal(0, written.ExitCode);
        Assert.StartsWith("the 3 cats sat on mat", written.Output, StringComparison.Ordinal);
        Assert.Equal(written.Output, Run(prompt).Output);

        var more = Run(["--load", "model.safetensors", "--text", "text.txt", "--steps", "20", "--batch", "4", "--window", "16", "--save", "more.safetensors"]);
        Assert.True(more.ExitCode == 0, more.Error);
        Assert.InRange(Number(ResultLine().Match(more.LastLine), "loss"), 0.01, 0.6);
    }

    [Fact]
    public void It_saves_compressed_weights_that_write_and_are_not_trained()
    {
        var result = Run(["--text", "text.txt", "--steps", "60", "--learning-rate", "0.01", "--save", "model.safetensors", .. Small]);
        Assert.True(result.ExitCode == 0, result.Error);
        var compressed = Run(["--text", "text.txt", "--load", "model.safetensors", "--compress", "int8", "--save", "small.safetensors"]);
        Assert.True(compressed.ExitCode == 0, compressed.Error);
        Assert.Matches("Int8: [0-9,]+ bytes of weights become [0-9,]+, the loss [0-9.]+ becomes [0-9.]+", compressed.Output);
        Assert.True(new FileInfo(Path.Combine(_folder, "small.safetensors")).Length < new FileInfo(Path.Combine(_folder, "model.safetensors")).Length);
        Assert.Equal(0, Run(["--load", "small.safetensors", "--prompt", "the 3 ", "--length", "30", "--temperature", "0"]).ExitCode);
        var trained = Run(["--load", "small.safetensors", "--text", "text.txt", "--steps", "1", "--save", "more.safetensors"]);
        Assert.Equal(2, trained.ExitCode);
        Assert.Contains("cannot be trained", trained.Error, StringComparison.Ordinal);
        var both = Run(["--text", "text.txt", "--steps", "5", "--compress", "bfloat16", "--save", "both.safetensors", .. Small]);
        Assert.True(both.ExitCode == 0, both.Error);
        var weights = LanguageModel<float>.Open(Path.Combine(_folder, "both.safetensors")).Parameters.Where(parameter => parameter.Shape.Rank == 2);
        Assert.All(weights, weight => Assert.All(weight.Value.ToArray(), value => Assert.Equal(0u, BitConverter.SingleToUInt32Bits(value) & 0xFFFF)));
    }

    [Fact]
    public void With_mpi_and_no_launcher_it_trains_alone()
    {
        string[] options = ["--text", "text.txt", "--steps", "20", "--learning-rate", "0.01", .. Small];
        var together = Run(["--mpi", "--threads", "1", "--save", "together.safetensors", .. options]);
        Assert.True(together.ExitCode == 0, together.Error);
        Assert.Contains("\n1 process\n", together.Output.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        var alone = Run(["--threads", "1", "--save", "alone.safetensors", .. options]);
        Assert.Equal(File.ReadAllBytes(Path.Combine(_folder, "alone.safetensors")), File.ReadAllBytes(Path.Combine(_folder, "together.safetensors")));
        var nothing = Run(["--mpi", "--load", "alone.safetensors", "--prompt", "the"]);
        Assert.Equal(2, nothing.ExitCode);
        Assert.StartsWith("--mpi: ", nothing.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_seed_gives_the_same_result_and_time_can_be_the_limit()
    {
        var first = Train(seed: "3", threads: "1");
        Assert.Equal(first, Train(seed: "3", threads: "2"));
        Assert.NotEqual(first, Train(seed: "4", threads: "2"));
        var timed = Run(["--text", "text.txt", "--minutes", "0.01", "--layers", "2", "--dropout", "0.1", .. Small]);
        Assert.True(timed.ExitCode == 0, timed.Error);
        Assert.InRange(Number(ResultLine().Match(timed.LastLine), "seconds"), 0.6, 60);
        string Train(string seed, string threads)
        {
            var result = Run(["--text", "text.txt", "--steps", "30", "--cell", "gru", "--seed", seed, "--threads", threads, .. Small]);
            return $"{result.ExitCode} {result.LastLine.Split(" seconds")[0]} {result.Output.Split("---")[^2]}";
        }
    }

    [Fact]
    public void A_cell_that_projects_is_among_the_cells()
    {
        var result = Run(["--text", "text.txt", "--steps", "2", "--cell", "lstm-projection", "--save", "model.safetensors", .. Small]);
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal(8, ((RecurrentLayer<float>)LanguageModel<float>.Open(Path.Combine(_folder, "model.safetensors")).SequenceLayer).ProjectionSize);
    }

    [Fact]
    public void Without_a_text_it_learns_the_sources_that_it_carries()
    {
        var result = Run(["--steps", "1", "--hidden", "4", "--embedding", "4", "--batch", "1", "--window", "4", "--prompt", "namespace Rnn", "--length", "5"]);
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Matches(@"^\d{3},\d{3} characters|^\d,\d{3},\d{3} characters", result.Output);
        Assert.Contains($"the model is saved in {Path.Combine(_folder, "char-rnn.safetensors")}", result.Output, StringComparison.Ordinal);
    }

    // With globalisation on and a comma for the point; the machine has the data of cultures, or the run is like any other.
    [Theory]
    [InlineData("de_DE.UTF-8")]
    [InlineData("tr_TR.UTF-8")]
    public void It_reads_and_writes_the_same_in_every_culture(string culture)
    {
        string[] arguments = ["--text", "text.txt", "--steps", "101", "--learning-rate", "0.01", "--dropout", "0.1", "--temperature", "0.5", "--save", "model.safetensors", .. Small];
        var expected = Run(arguments);
        var file = File.ReadAllBytes(Path.Combine(_folder, "model.safetensors"));
        var result = SampleProcess.Run(
            Sample, _folder, new() { ["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "0", ["LANG"] = culture, ["LC_ALL"] = culture }, arguments);
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal(WithoutTimes(expected.Output), WithoutTimes(result.Output));
        Assert.Equal(file, File.ReadAllBytes(Path.Combine(_folder, "model.safetensors")));
        static string WithoutTimes(string output) => Times().Replace(output, string.Empty);
    }

    [Fact]
    public void A_byte_order_mark_is_no_character_of_the_text()
    {
        var text = File.ReadAllText(Path.Combine(_folder, "text.txt"));
        File.WriteAllText(Path.Combine(_folder, "marked.txt"), text, new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: true));
        Assert.Equal(0xEF, File.ReadAllBytes(Path.Combine(_folder, "marked.txt"))[0]);
        var result = Run(["--text", "marked.txt", "--steps", "1", "--save", "model.safetensors", "--prompt", "\uFEFFthe", .. Small]);
        Assert.True(result.ExitCode == 0, result.Error);
        var vocabulary = LanguageModel<float>.Open(Path.Combine(_folder, "model.safetensors")).Vocabulary!;
        Assert.Equal(CharVocabulary.FromText(text).ToMetadata(), vocabulary.ToMetadata());
        Assert.DoesNotContain('\uFEFF', result.Output);
    }

    [Fact]
    public void Interrupting_saves_the_model_whole()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        using var process = SampleProcess.Start(Sample, _folder, ["--text", "text.txt", "--minutes", "10", "--save", "model.safetensors", .. Small]);
        while (process.StandardOutput.ReadLine() is { } line && !line.Contains("tokens/s", StringComparison.Ordinal))
        {
        }

        // Not INT: programs started without a terminal may inherit that it is ignored. The sample takes both alike.
        using (var kill = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]))
        {
            kill.WaitForExit();
        }

        var result = SampleProcess.Finish(process);
        Assert.Equal(130, result.ExitCode);
        Assert.Empty(result.Error);
        Assert.Matches(@"(^|\n)cancelled after \d+ steps; the model as it is now is saved in .*model\.safetensors\nthe same command with --resume goes on from .*model\.training\.safetensors\n$", result.Output);
        Assert.NotNull(LanguageModel<float>.Open(Path.Combine(_folder, "model.safetensors")).Vocabulary);
        Assert.Equal(["model.safetensors", "model.training.safetensors", "text.txt"], Directory.GetFiles(_folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    // Cancelled somewhere and resumed, the model has the bits of one that was trained in one go.
    [Fact]
    public void A_cancelled_training_goes_on_with_resume()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        string[] Arguments(string save) => ["--text", "text.txt", "--steps", "8000", "--dropout", "0.1", "--save", save, .. Small];
        using var process = SampleProcess.Start(Sample, _folder, Arguments("parts.safetensors"));
        while (process.StandardOutput.ReadLine() is { } line && !line.Contains("after 300 steps", StringComparison.Ordinal))
        {
        }

        using (var kill = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]))
        {
            kill.WaitForExit();
        }

        var cancelled = SampleProcess.Finish(process);
        Assert.Equal(130, cancelled.ExitCode);
        var other = Run([.. Arguments("parts.safetensors"), "--resume", "--clip", "2"]);
        Assert.Equal(2, other.ExitCode);
        Assert.Contains("--resume: parts.training.safetensors is the checkpoint of another training; this one cannot go on from it. MaxGradientNorm was '1' and is now '2'.", other.Error, StringComparison.Ordinal);
        var resumed = Run([.. Arguments("parts.safetensors"), "--resume"]);
        Assert.True(resumed.ExitCode == 0, resumed.Error);
        Assert.Contains("going on from ", resumed.Output, StringComparison.Ordinal);
        var whole = Run(Arguments("whole.safetensors"));
        Assert.True(whole.ExitCode == 0, whole.Error);
        Assert.Equal(File.ReadAllBytes(Path.Combine(_folder, "whole.safetensors")), File.ReadAllBytes(Path.Combine(_folder, "parts.safetensors")));
        Assert.DoesNotContain(Directory.GetFiles(_folder), file => file.Contains("training", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--hidden 0", "--hidden: expected a whole number of 1 or more but got 0.")]
    [InlineData("--hidden 1000000", "--hidden: 1 × 1000000 units need about 96")]
    [InlineData("--layers -2", "--layers: expected a whole number of 1 or more but got -2.")]
    [InlineData("--window 1.5", "--window: expected a whole number of 1 or more but got 1.5.")]
    [InlineData("--threads many", "--threads: expected a whole number of 1 or more but got many.")]
    [InlineData("--dropout 1", "--dropout: expected a probability from 0 to below 1 but got 1.")]
    [InlineData("--minutes 0", "--minutes: expected a number above 0 but got 0.")]
    [InlineData("--learning-rate nan", "--learning-rate: expected a number above 0 but got nan.")]
    [InlineData("--temperature -1", "--temperature: expected a number of 0 or more but got -1.")]
    [InlineData("--embedding", "--embedding")]
    [InlineData("--frob 3", "'--frob'")]
    [InlineData("--cell tree", "--cell: there is no cell 'tree'; choose one of lstm, ")]
    [InlineData("--text missing.txt", "--text: there is no file missing.txt")]
    [InlineData("--text .", "--text: expected a file but . is a folder.")]
    [InlineData("--text latin.txt", "--text: expected UTF-8 but latin.txt has the byte 0xE9 at position 3")]
    [InlineData("--text empty.txt", "--text: the file empty.txt is empty")]
    [InlineData("--text short.txt", "--text: expected 20 characters or more")]
    [InlineData("--text text.txt --window 5000", "--text: expected 5557 characters or more, so that the first 90 % hold a window of 5000 and one more, but the text has 3600")]
    [InlineData("--text text.txt --batch 1000 --window 10", "--batch: expected at most 323")]
    [InlineData("--text text.txt --prompt XYZ", "--prompt: the character 'X' at position 0 is not among")]
    [InlineData("--load missing.safetensors --prompt a", "--load: there is no file missing.safetensors")]
    [InlineData("--load text.txt --prompt a", "--load: text.txt: not a safetensors file")]
    [InlineData("--load linear.safetensors --prompt a", "--load: linear.safetensors: this safetensors file is not a language model")]
    [InlineData("--load bare.safetensors --prompt a", "--load: the model bare.safetensors has no vocabulary")]
    [InlineData("--load model.safetensors --prompt x", "--prompt: the character 'x' at position 0 is not among the 3 tokens")]
    [InlineData("--load model.safetensors --text text.txt", "--text: the character 't' at position 0 is not among the 3 tokens")]
    [InlineData("--load model.safetensors --hidden 8", "--hidden: this is part of the saved model model.safetensors")]
    [InlineData("--save no/such/model", "--save: the folder of no/such/model does not exist")]
    [InlineData("--save .", "--save: expected a file but . is a folder")]
    public void Wrong_input_is_one_line_and_exit_code_2(string arguments, string message)
    {
        File.WriteAllBytes(Path.Combine(_folder, "latin.txt"), [.. "caf"u8, 0xE9, .. " latin-1"u8]);
        File.WriteAllText(Path.Combine(_folder, "empty.txt"), string.Empty);
        File.WriteAllText(Path.Combine(_folder, "short.txt"), "hello");
        new Linear<float>(2, 3).Save(Path.Combine(_folder, "linear.safetensors"));
        new LanguageModel<float>(3, new Gru<float>(2, 3)).Save(Path.Combine(_folder, "bare.safetensors"));
        new LanguageModel<float>(CharVocabulary.FromText("abc"), new Gru<float>(2, 3)).Save(Path.Combine(_folder, "model.safetensors"));
        var files = Directory.GetFiles(_folder);
        var result = Run(arguments.Split(' '));
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.Equal(1, result.Error.Count(character => character == '\n'));
        Assert.Empty(result.Output);
        Assert.Equal(files, Directory.GetFiles(_folder));
    }

    private SampleResult Run(params string[] arguments) => SampleProcess.Run(Sample, _folder, arguments);

    private static double Number(Match match, string name) => double.Parse(match.Groups[name].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^.*tokens/s\r?\n|seconds=\d+\.\d+ tokens_per_second=\d+", RegexOptions.Multiline)]
    private static partial Regex Times();

    [GeneratedRegex(@"^result loss=(?<loss>\d+\.\d+) perplexity=(?<perplexity>\d+\.\d+) steps=(?<steps>\d+) seconds=(?<seconds>\d+\.\d+) tokens_per_second=(?<speed>\d+)$")]
    private static partial Regex ResultLine();
}
