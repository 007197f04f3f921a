using System.Numerics;
using Rnn.Formats;
using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>Truncated backpropagation through time over tokens: the state is carried from window to window, the gradient is not.</summary>
internal sealed class TokenTask<T> : TrainingTask<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int ValidationSteps = 128;

    private readonly ISequenceModel<T> _model;
    private readonly BatchSource<TokenWindow> _windows;
    private readonly CrossEntropyOptions _options;
    private readonly ReadOnlyMemory<int> _validation;
    private readonly int _validationRows;
    private readonly int _ignored;
    private readonly CarriedParts<T> _carried = new();
    private SequenceState<T>? _next;
    private int _parts;
    private int[] _inputColumns = [];
    private int[] _targetColumns = [];

    internal TokenTask(ISequenceModel<T> model, BatchSource<TokenWindow> windows, CrossEntropyOptions options, ReadOnlyMemory<int> validation, int validationRows)
    {
        (_model, _windows, _validation, _validationRows) = (model, windows, validation, validationRows);
        _ignored = options.IgnoreIndex;
        _options = options with { IgnoreIndex = TokenWindow.NoTarget };
    }

    /// <inheritdoc/>
    public override bool HasValidation => !_validation.IsEmpty;

    /// <inheritdoc/>
    public override bool CanResume => true;

    /// <inheritdoc/>
    public override string Identity
    {
        get
        {
            var hash = new Fingerprint();
            hash.Add(_validation.Span);
            return $"{_windows.Identity}, validated on {_validation.Length} tokens ({hash}) in {_validationRows} rows";
        }
    }

    /// <inheritdoc/>
    public override bool HasParts => true;

    /// <inheritdoc/>
    internal override object[] Sources => [_windows.Root];

    /// <inheritdoc/>
    public override void BeginEpoch(int epoch)
    {
        _windows.BeginPass();
        _carried.Forget();
    }

    /// <inheritdoc/>
    public override BatchLoss<T>? NextLoss()
    {
        if (!MoveNext())
        {
            return null;
        }

        _carried.Cut(1);
        return LossOf(_windows.Current, _carried.Whole);
    }

    /// <inheritdoc/>
    public override double[]? NextParts(int parts)
    {
        if (!MoveNext())
        {
            return null;
        }

        _carried.Cut(parts);
        _parts = parts;
        var shares = new double[parts];
        var window = _windows.Current;

        var whole = _options.Reduction == LossReduction.Sum ? 1 : ShareOf(window);
        for (var part = 0; part < parts; part++)
        {
            shares[part] = whole > 0 && PartOf(window, part) is { } rows ? ShareOf(rows) / whole : 0;
        }

        return shares;
    }

    /// <inheritdoc/>
    public override BatchLoss<T>? PartLoss(int part) =>
        PartOf(_windows.Current, part) is { } rows ? LossOf(rows, _carried[part]) with { ReportDivisor = DivisorOf(_windows.Current) } : null;

    /// <inheritdoc/>
    public override void EndPart(int part)
    {
        if (_next is not null)
        {
            _carried[part].Keep(_next);
            _next = null;
        }
    }

    /// <inheritdoc/>
    public override void EndStep(bool skipped)
    {
        // After a skipped step the state is likely not finite either.
        if (skipped)
        {
            _carried.Forget();
        }
        else if (_next is not null)
        {
            _carried.Whole.Keep(_next);
        }

        _next = null;
    }

    /// <inheritdoc/>
    public override void SavePart(int part, int parts, StateTree<T> state)
    {
        _carried.Cut(parts);
        _carried[part].SaveState(state);
    }

    /// <inheritdoc/>
    public override void RestorePart(int part, int parts, StateTree<T> state)
    {
        _carried.Cut(parts);
        _carried[part].RestoreState(state);
    }

    /// <inheritdoc/>
    public override void SaveState(StateTree<T> state)
    {
        _windows.SaveState(state);
        _carried.SaveState(state.Branch("carried"));
    }

    /// <inheritdoc/>
    public override void RestoreState(StateTree<T> state)
    {
        _windows.RestoreState(state);
        _carried.RestoreState(state.Branch("carried"));
    }

    /// <inheritdoc/>
    public override double? Validate(CancellationToken cancellationToken) =>
        HasValidation ? SequenceEvaluation.Measure(_model, _validation, _validationRows, ValidationSteps, _ignored, cancellationToken) : null;

    /// <inheritdoc/>
    public override void ValidateParts(LossSums sums, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sums);
        if (HasValidation)
        {
            SequenceEvaluation.Measure(_model, _validation, _validationRows, ValidationSteps, _ignored, sums, cancellationToken);
        }
    }

    private bool MoveNext()
    {
        if (!_windows.MoveNext())
        {
            return false;
        }

        _windows.Current.Ignore(_ignored);
        return true;
    }

    private TokenWindow? PartOf(TokenWindow window, int part) =>
        RowParts.Of(window.Rows, part, _parts) is (var start, > 0 and var count) ? window.TakeRows(start, count) : null;

    private BatchLoss<T> LossOf(TokenWindow window, CarriedState<T> carried)
    {
        carried.ResetRows(window.Starts);
        var loss = window.CarrySteps < window.Steps ? OverlappingLoss(window, carried.State) : WholeLoss(window, carried.State);
        return new(loss, window.TargetCount) { ReportDivisor = DivisorOf(window) };
    }

    private double DivisorOf(TokenWindow window) => _options.Reduction switch
    {
        LossReduction.Sum => Math.Max(1, window.TargetCount),
        LossReduction.SumOverStepsMeanOverRows => (double)Math.Max(1, window.TargetCount) / window.Rows,
        _ => 1,
    };

    // What the losses of parts are in proportion to.
    private double ShareOf(TokenWindow window) => _options.Reduction switch
    {
        LossReduction.Sum => 1,
        LossReduction.SumOverStepsMeanOverRows => window.Rows,
        LossReduction.Mean => SumOfWeights(window),
        _ => window.TargetCount,
    };

    private Tensor<T> WholeLoss(TokenWindow window, SequenceState<T>? carried)
    {
        var (loss, state) = _model.ForwardLoss(window.Inputs, window.Rows, window.ValidSteps, StateOf(window, carried), window.Targets, _options);
        _next = state;
        return loss;
    }

    // The next window begins inside this one: the forward pass is cut there to have the state, the gradient flows through the cut.
    private Tensor<T> OverlappingLoss(TokenWindow window, SequenceState<T>? carried)
    {
        var (rows, cut) = (window.Rows, window.CarrySteps);
        var sums = _options with { Reduction = LossReduction.Sum };
        var first = _model.ForwardLoss(
            Columns(ref _inputColumns, window.Inputs, rows, 0, cut), rows, default, carried, Columns(ref _targetColumns, window.Targets, rows, 0, cut), sums);
        var second = _model.ForwardLoss(
            Columns(ref _inputColumns, window.Inputs, rows, cut, window.Steps), rows, default, first.State, Columns(ref _targetColumns, window.Targets, rows, cut, window.Steps), sums);
        var loss = first.Loss + second.Loss;
        _next = first.State;
        return _options.Reduction switch
        {
            LossReduction.Sum => loss,
            LossReduction.SumOverStepsMeanOverRows => loss * T.CreateTruncating(1.0 / rows),
            LossReduction.Mean => loss * T.CreateTruncating(1 / WeightOf(window)),
            _ => loss * T.CreateTruncating(1.0 / Math.Max(1, window.TargetCount)),
        };
    }

    // Rows that begin a sequence beside others that continue get the model's initial states; where those are learned, gradients flow to them.
    private SequenceState<T>? StateOf(TokenWindow window, SequenceState<T>? carried) =>
        carried is null || !window.Starts.Contains(true) || _model.InitialState(window.Rows) is not { } initial ? carried : carried.ResetRows(window.Starts, initial);

    // What a mean over the window's targets is divided by.
    private double WeightOf(TokenWindow window) => SumOfWeights(window) is > 0 and var sum ? sum : 1;

    private double SumOfWeights(TokenWindow window)
    {
        if (_options.ClassWeights is not { } weights)
        {
            return window.TargetCount;
        }

        var sum = 0.0;
        foreach (var target in window.Targets)
        {
            sum += target == TokenWindow.NoTarget ? 0 : weights[target];
        }

        return sum;
    }

    // Some columns of a matrix, in a buffer that the next call uses again.
    private static ReadOnlySpan<int> Columns(ref int[] buffer, ReadOnlySpan<int> matrix, int rows, int start, int end)
    {
        var (steps, width) = (matrix.Length / rows, end - start);
        if (buffer.Length < rows * width)
        {
            buffer = new int[matrix.Length];
        }

        for (var row = 0; row < rows; row++)
        {
            matrix.Slice((row * steps) + start, width).CopyTo(buffer.AsSpan(row * width));
        }

        return buffer.AsSpan(0, rows * width);
    }
}
