using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;

namespace CharRnn;

/// <summary>The options of the command line: their names, their ranges, what they say when a value is wrong.</summary>
internal sealed class CommandLine
{
    private readonly Option<string> _text = Text("--text", "FILE", "the text to learn, UTF-8; without it the library's own C# sources");
    private readonly Option<string> _cell;
    private readonly Option<int?> _hidden = Number<int>("--hidden", "N", "hidden units of each layer", 1, "a whole number of 1 or more");
    private readonly Option<int?> _layers = Number<int>("--layers", "N", "recurrent layers", 1, "a whole number of 1 or more");
    private readonly Option<int?> _embedding = Number<int>("--embedding", "N", "size of a character's vector", 1, "a whole number of 1 or more");
    private readonly Option<long?> _steps = Number<long>("--steps", "N", "updates to train", 1, "a whole number of 1 or more");
    private readonly Option<double?> _minutes = Number<double>("--minutes", "M", "time to train", double.Epsilon, "a number above 0");
    private readonly Option<int?> _batch = Number<int>("--batch", "N", "parts of the text read side by side", 1, "a whole number of 1 or more");
    private readonly Option<int?> _window = Number<int>("--window", "N", "characters that a gradient runs back", 1, "a whole number of 1 or more");
    private readonly Option<double?> _learningRate = Number<double>("--learning-rate", "X", "highest learning rate", double.Epsilon, "a number above 0");
    private readonly Option<double?> _dropout = Number<double>("--dropout", "P", "probability of dropping a value", 0, "a probability from 0 to below 1", 1);
    private readonly Option<double?> _clip = Number<double>("--clip", "X", "limit of the gradient's norm", double.Epsilon, "a number above 0");
    private readonly Option<ulong?> _seed = Number<ulong>("--seed", "N", "seed of all random numbers", 0, "a whole number of 0 or more");
    private readonly Option<int?> _threads = Number<int>("--threads", "N", "threads to use", 1, "a whole number of 1 or more");
    private readonly Option<string> _save = Text("--save", "FILE", "where the model goes; char-rnn.safetensors");
    private readonly Option<string> _load = Text("--load", "FILE", "a saved model to go on from; with --prompt and nothing to train it only writes");
    private readonly Option<bool> _resume = new("--resume") { Description = "go on with a training of the same command that was cancelled" };
    private readonly Option<string> _prompt = Text("--prompt", "TEXT", "what the written text begins with");
    private readonly Option<int?> _length = Number<int>("--length", "N", "characters to write at the end; 500", 0, "a whole number of 0 or more");
    private readonly Option<double?> _temperature = Number<double>("--temperature", "X", "0 for the likeliest character, 1 as learned; 0.8", 0, "a number of 0 or more");
    private readonly Option<int?> _topK = Number<int>("--top-k", "N", "draw from the N likeliest characters only; 0 for all", 0, "a whole number of 0 or more");

    internal CommandLine()
    {
        _cell = Text("--cell", "NAME", $"recurrent cell: {string.Join(", ", Settings.Cells)}");
        Command = new("Trains a recurrent network on the characters of a text and lets it write.")
        {
            _text, _cell, _hidden, _layers, _embedding, _steps, _minutes, _batch, _window, _learningRate, _dropout, _clip, _seed, _threads, _save, _load,
            _resume, _prompt, _length, _temperature, _topK,
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
            Threads = parsed.GetValue(_threads) ?? Environment.ProcessorCount,
            Save = parsed.GetValue(_save) ?? "char-rnn.safetensors",
            Load = parsed.GetValue(_load),
            Resume = parsed.GetValue(_resume),
            Prompt = parsed.GetValue(_prompt) ?? string.Empty,
            Length = parsed.GetValue(_length) ?? 500,
            Temperature = parsed.GetValue(_temperature) ?? 0.8,
            TopK = parsed.GetValue(_topK) ?? 0,
        }.Checked();
    }

    private static Option<string> Text(string name, string help, string description)
    {
        var option = new Option<string>(name) { HelpName = help, Description = description };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value.Length: 0 }] && name != "--prompt")
            {
                result.AddError($"{name}: expected {help} but got nothing.");
            }
        });
        return option;
    }

    private static Option<T?> Number<T>(string name, string help, string description, T least, string expected, double below = double.PositiveInfinity)
        where T : struct, INumber<T> => new(name)
        {
            HelpName = help,
            Description = description,
            CustomParser = result => Parse(result, name, least, expected, below),
        };

    private static T? Parse<T>(ArgumentResult result, string name, T least, string expected, double below)
        where T : struct, INumber<T>
    {
        var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "nothing";
        if (T.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= least && T.IsFinite(value)
            && double.CreateChecked(value) < below)
        {
            return value;
        }

        result.AddError($"{name}: expected {expected} but got {text}.");
        return null;
    }
}
