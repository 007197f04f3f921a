using System.CommandLine;
using Rnn.Layers;
using Rnn.Training;
using Samples;

namespace CharRnn;

/// <summary>The options of the command line: their names, their ranges, what they say when a value is wrong.</summary>
internal sealed class CommandLine
{
    private readonly Option<string?> _text = InputOptions.Text("--text", "FILE", "the text to learn, UTF-8; without it the library's own C# sources");
    private readonly Option<string?> _cell;
    private readonly Option<int?> _hidden = InputOptions.Whole<int>("--hidden", "N", "hidden units of each layer");
    private readonly Option<int?> _layers = InputOptions.Whole<int>("--layers", "N", "recurrent layers");
    private readonly Option<int?> _embedding = InputOptions.Whole<int>("--embedding", "N", "size of a character's vector");
    private readonly Option<long?> _steps = InputOptions.Whole<long>("--steps", "N", "updates to train");
    private readonly Option<double?> _minutes = InputOptions.Positive("--minutes", "M", "time to train");
    private readonly Option<int?> _batch = InputOptions.Whole<int>("--batch", "N", "parts of the text read side by side");
    private readonly Option<int?> _window = InputOptions.Whole<int>("--window", "N", "characters that a gradient runs back");
    private readonly Option<double?> _learningRate = InputOptions.Positive("--learning-rate", "X", "highest learning rate");
    private readonly Option<double?> _dropout = InputOptions.Probability("--dropout", "P", "probability of dropping a value");
    private readonly Option<double?> _clip = InputOptions.Positive("--clip", "X", "limit of the gradient's norm");
    private readonly Option<ulong?> _seed = InputOptions.Whole<ulong>("--seed", "N", "seed of all random numbers", minimum: 0);
    private readonly Option<int?> _threads = InputOptions.Whole<int>("--threads", "N", "threads to use; all, with --mpi those of this machine shared out among its processes");
    private readonly Option<bool> _mpi = new("--mpi") { Description = "train together with the other processes that mpirun has started" };
    private readonly Option<GradientFormat?> _gradients = InputOptions.Choice<GradientFormat>("--gradients", "with --mpi, the numbers that gradients are sent in; full");
    private readonly Option<string?> _save = InputOptions.Text("--save", "FILE", "where the model goes; char-rnn.safetensors");
    private readonly Option<string?> _load = InputOptions.Text("--load", "FILE", "a saved model to go on from; with --prompt and nothing to train it only writes");
    private readonly Option<WeightFormat?> _compress = InputOptions.Choice<WeightFormat>("--compress", "save weights of 16 or 8 bits, for writing only; with --load and nothing to train it only compresses");
    private readonly Option<bool> _resume = new("--resume") { Description = "go on with a training of the same command that was cancelled" };
    private readonly Option<string?> _prompt = InputOptions.Text("--prompt", "TEXT", "what the written text begins with", mayBeEmpty: true);
    private readonly Option<int?> _length = InputOptions.Whole<int>("--length", "N", "characters to write at the end; 500", minimum: 0);
    private readonly Option<double?> _temperature = InputOptions.NotNegative("--temperature", "X", "0 for the likeliest character, 1 as learned; 0.8");
    private readonly Option<int?> _topK = InputOptions.Whole<int>("--top-k", "N", "draw from the N likeliest characters only; 0 for all", minimum: 0);

    internal CommandLine()
    {
        // As the other samples call them.
        _text.Aliases.Add("--data");
        _load.Aliases.Add("--open");
        _steps.Aliases.Add("--updates");
        _cell = InputOptions.Text("--cell", "NAME", $"recurrent cell: {string.Join(", ", Settings.Cells)}");
        Command = new("Trains a recurrent network on the characters of a text and lets it write.")
        {
            _text, _cell, _hidden, _layers, _embedding, _steps, _minutes, _batch, _window, _learningRate, _dropout, _clip, _seed, _threads, _mpi, _gradients, _save, _load,
            _compress, _resume, _prompt, _length, _temperature, _topK,
        };
    }

    internal RootCommand Command { get; }

    /// <summary>The settings as given, checked as far as no file must be read.</summary>
    internal Settings Read(ParseResult parsed)
    {
        return new Settings
        {
            Text = parsed.GetValue(_text),
            Cell = parsed.GetValue(_cell),
            Hidden = parsed.GetValue(_hidden),
            Layers = parsed.GetValue(_layers),
            Embedding = parsed.GetValue(_embedding),
            Steps = parsed.GetValue(_steps),
            Time = parsed.GetValue(_minutes) is { } minutes ? TimeSpan.FromMinutes(minutes) : null,
            Batch = parsed.GetValue(_batch),
            Window = parsed.GetValue(_window),
            LearningRate = parsed.GetValue(_learningRate),
            Dropout = parsed.GetValue(_dropout),
            Clip = parsed.GetValue(_clip) ?? 1,
            Seed = parsed.GetValue(_seed) ?? 0,
            Threads = parsed.GetValue(_threads),
            Mpi = parsed.GetValue(_mpi),
            Gradients = parsed.GetValue(_gradients) ?? GradientFormat.Full,
            Save = parsed.GetValue(_save) ?? "char-rnn.safetensors",
            Load = parsed.GetValue(_load),
            Compress = parsed.GetValue(_compress),
            Resume = parsed.GetValue(_resume),
            Prompt = parsed.GetValue(_prompt) ?? string.Empty,
            Length = parsed.GetValue(_length) ?? 500,
            Temperature = parsed.GetValue(_temperature) ?? 0.8,
            TopK = parsed.GetValue(_topK) ?? 0,
        }.Checked();
    }
}
