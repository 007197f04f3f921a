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
    private readonly CarriedState<T> _carried = new();
    private SequenceState<T>? _next;
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
        if (!_windows.MoveNext())
        {
            return null;
        }

        var window = _windows.Current;
        window.Ignore(_ignored);
        _carried.ResetRows(window.Starts);
        var loss = window.CarrySteps < window.Steps ? OverlappingLoss(window) : WholeLoss(window);
        var targets = Math.Max(1, window.TargetCount);
        var divisor = _options.Reduction switch
        {
            LossReduction.Sum => targets,
            LossReduction.SumOverStepsMeanOverRows => (double)targets / window.Rows,
            _ => 1,
        };
        return new(loss, window.TargetCount) { ReportDivisor = divisor };
    }

    /// <inheritdoc/>
    public override void EndStep(bool skipped)
    {
        // After a skipped step the state is likely not finite either.
        if (skipped)
        {
            _carried.Forget();
        }
        else
        {
            _carried.Keep(_next!);
        }

        _next = null;
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

    private Tensor<T> WholeLoss(TokenWindow window)
    {
        var (loss, state) = _model.ForwardLoss(window.Inputs, window.Rows, window.ValidSteps, StateOf(window), window.Targets, _options);
        _next = state;
        return loss;
    }

    // The next window begins inside this one: the forward pass is cut there to have the state, the gradient flows through the cut.
    private Tensor<T> OverlappingLoss(TokenWindow window)
    {
        var (rows, cut) = (window.Rows, window.CarrySteps);
        var sums = _options with { Reduction = LossReduction.Sum };
        var first = _model.ForwardLoss(
            Columns(ref _inputColumns, window.Inputs, rows, 0, cut), rows, default, _carried.State, Columns(ref _targetColumns, window.Targets, rows, 0, cut), sums);
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
    private SequenceState<T>? StateOf(TokenWindow window)
    {
        if (_carried.State is not { } carried || !window.Starts.Contains(true) || _model.InitialState(window.Rows) is not { } initial)
        {
            return _carried.State;
        }

        return carried.ResetRows(window.Starts, initial);
    }

    // What a mean over the window's targets is divided by.
    private double WeightOf(TokenWindow window)
    {
        if (_options.ClassWeights is not { } weights)
        {
            return Math.Max(1, window.TargetCount);
        }

        var sum = 0.0;
        foreach (var target in window.Targets)
        {
            sum += target == TokenWindow.NoTarget ? 0 : weights[target];
        }

        return sum > 0 ? sum : 1;
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
