using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>Truncated backpropagation through time over tokens: the state is carried from window to window, the gradient is not.</summary>
internal sealed class TokenTask<T> : TrainingTask<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly ISequenceModel<T> _model;
    private readonly TokenBatcher _batcher;
    private readonly CrossEntropyOptions _options;
    private readonly Func<CancellationToken, double>? _validate;
    private readonly RandomSource? _shuffle;
    private readonly int _ignored;
    private readonly CarriedState<T> _carried = new();
    private RecurrentState<T>? _next;
    private int[] _inputColumns = [];
    private int[] _targetColumns = [];

    internal TokenTask(
        ISequenceModel<T> model, TokenBatcher batcher, CrossEntropyOptions options, Func<CancellationToken, double>? validate, RandomSource? shuffle = null)
    {
        (_model, _batcher, _validate, _shuffle) = (model, batcher, validate, shuffle);
        _ignored = options.IgnoreIndex;
        _options = options with { IgnoreIndex = TokenWindow.NoTarget };
    }

    /// <inheritdoc/>
    public override bool HasValidation => _validate is not null;

    /// <inheritdoc/>
    public override void BeginEpoch(int epoch)
    {
        if (_shuffle is { } random && _batcher is SequenceBatcher sequences)
        {
            sequences.Shuffle(random);
        }

        _batcher.Reset();
        _carried.Forget();
    }

    /// <inheritdoc/>
    public override BatchLoss<T>? NextLoss()
    {
        if (!_batcher.MoveNext())
        {
            return null;
        }

        var window = _batcher.Current;
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
    public override double? Validate(CancellationToken cancellationToken) => _validate?.Invoke(cancellationToken);

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

    // Where some rows begin anew beside others that go on, theirs are the model's initial states; where those are learned, gradients flow to them.
    private RecurrentState<T>? StateOf(TokenWindow window)
    {
        if (_carried.State is not { } carried || !window.Starts.Contains(true) || _model.InitialState(window.Rows) is not { } initial)
        {
            return _carried.State;
        }

        var begins = Tensor<T>.Zeros(window.Rows, 1);
        var mask = begins.AsSpan();
        for (var row = 0; row < window.Rows; row++)
        {
            mask[row] = window.Starts[row] ? T.One : T.Zero;
        }

        // The rows that begin carry zeros.
        return RecurrentState<T>.FromTensors(
            [.. carried.Tensors.Zip(initial.Tensors, (state, first) => state + (first * begins))], carried.Layers, carried.Directions);
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
