using System.Globalization;
using Rnn.Cells;
using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>The order of PyTorch's gates in terms of a cell's layout, by the letters of the gates.</summary>
internal sealed class PyTorchGates
{
    /// <summary>The letters of an LSTM's gates in PyTorch's order.</summary>
    internal const string Lstm = "ifgo";

    /// <summary>The letters of a GRU's gates in PyTorch's order.</summary>
    internal const string Gru = "rzn";

    /// <summary>The letter of a plain network's only gate.</summary>
    internal const string Rnn = "h";

    private PyTorchGates(CellLayout layout, string letters)
    {
        // The rows of the recurrent matrix, as its products feed gates.
        var rows = layout.Products.SelectMany(product => Enumerable.Range(product.FirstGate, product.GateCount)).ToArray();
        Input = Array.ConvertAll(letters.ToCharArray(), letter => Gate(layout, letter));

        // Where the recurrent product feeds a gate of its own, that is the candidate's.
        Recurrent = Array.ConvertAll(Input, gate => rows.Contains(gate) ? gate : rows.Single(row => !layout.Gates[row].FromInput));
        RecurrentRows = Array.ConvertAll(Recurrent, gate => Array.IndexOf(rows, gate));
        Negated = Array.FindIndex(Input, gate => layout.Gates[gate].Letter == "z" && layout.Gates[gate].Role == GateRole.Input);
    }

    /// <summary>The gate here for each block of PyTorch's input weights and their biases.</summary>
    internal int[] Input { get; }

    /// <summary>The gate here for each block of PyTorch's recurrent weights and their biases.</summary>
    internal int[] Recurrent { get; }

    /// <summary>The block of rows here for each block of PyTorch's recurrent weights.</summary>
    internal int[] RecurrentRows { get; }

    /// <summary>The block of an update gate that lets the new state in where PyTorch's keeps the old one, or −1: 1 − σ(a) = σ(−a).</summary>
    internal int Negated { get; }

    /// <summary>The gates of a cell that PyTorch has, or null.</summary>
    internal static PyTorchGates? Of(CellLayout layout) => layout.Name switch
    {
        "lstm" => new(layout, Lstm),
        "gru" or "gru-replacing" => new(layout, Gru),
        "rnn-tanh" or "rnn-relu" => new(layout, Rnn),
        _ => null,
    };

    private static int Gate(CellLayout layout, char letter)
    {
        for (var gate = 0; gate < layout.Gates.Count; gate++)
        {
            if (layout.Gates[gate].Letter is [var only] && only == letter)
            {
                return gate;
            }
        }

        throw new InvalidOperationException($"The cell '{layout.Name}' has no gate '{letter}'.");
    }
}

/// <summary>The sizes of a recurrent layer of PyTorch, read from the names and shapes of its state dict.</summary>
/// <param name="InputSize">I.</param>
/// <param name="HiddenSize">H.</param>
/// <param name="ProjectionSize">P, or 0.</param>
/// <param name="Layers">The number of layers.</param>
/// <param name="Bidirectional">Whether there are two directions.</param>
/// <param name="Bias">Whether there are biases.</param>
internal sealed record PyTorchSizes(int InputSize, int HiddenSize, int ProjectionSize, int Layers, bool Bidirectional, bool Bias)
{
    private const string FirstWeight = "weight_ih";

    /// <summary>Whether the names are those of a cell, <c>weight_ih</c> and not <c>weight_ih_l0</c>.</summary>
    internal static bool IsCell(WeightFile file, string prefix) => file.Contains(prefix + FirstWeight) && !file.Contains($"{prefix}{FirstWeight}_l0");

    /// <summary>Reads the sizes and checks that all weight matrices have them, so that what is made of them has no more weights than the file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="prefix">What stands before each name.</param>
    /// <param name="letters">The letters of the gates.</param>
    /// <exception cref="InvalidDataException">There is no such layer, or its shapes do not fit together.</exception>
    internal static PyTorchSizes Read(WeightFile file, string prefix, string letters)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(prefix);
        var first = IsCell(file, prefix) ? string.Empty : "_l0";
        if (!file.Contains($"{prefix}{FirstWeight}{first}"))
        {
            throw new InvalidDataException($"{file.Source}: there is no '{prefix}{FirstWeight}{first}', the first weights of a recurrent layer. {Others(file)}");
        }

        var input = Matrix(file, $"{prefix}{FirstWeight}{first}");
        var (gates, hidden) = (letters.Length, input.Rows / letters.Length);
        if (hidden == 0 || input.Columns == 0 || hidden * gates != input.Rows)
        {
            throw new InvalidDataException($"{file.Source}: '{prefix}{FirstWeight}{first}' is {file[$"{prefix}{FirstWeight}{first}"].Shape}; expected [{gates}·H, I] for a cell of {gates} gates.");
        }

        var projection = file.Contains($"{prefix}weight_hr{first}") ? Matrix(file, $"{prefix}weight_hr{first}").Rows : 0;
        var (isBidirectional, layers) = (file.Contains($"{prefix}{FirstWeight}{first}_reverse"), 1);
        while (first.Length > 0 && file.Contains(string.Create(CultureInfo.InvariantCulture, $"{prefix}{FirstWeight}_l{layers}")))
        {
            layers++;
        }

        var (output, width) = (projection > 0 ? projection : hidden, input.Columns);
        for (var layer = 0; layer < layers; layer++)
        {
            foreach (var direction in isBidirectional ? new[] { string.Empty, "_reverse" } : [string.Empty])
            {
                var suffix = first.Length == 0 ? string.Empty : string.Create(CultureInfo.InvariantCulture, $"_l{layer}{direction}");
                Check(file, $"{prefix}{FirstWeight}{suffix}", gates * hidden, width);
                Check(file, $"{prefix}weight_hh{suffix}", gates * hidden, output);
                if (projection > 0)
                {
                    Check(file, $"{prefix}weight_hr{suffix}", projection, hidden);
                }
            }

            width = isBidirectional ? 2 * output : output;
        }

        return new(input.Columns, hidden, projection, layers, isBidirectional, file.Contains($"{prefix}bias_ih{first}"));
    }

    /// <summary>The rows and columns of a matrix of the file.</summary>
    /// <exception cref="InvalidDataException">There is none of this name, or it is no matrix.</exception>
    internal static (int Rows, int Columns) Matrix(WeightFile file, string name)
    {
        var shape = Shape(file, name, 2, "[outputs, inputs]");
        return (shape[0], shape[1]);
    }

    /// <summary>The shape of a tensor of the file.</summary>
    /// <exception cref="InvalidDataException">There is none of this name, or it has another rank or is empty.</exception>
    internal static Shape Shape(WeightFile file, string name, int rank, string expected)
    {
        ArgumentNullException.ThrowIfNull(file);
        return file.Contains(name) && file[name].Shape is { ElementCount: > 0 } shape && shape.Rank == rank ? shape : throw new InvalidDataException(
            file.Contains(name)
                ? $"{file.Source}: '{name}' is {file[name].Shape}; expected {expected}."
                : $"{file.Source}: there is no '{name}'; the file has {WeightFile.List(file.Entries.Select(entry => entry.Name), 12)}.");
    }

    private static void Check(WeightFile file, string name, int rows, int columns)
    {
        if (Matrix(file, name) != (rows, columns))
        {
            throw new InvalidDataException($"{file.Source}: '{name}' is {file[name].Shape}; expected [{rows}, {columns}] by the shapes of the first layer.");
        }
    }

    private static string Others(WeightFile file)
    {
        var prefixes = file.Entries.Select(entry => entry.Name).Where(name => name.EndsWith($"{FirstWeight}_l0", StringComparison.Ordinal) || name.EndsWith(FirstWeight, StringComparison.Ordinal))
            .Select(name => $"\"{name[..name.LastIndexOf(FirstWeight, StringComparison.Ordinal)]}\"").ToList();
        return prefixes.Count > 0
            ? $"There are some with the prefix {WeightFile.List(prefixes, 8)}."
            : $"The file has {WeightFile.List(file.Entries.Select(entry => entry.Name), 12)}.";
    }
}
