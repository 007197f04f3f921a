using System.Numerics;

namespace Rnn.Layers;

/// <summary>The stepper of a recurrent layer: a stream for each row.</summary>
internal sealed class RecurrentStepper<T> : SequenceStepper<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly RecurrentLayer<T> _layer;
    private readonly List<RecurrentStream<T>> _streams = [];

    internal RecurrentStepper(RecurrentLayer<T> layer, int rows)
        : base(layer, rows)
    {
        _layer = layer;
        Resize(rows);
    }

    public override SequenceState<T> GetState() =>
        _streams.Count == 1 ? _streams[0].GetState() : SequenceState<T>.Concat([.. _streams.Select(stream => stream.GetState())]);

    public override void Reset() => _streams.ForEach(stream => stream.Reset());

    public override void ResetRows(ReadOnlySpan<bool> rows)
    {
        if (rows.Length != Rows)
        {
            throw new ArgumentException($"rows: expected {Rows} values, one for each row, but got {rows.Length}.", nameof(rows));
        }

        for (var row = 0; row < rows.Length; row++)
        {
            if (rows[row])
            {
                _streams[row].Reset();
            }
        }
    }

    protected override void StepRows(ReadOnlySpan<T> input, Span<T> output)
    {
        for (var row = 0; row < _streams.Count; row++)
        {
            _streams[row].Step(input.Slice(row * InputSize, InputSize), output.Slice(row * OutputSize, OutputSize));
        }
    }

    protected override void SetRows(SequenceState<T> state)
    {
        Resize(state.Rows);
        for (var row = 0; row < state.Rows; row++)
        {
            _streams[row].SetState(state.SelectRows(row));
        }
    }

    private void Resize(int rows)
    {
        _streams.RemoveRange(Math.Min(rows, _streams.Count), Math.Max(0, _streams.Count - rows));
        while (_streams.Count < rows)
        {
            _streams.Add(_layer.CreateStream());
        }
    }
}
