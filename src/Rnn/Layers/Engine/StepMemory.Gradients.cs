using Rnn.Kernels;

namespace Rnn.Layers.Engine;

/// <content>The buffers of one backward pass: gradients of states, of intermediates and of gains, and copies for another pass.</content>
internal sealed unsafe partial class StepMemory<T>
{
    private readonly T*[] _gradientStarts;
    private Workspace<T> _gradients;
    private int _gradientRows;
    private bool _hasCopies;

    // The buffers; behind them the part of each state's gradient that zoneout leads past the cell.
    private enum Gradient
    {
        States,
        Intermediates,
        Projected,
        Unprojected,
        Unmasked,
        GainSums,
        GatesCopy,
        InputProductsCopy,
        RecurrentProductsCopy,
        PerState,
    }

    /// <summary>2 to this power neighbouring rows, never of two parts, share one row of sums for the gradients of gains, which so stays in the first-level cache.</summary>
    internal int SumShift { get; private set; }

    /// <summary>The rows that gradients of gains are added up in.</summary>
    internal int SumRows => (_gradientRows + (1 << SumShift) - 1) >> SumShift;

    /// <summary>Rents the buffers of a backward pass.</summary>
    /// <param name="plan">The batch.</param>
    /// <param name="keepsGraph">Whether another pass will follow: what this one overwrites, gate values and products before normalisation, is copied.</param>
    internal void RentGradients(BatchPlan plan, bool keepsGraph)
    {
        _gradientRows = plan.Rows;
        SumShift = !_program.Normalizes ? 0 : _gradientRows >= 16 ? 2 : _gradientRows >= 8 ? 1 : 0;
        var states = _shape.Layout.States.Count;
        var rows = (nint)_gradientRows;
        Span<nint> lengths = stackalloc nint[_gradientStarts.Length];
        lengths[(int)Gradient.States] = rows * (_shape.OutputSize + ((states - 1) * Hidden));
        lengths[(int)Gradient.Intermediates] = rows * _shape.Layout.Intermediates * Hidden;
        lengths[(int)Gradient.Projected] = plan.Total * (nint)_shape.ProjectionSize;
        lengths[(int)Gradient.Unprojected] = _shape.ProjectionSize > 0 ? rows * Hidden : 0;
        lengths[(int)Gradient.Unmasked] = _program.MaskedSources.Count > 0 ? rows * Math.Max(Hidden, _shape.OutputSize) : 0;
        lengths[(int)Gradient.GainSums] = SumRows * (nint)_program.GainColumns;
        lengths[(int)Gradient.GatesCopy] = keepsGraph ? _lengths[(int)Buffer.Gates] : 0;
        lengths[(int)Gradient.InputProductsCopy] = keepsGraph ? _lengths[(int)Buffer.InputProducts] : 0;
        lengths[(int)Gradient.RecurrentProductsCopy] = keepsGraph ? _lengths[(int)Buffer.RecurrentProducts] : 0;
        for (var state = 0; state < states; state++)
        {
            lengths[(int)Gradient.PerState + state] = _program.HasZoneout(state) ? rows * _shape.StateSize(state) : 0;
        }

        _gradients = default;
        foreach (var length in lengths)
        {
            _gradients.Reserve(length);
        }

        _gradients.Rent();
        for (var i = 0; i < lengths.Length; i++)
        {
            _gradientStarts[i] = _gradients.Take(lengths[i]);
        }

        new Span<T>(_gradientStarts[(int)Gradient.GainSums], (int)lengths[(int)Gradient.GainSums]).Clear();
        _hasCopies = keepsGraph;
        if (keepsGraph)
        {
            ExchangeCopies(restores: false);
        }
    }

    /// <summary>Gives the buffers of a backward pass back, after putting back what was copied for another one.</summary>
    internal void ReleaseGradients()
    {
        if (_hasCopies)
        {
            _hasCopies = false;
            ExchangeCopies(restores: true);
        }

        _gradients.Return();
    }

    /// <summary>The gradient of a state: of that after the step before a backward step, of that before it afterwards.</summary>
    internal Rows<T> StateGradient(int state)
    {
        var width = _shape.StateSize(state);
        var start = state == 0 ? 0 : _shape.OutputSize + ((state - 1) * Hidden);
        return new(_gradientStarts[(int)Gradient.States] + ((nint)_gradientRows * start), width);
    }

    /// <summary>The gradients of the cell's intermediates.</summary>
    internal Rows<T> IntermediateGradients(int firstRow) => GradientRows(Gradient.Intermediates, firstRow, _shape.Layout.Intermediates * Hidden);

    /// <summary>The gradients of the projected hidden state, packed, of all steps.</summary>
    internal Rows<T> ProjectedGradients(nint row) => GradientRows(Gradient.Projected, row, _shape.ProjectionSize);

    /// <summary>The gradient of the hidden state before projection.</summary>
    internal Rows<T> UnprojectedGradients(int firstRow) => GradientRows(Gradient.Unprojected, firstRow, Hidden);

    /// <summary>The gradient of a source after dropout.</summary>
    internal Rows<T> UnmaskedGradients(int firstRow, int size) => GradientRows(Gradient.Unmasked, firstRow, size);

    /// <summary>The part of a state's gradient that zoneout leads past the cell.</summary>
    internal Rows<T> PassedBy(int state, int firstRow) => GradientRows(Gradient.PerState + state, firstRow, _shape.StateSize(state));

    /// <summary>The sums that become the gradients of gains, where the rows from <paramref name="firstRow"/> on add theirs.</summary>
    internal Rows<T> GainSums(int firstRow) => GradientRows(Gradient.GainSums, firstRow >> SumShift, _program.GainColumns);

    private Rows<T> GradientRows(Gradient buffer, nint row, nint width) => new(_gradientStarts[(int)buffer] + (row * width), width);

    private void ExchangeCopies(bool restores)
    {
        Copy(Buffer.Gates, Gradient.GatesCopy);
        Copy(Buffer.InputProducts, Gradient.InputProductsCopy);
        Copy(Buffer.RecurrentProducts, Gradient.RecurrentProductsCopy);

        void Copy(Buffer buffer, Gradient copy)
        {
            var from = _starts[(int)buffer];
            var to = _gradientStarts[(int)copy];
            var bytes = _lengths[(int)buffer] * sizeof(T);
            System.Buffer.MemoryCopy(restores ? to : from, restores ? from : to, bytes, bytes);
        }
    }
}
