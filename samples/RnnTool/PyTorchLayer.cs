using System.Text.RegularExpressions;
using Rnn.Formats;
using Rnn.Layers;
using Samples;

namespace RnnTool;

/// <summary>Recurrent layers in a state dict of PyTorch, by the names of their weights.</summary>
internal static partial class PyTorchLayer
{
    /// <summary>The prefixes of all recurrent layers of a file, with what they are.</summary>
    internal static IReadOnlyList<(string Prefix, string Kind)> Find(WeightFile file) =>
    [
        .. file.Entries.Select(entry => (Match: FirstWeight().Match(entry.Name), entry.Shape)).Where(found => found.Match.Success && found.Shape.Rank == 2)
            .Select(found => (Prefix: found.Match.Groups["prefix"].Value, Kind: Kind(file, found.Match, found.Shape[0]))).Where(found => found.Kind.Length > 0),
    ];

    /// <summary>Makes the layer of a prefix, or the only one; null where there is none.</summary>
    internal static Module<float>? Read(WeightFile file, string? prefix)
    {
        var found = Find(file);
        if (prefix is null && found.Count > 1)
        {
            throw new InputException($"--prefix: the file has several recurrent layers; choose one of {string.Join(", ", found.Select(layer => $"'{layer.Prefix}'"))}.");
        }

        var layer = found.FirstOrDefault(layer => prefix is null || layer.Prefix == prefix);
        return layer.Kind switch
        {
            "LSTM" => Lstm<float>.FromPyTorch(file, layer.Prefix),
            "GRU" => Gru<float>.FromPyTorch(file, layer.Prefix),
            "RNN" => SimpleRnn<float>.FromPyTorch(file, layer.Prefix),
            _ => null,
        };
    }

    // The rows of the input weights are those of all gates; the columns of the recurrent ones are the state, or its projection.
    private static string Kind(WeightFile file, Match name, int rows)
    {
        var recurrent = name.Value.Replace("weight_ih", "weight_hh", StringComparison.Ordinal);
        if (!file.Contains(recurrent) || file[recurrent].Shape is not { Rank: 2 } shape)
        {
            return string.Empty;
        }

        return (rows / (double)shape[1]) switch
        {
            _ when file.Contains(name.Value.Replace("weight_ih", "weight_hr", StringComparison.Ordinal)) => "LSTM",
            4 => "LSTM",
            3 => "GRU",
            1 => "RNN",
            _ => string.Empty,
        };
    }

    [GeneratedRegex("^(?<prefix>.*)weight_ih(_l0)?$")]
    private static partial Regex FirstWeight();
}
