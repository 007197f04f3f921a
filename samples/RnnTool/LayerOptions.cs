using System.CommandLine;
using Samples;

namespace RnnTool;

/// <summary>Which layer of a state dict of PyTorch is meant, and what the file does not say of it.</summary>
/// <param name="Prefix">What stands before the names of its weights; null for the only layer.</param>
/// <param name="IsRelu">Whether a plain network computes relu, else tanh.</param>
internal readonly record struct LayerOptions(string? Prefix, bool IsRelu)
{
    private static readonly Option<string?> PrefixOption = InputOptions.Text("--prefix", "TEXT", "what stands before the names of a layer of PyTorch: encoder.lstm.", mayBeEmpty: true);
    private static readonly Option<bool> ReluOption = new("--relu") { Description = "the RNN layer of PyTorch computes relu, else tanh" };

    internal static void AddTo(Command command)
    {
        command.Add(PrefixOption);
        command.Add(ReluOption);
    }

    internal static LayerOptions Read(ParseResult parsed) => new(parsed.GetValue(PrefixOption), parsed.GetValue(ReluOption));
}
