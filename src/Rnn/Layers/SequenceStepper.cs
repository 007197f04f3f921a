using System.Numerics;

namespace Rnn.Layers;

/// <summary>
/// A sequence layer that runs N sequences one step at a time, without a graph, and keeps their states: made by <see cref="SequenceLayer{T}.CreateStepper"/>. Not for several threads at once,
/// but any number of steppers may share a layer.
/// </summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public abstract class SequenceStepper<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly SequenceLayer<T> _layer;

    /// <summary>A stepper of a layer.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="rows">The number of sequences N.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is not positive.</exception>
    protected SequenceStepper(SequenceLayer<T> layer, int rows)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        (_layer, Rows, InputSize, OutputSize) = (layer, rows, layer.InputSize, layer.OutputSize);
    }

    /// <summary>The number of sequences N.</summary>
    public int Rows { get; private set; }

    /// <summary>The size of a step's input for one sequence.</summary>
    public int InputSize { get; }

    /// <summary>The size of a step's output for one sequence.</summary>
    public int OutputSize { get; }

    /// <summary>Runs one step of all sequences.</summary>
    /// <param name="input">The step's input [N, <see cref="InputSize"/>], row-major.</param>
    /// <param name="output">Receives the step's output [N, <see cref="OutputSize"/>], row-major.</param>
    /// <exception cref="ArgumentException">A span has another length.</exception>
    public void Step(ReadOnlySpan<T> input, Span<T> output)
    {
        if (input.Length != Rows * InputSize)
        {
            throw new ArgumentException($"input: expected {Rows} rows of {InputSize} numbers, the layer's InputSize, but got {input.Length} numbers.", nameof(input));
        }

        if (output.Length != Rows * OutputSize)
        {
            throw new ArgumentException($"output: expected room for {Rows} rows of {OutputSize} numbers, the layer's OutputSize, but got {output.Length}.", nameof(output));
        }

        StepRows(input, output);
    }

    /// <summary>Starts new sequences in all rows.</summary>
    public virtual void Reset() => SetRows(_layer.InitialState(Rows).Detach());

    /// <summary>Starts new sequences in some rows.</summary>
    /// <param name="rows">For each row whether a new sequence begins.</param>
    /// <exception cref="ArgumentException">The number of rows is another.</exception>
    public void ResetRows(ReadOnlySpan<bool> rows)
    {
        if (rows.Length != Rows)
        {
            throw new ArgumentException($"rows: expected {Rows} values, one for each row, but got {rows.Length}.", nameof(rows));
        }

        RestartRows(rows);
    }

    /// <summary>Goes on with chosen rows in a chosen order; a row may come several times, and their number may be another: what beam search does after each step.</summary>
    /// <param name="rows">One row or more from 0 to N − 1.</param>
    /// <exception cref="ArgumentException">There is no such row, or none at all.</exception>
    public void SelectRows(params ReadOnlySpan<int> rows)
    {
        foreach (var row in rows)
        {
            if ((uint)row >= (uint)Rows)
            {
                throw new ArgumentOutOfRangeException(nameof(rows), row, $"rows: expected rows from 0 to {Rows - 1} but got {row}.");
            }
        }

        if (rows.IsEmpty)
        {
            throw new ArgumentException("rows: expected one row or more but got none.", nameof(rows));
        }

        ChooseRows(rows);
        Rows = rows.Length;
    }

    /// <summary>Goes on from a state; its number of rows becomes that of the stepper.</summary>
    /// <param name="state">A state of this layer with one row or more.</param>
    /// <exception cref="ArgumentException">The state does not fit.</exception>
    public void SetState(SequenceState<T> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (state.Rows == 0)
        {
            throw new ArgumentException("state: expected a state of one row or more but got one without rows.", nameof(state));
        }

        var zero = _layer.ZeroState(state.Rows);
        SetRows(new(state.Rows, [.. zero.Names], state.InOrderOf(zero, nameof(state))));
        Rows = state.Rows;
    }

    /// <summary>The state after the last step: a value of its own, which further steps do not change.</summary>
    public abstract SequenceState<T> GetState();

    /// <summary>Refuses what is no state of a single row.</summary>
    internal static void CheckOneRow(SequenceState<T> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (state.Rows != 1)
        {
            throw new ArgumentException($"state: expected a state of one row but got {state.Rows}.", nameof(state));
        }
    }

    /// <summary>Runs one step; the spans have been checked.</summary>
    /// <param name="input">[N, <see cref="InputSize"/>].</param>
    /// <param name="output">[N, <see cref="OutputSize"/>].</param>
    protected abstract void StepRows(ReadOnlySpan<T> input, Span<T> output);

    /// <summary>Starts new sequences in some rows, whose number has been checked.</summary>
    /// <param name="rows">For each row whether a new sequence begins.</param>
    protected virtual void RestartRows(ReadOnlySpan<bool> rows) => SetRows(GetState().ResetRows(rows, _layer.InitialState(Rows).Detach()));

    /// <summary>Goes on with chosen rows, which have been checked; their number may be another than <see cref="Rows"/>.</summary>
    /// <param name="rows">One row or more from 0 to N − 1.</param>
    protected virtual void ChooseRows(ReadOnlySpan<int> rows) => SetRows(GetState().SelectRows(rows));

    /// <summary>Takes the values of a state, whose number of rows may be another than <see cref="Rows"/>.</summary>
    /// <param name="state">A state with the names, order and shapes of the layer's own; the stepper copies it or leaves it as it is.</param>
    protected abstract void SetRows(SequenceState<T> state);
}
