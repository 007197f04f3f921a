using System.Numerics;
using Rnn.Formats;

namespace Rnn.Layers;

/// <summary>Finds the recurrent layers of a state dict of PyTorch by the names and shapes of their weights, where a program does not know them beforehand.</summary>
/// <example><code>
/// using var file = WeightFile.Open("checkpoint.pt");
/// foreach (var (prefix, kind) in PyTorchLayers.FindRecurrent(file))
/// {
///     RecurrentLayer&lt;float&gt; layer = PyTorchLayers.ReadRecurrent&lt;float&gt;(file, prefix);   // encoder.lstm. LSTM
/// }
/// </code></example>
public static class PyTorchLayers
{
    private const string FirstWeight = "weight_ih";

    /// <summary>All recurrent layers and cells of a file, in its order.</summary>
    /// <param name="file">The file, of any format.</param>
    /// <returns>What stands before the names of each, with its dot, and its class in PyTorch: <c>LSTM</c>, <c>GRU</c> or <c>RNN</c>, for cells too.</returns>
    public static IReadOnlyList<(string Prefix, string Kind)> FindRecurrent(WeightFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        var found = new List<(string, string)>();
        foreach (var entry in file.Entries)
        {
            var suffix = entry.Name.EndsWith($"{FirstWeight}_l0", StringComparison.Ordinal) ? "_l0" : string.Empty;
            if (entry.Shape.Rank == 2 && entry.Name.EndsWith(FirstWeight + suffix, StringComparison.Ordinal))
            {
                var prefix = entry.Name[..^(FirstWeight.Length + suffix.Length)];
                if (Kind(file, prefix, suffix, entry.Shape[0]) is { } kind)
                {
                    found.Add((prefix, kind));
                }
            }
        }

        return found;
    }

    /// <summary>Makes a recurrent layer of whichever class it is.</summary>
    /// <param name="file">The file, of any format.</param>
    /// <param name="prefix">What stands before the names of its weights, with its dot; null where the file has one recurrent layer.</param>
    /// <param name="activation">What a layer of class <c>RNN</c> computes, tanh or relu, which the file does not say.</param>
    /// <returns>An <see cref="Lstm{T}"/>, <see cref="Gru{T}"/> or <see cref="SimpleRnn{T}"/>.</returns>
    /// <exception cref="ArgumentException">The prefix is null and there are several; the message names them.</exception>
    /// <exception cref="InvalidDataException">There is no recurrent layer, or none below the prefix, or its shapes do not fit together.</exception>
    public static RecurrentLayer<T> ReadRecurrent<T>(WeightFile file, string? prefix = null, Activation activation = Activation.Tanh)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var all = FindRecurrent(file);
        if (prefix is null && all.Count > 1)
        {
            throw new ArgumentException($"prefix: the file has several recurrent layers; choose one of {Prefixes(all)}.", nameof(prefix));
        }

        foreach (var (found, kind) in all)
        {
            if (prefix is null || prefix == found)
            {
                return kind switch
                {
                    "LSTM" => Lstm<T>.FromPyTorch(file, found),
                    "GRU" => Gru<T>.FromPyTorch(file, found),
                    _ => SimpleRnn<T>.FromPyTorch(file, found, new() { Activation = activation }),
                };
            }
        }

        throw new InvalidDataException(
            $"{file.Source}: there is no recurrent layer of PyTorch{(prefix is null ? string.Empty : $" below '{prefix}'")}; {(all.Count > 0 ? $"there are some with the prefix {Prefixes(all)}" : "no tensor is called weight_ih_l0 or weight_ih beside a weight_hh that fits")}.");
    }

    private static string Prefixes(IReadOnlyList<(string Prefix, string Kind)> layers) => WeightFile.List(layers.Select(layer => $"'{layer.Prefix}'"), 8);

    // The rows of the input weights are those of all gates; the columns of the recurrent ones are the state, or its projection.
    private static string? Kind(WeightFile file, string prefix, string suffix, int rows)
    {
        var recurrent = $"{prefix}weight_hh{suffix}";
        if (!file.Contains(recurrent) || file[recurrent].Shape is not { Rank: 2 } shape)
        {
            return null;
        }

        return file.Contains($"{prefix}weight_hr{suffix}") || rows == 4L * shape[1] ? "LSTM" : rows == 3L * shape[1] ? "GRU" : rows == shape[1] ? "RNN" : null;
    }
}
