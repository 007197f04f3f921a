using Rnn.Tensors;

namespace Rnn.Tests.Oracles;

internal enum Merging
{
    Concat,
    Sum,
    Mean,
}

/// <summary>What the oracle of a stack gives.</summary>
/// <param name="Output">The output [N, T, ·] of the top layer.</param>
/// <param name="Last">The same after the last step that each direction runs, [N, ·].</param>
/// <param name="Final">The final states in the order of the initial ones.</param>
/// <param name="CellStates">For each layer the second state after every step, [N, T, D·H], where the cell has one.</param>
internal sealed record OracleResult(Tensor<double> Output, Tensor<double> Last, Tensor<double>[] Final, Tensor<double>[] CellStates);

/// <summary>
/// A stack of recurrent layers stepping over time with a <see cref="CellOracle"/>: one direction, the other or both, ragged lengths,
/// initial states, residual connections. Slow and plain; every line is differentiable.
/// </summary>
internal sealed record LayerOracle(
    CellOracle Cell, int Layers = 1, bool Bidirectional = false, Merging Merge = Merging.Concat, bool Residual = false, bool Reverse = false)
{
    /// <summary>The masks of zoneout and dropout of the recurrent state.</summary>
    public OracleMasks? Masks { get; init; }

    private int Directions => Bidirectional ? 2 : 1;

    /// <summary>Runs the whole sequence.</summary>
    /// <param name="find">A parameter by its full name.</param>
    /// <param name="x">The input [N, T, I].</param>
    /// <param name="lengths">The length of each row, null for the full length; past it a row's state stays and its output is zero.</param>
    /// <param name="initial">The states [N, ·] to start from: those of l0, of l0_reverse, of l1, …</param>
    public OracleResult Run(Func<string, Tensor<double>?> find, Tensor<double> x, int[]? lengths, IReadOnlyList<Tensor<double>> initial)
    {
        var (batch, steps) = (x.Shape[0], x.Shape[1]);
        var valid = Enumerable.Range(0, steps).Select(t => Rows(batch, row => lengths is null || t < lengths[row])).ToArray();
        var final = new List<Tensor<double>>();
        var cells = new List<Tensor<double>>();
        var last = x;
        for (var layer = 0; layer < Layers; layer++)
        {
            var runs = new List<(Tensor<double>[] Steps, Tensor<double>[] Final)>();
            for (var direction = 0; direction < Directions; direction++)
            {
                var (at, of) = (layer, direction);
                var w = new Weights(
                    find, direction == 0 ? $"l{layer}" : $"l{layer}_reverse", Cell, Masks is null ? null : size => Masks.Dropout(at, of, batch, size));
                var state = initial.Skip(final.Count).Take(Cell.States).ToArray();
                runs.Add((RunDirection(w, x, lengths, valid, state, layer, direction), state));
                final.AddRange(state);
            }

            var output = Merged([.. runs.Select(run => run.Steps[0])]);
            last = Merged([.. runs.Select(run => run.Final[0])]);
            if (Cell.States > 1)
            {
                cells.Add(Joined([.. runs.Select(run => run.Steps[1])]));
            }

            if (Residual && output.Shape == x.Shape)
            {
                last += InputAtEnds(x, lengths);
                output += Tensor<double>.Stack([.. valid.Select((rows, t) => rows * x.Select(1, t))], 1);
            }

            x = output;
        }

        return new(x, last, [.. final], [.. cells]);
    }

    /// <summary>All states after every step, [N, T, ·] each; <paramref name="state"/> holds the initial states before and the final ones after.</summary>
    private Tensor<double>[] RunDirection(
        Weights w, Tensor<double> x, int[]? lengths, Tensor<double>[] valid, Tensor<double>[] state, int layer, int direction)
    {
        var (batch, steps) = (x.Shape[0], x.Shape[1]);
        var backward = Reverse || direction == 1;
        var outputs = state.Select(_ => new Tensor<double>[steps]).ToArray();
        for (var turn = 0; turn < steps; turn++)
        {
            // The backward direction meets the steps past a row's end first: the row's state waits until its last valid step.
            var t = backward ? steps - 1 - turn : turn;
            var next = Cell.Step(w, x.Select(1, t), state);
            int[] numbers = [.. Enumerable.Range(0, batch).Select(row => backward ? Math.Max(0, (lengths?[row] ?? steps) - 1 - t) : t)];
            for (var s = 0; s < next.Length; s++)
            {
                if (Masks is not null)
                {
                    var kept = Masks.Zoneout(layer, direction, s, next[s].Shape[1], numbers);
                    next[s] = (kept * state[s]) + ((1.0 - kept) * next[s]);
                }

                state[s] = (valid[t] * next[s]) + ((1.0 - valid[t]) * state[s]);
                outputs[s][t] = valid[t] * state[s];
            }
        }

        return [.. outputs.Select(sequence => Tensor<double>.Stack(sequence, 1))];
    }

    private Tensor<double> Merged(Tensor<double>[] directions) => directions.Length == 1 ? directions[0] : Merge switch
    {
        Merging.Concat => Joined(directions),
        Merging.Sum => directions[0] + directions[1],
        _ => (directions[0] + directions[1]) * 0.5,
    };

    private static Tensor<double> Joined(Tensor<double>[] directions) => Tensor<double>.Concat(directions, directions[0].Rank - 1);

    /// <summary>
    /// The input of a layer where its directions end, forward at a row's last step and backward at its first: side by side as the output is,
    /// or the mean of both where directions become one.
    /// </summary>
    private Tensor<double> InputAtEnds(Tensor<double> x, int[]? lengths)
    {
        var (batch, steps, width) = (x.Shape[0], x.Shape[1], x.Shape[2]);
        Tensor<double> At(Func<int, int> step) => Enumerable.Range(0, steps)
            .Select(t => Rows(batch, row => t == step(lengths?[row] ?? steps)) * x.Select(1, t))
            .Aggregate((sum, term) => sum + term);

        var (atLast, atFirst) = (At(length => length - 1), At(length => length > 0 ? 0 : -1));
        return !Bidirectional ? Reverse ? atFirst : atLast
            : Merge == Merging.Concat ? Tensor<double>.Concat([atLast.Slice(1, ..(width / 2)), atFirst.Slice(1, (width / 2)..)], 1)
            : (atLast + atFirst) * 0.5;
    }

    /// <summary>[N, 1] with 1 for the chosen rows.</summary>
    private static Tensor<double> Rows(int batch, Func<int, bool> chosen) =>
        Tensor<double>.From([.. Enumerable.Range(0, batch).Select(row => chosen(row) ? 1.0 : 0.0)], batch, 1);
}
