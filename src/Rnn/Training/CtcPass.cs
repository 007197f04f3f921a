using System.Buffers;
using System.Numerics;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>
/// <see cref="Loss.Ctc"/> over the rows of a batch, forward and backward. Rows are cut among threads and each is computed for itself. Only the loss of each row is kept in between: the sums over all ways are
/// made again in the backward pass, where their memory is that of a row at a time.
/// </summary>
internal sealed unsafe class CtcPass<T> : WorkItem
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int StatesPerPart = 1 << 11;

    private readonly Tensor<T> _logits;
    private readonly LossRegion _region;
    private readonly CtcOptions _options;
    private readonly int[][] _targets;
    private readonly double[] _losses;
    private readonly long _states;
    private double _divisor;
    private double _scale;
    private int _parts;
    private T* _x;
    private T* _gradient;
    private bool _isBackward;
    private bool _overwrite;

    /// <summary>Checks the arguments of the loss.</summary>
    internal CtcPass(Tensor<T> logits, IReadOnlyList<int[]> targets, ReadOnlySpan<int> lengths, CtcOptions options)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(targets);
        if (logits.Rank != 3 || logits.Shape[2] == 0)
        {
            throw new ArgumentException($"logits: expected [batch, steps, classes] with one class or more but got {logits.Shape}.", nameof(logits));
        }

        var (rows, classes) = (logits.Shape[0], logits.Shape[2]);
        if (options.Blank >= classes)
        {
            throw new ArgumentException($"Blank: expected one of the {classes} classes of logits {logits.Shape} but got {options.Blank}.", nameof(options));
        }

        if (targets.Count != rows)
        {
            throw new ArgumentException($"targets: expected {rows} targets, one for each row of logits {logits.Shape}, but got {targets.Count}.", nameof(targets));
        }

        (_logits, _region, _options) = (logits, LossRegion.Of(logits.Shape, lengths, nameof(logits)), options);
        (_targets, _losses) = (new int[rows][], new double[rows]);
        for (var row = 0; row < rows; row++)
        {
            _targets[row] = Check(targets[row], row, classes);
            var length = _region.LengthOf(row);
            if (CtcLattice<T>.ScratchLength(length, _targets[row], keep: true) > Array.MaxLength)
            {
                throw new ArgumentException(
                    $"targets: row {row} has {length} steps for {_targets[row].Length} labels, whose states are more than an array can hold ({Array.MaxLength}); cut long sequences.", nameof(targets));
            }

            _states += length * CtcLattice<T>.States(_targets[row]);
        }
    }

    /// <summary>The loss.</summary>
    internal double Forward()
    {
        _isBackward = false;
        RunParts(default);
        var (sum, rows, labels) = (0.0, 0L, 0L);
        for (var row = 0; row < _losses.Length; row++)
        {
            if (!double.IsPositiveInfinity(_losses[row]) || _options.InfeasibleTargets == InfeasibleTargets.Infinity)
            {
                sum += _losses[row];
                rows++;
                labels += Math.Max(1, _targets[row].Length);
            }
        }

        _divisor = _options.Reduction switch
        {
            LossReduction.Sum => 1,
            LossReduction.SumOverStepsMeanOverRows => rows,
            _ => labels,
        };
        return rows == 0 ? 0 : sum / _divisor;
    }

    /// <summary>Writes or adds the gradient of the logits.</summary>
    internal void Backward(T outputGradient, Span<T> gradient, bool overwrite)
    {
        _scale = _divisor == 0 ? 0 : double.CreateTruncating(outputGradient) / _divisor;
        (_isBackward, _overwrite) = (true, overwrite);
        RunParts(gradient);
    }

    /// <inheritdoc/>
    internal override void Execute(int part)
    {
        var (start, end) = ((int)((long)_losses.Length * part / _parts), (int)((long)_losses.Length * (part + 1) / _parts));
        var longest = 0L;
        for (var row = start; row < end; row++)
        {
            longest = Math.Max(longest, CtcLattice<T>.ScratchLength(_region.LengthOf(row), _targets[row], _isBackward));
        }

        var scratch = ArrayPool<double>.Shared.Rent((int)longest);
        fixed (double* memory = scratch)
        {
            for (var row = start; row < end; row++)
            {
                Run(row, memory);
            }
        }

        ArrayPool<double>.Shared.Return(scratch);
    }

    private void Run(int row, double* memory)
    {
        var (steps, classes) = (_region.LengthOf(row), _region.Features);
        var first = (nint)row * _region.Steps * classes;
        var lattice = new CtcLattice<T>(_x + first, steps, classes, _targets[row], _options.Blank, memory, _isBackward);
        if (!_isBackward)
        {
            _losses[row] = -lattice.Forward();
            return;
        }

        // What is impossible stays so wherever the logits go.
        var counts = !double.IsPositiveInfinity(_losses[row]);
        if (counts)
        {
            lattice.Forward();
            lattice.Backward(_losses[row], _scale, _gradient + first, _overwrite);
        }

        if (_overwrite)
        {
            var written = counts ? (nint)steps * classes : 0;
            new Span<T>(_gradient + first + written, (int)(((nint)_region.Steps * classes) - written)).Clear();
        }
    }

    private int[] Check(int[] target, int row, int classes)
    {
        ArgumentNullException.ThrowIfNull(target, "targets");
        for (var i = 0; i < target.Length; i++)
        {
            if ((uint)target[i] >= (uint)classes || target[i] == _options.Blank)
            {
                throw new ArgumentException(
                    $"targets: expected labels from 0 to {classes - 1} without the blank ({_options.Blank}) but row {row} has {target[i]} at index {i}.", nameof(target));
            }
        }

        return (int[])target.Clone();
    }

    // More parts than threads, since rows differ in length: who is done first takes the next.
    private void RunParts(Span<T> gradient)
    {
        var work = _states + ((long)_logits.Length / 8);
        _parts = (int)Math.Clamp(work / StatesPerPart, 1, Math.Max(1, Math.Min(4L * Workers.MaxThreads, _losses.Length)));
        fixed (T* x = _logits.AsReadOnlySpan(), g = gradient)
        {
            _x = x;
            _gradient = g;
            Workers.Run(this, _parts);
            _x = _gradient = null;
        }
    }
}

/// <summary>A recorded <see cref="Loss.Ctc"/>.</summary>
internal sealed class CtcNode<T>(Tensor<T> logits, CtcPass<T> pass) : GraphNode<T>([logits])
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal override void Backward() => pass.Backward(OutputGradient()[0], InputGradient(0, out var overwrite), overwrite);
}
