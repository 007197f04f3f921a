using Rnn.Autograd;
using Rnn.Tensors;

namespace Rnn.Tests.Oracles;

internal enum Merging
{
    Concat,
    Sum,
    Mean,
}

/// <summary>
/// A stack of recurrent layers stepping over time with a <see cref="CellOracle"/>: one direction or two, ragged lengths, initial
/// states, residual connections. Slow and plain; every line is differentiable.
/// </summary>
internal sealed record LayerOracle(CellOracle Cell, int Layers = 1, bool Bidirectional = false, Merging Merge = Merging.Concat, bool Residual = false)
{
    private int Directions => Bidirectional ? 2 : 1;

    /// <summary>Runs the whole sequence.</summary>
    /// <param name="find">A parameter by its full name.</param>
    /// <param name="x">The input [N, T, I].</param>
    /// <param name="lengths">The length of each row, null for the full length; past it a row's state stays and its output is zero.</param>
    /// <param name="initial">The states [N, ·] to start from: those of l0, of l0_reverse, of l1, …</param>
    /// <returns>The output [N, T, ·] of the top layer and the final states in the order of the initial ones.</returns>
    public (Tensor<double> Output, Tensor<double>[] Final) Run(
        Func<string, Tensor<double>?> find, Tensor<double> x, int[]? lengths, IReadOnlyList<Tensor<double>> initial)
    {
        var final = new List<Tensor<double>>();
        for (var layer = 0; layer < Layers; layer++)
        {
            var outputs = new List<Tensor<double>>();
            for (var direction = 0; direction < Directions; direction++)
            {
                var w = new Weights(find, direction == 0 ? $"l{layer}" : $"l{layer}_reverse", Cell);
                var state = initial.Skip(final.Count).Take(Cell.States).ToArray();
                outputs.Add(RunDirection(w, x, lengths, state, backward: direction == 1));
                final.AddRange(state);
            }

            var merged = Merged(outputs);
            x = Residual && merged.Shape == x.Shape ? merged + x : merged;
        }

        return (x, [.. final]);
    }

    /// <summary>The output of one direction; <paramref name="state"/> holds the initial states before and the final ones after.</summary>
    private Tensor<double> RunDirection(Weights w, Tensor<double> x, int[]? lengths, Tensor<double>[] state, bool backward)
    {
        var (batch, steps) = (x.Shape[0], x.Shape[1]);
        var outputs = new Tensor<double>[steps];
        for (var turn = 0; turn < steps; turn++)
        {
            // The backward direction meets the steps past a row's end first: the row's state waits until its last valid step.
            var t = backward ? steps - 1 - turn : turn;
            var xNow = x.Select(1, t);
            var valid = Valid(lengths, t, batch);
            var next = Cell.Step(w, xNow, state);
            for (var s = 0; s < next.Length; s++)
            {
                state[s] = (valid * next[s]) + ((1.0 - valid) * state[s]);
            }

            outputs[t] = valid * state[0];
        }

        return Tensor<double>.Stack(outputs, 1);
    }

    private Tensor<double> Merged(List<Tensor<double>> outputs) => outputs.Count == 1 ? outputs[0] : Merge switch
    {
        Merging.Concat => Tensor<double>.Concat([outputs[0], outputs[1]], 2),
        Merging.Sum => outputs[0] + outputs[1],
        _ => (outputs[0] + outputs[1]) * 0.5,
    };

    /// <summary>[N, 1] with 1 for the rows that have a step t.</summary>
    private static Tensor<double> Valid(int[]? lengths, int t, int batch)
    {
        var valid = Tensor<double>.Ones(batch, 1);
        for (var row = 0; lengths is not null && row < batch; row++)
        {
            valid[row, 0] = t < lengths[row] ? 1 : 0;
        }

        return valid;
    }
}
