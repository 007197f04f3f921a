using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers.Engine;

/// <summary>
/// The random masks of one direction's run: of zoneout (Krueger et al. 2017, arXiv:1606.01305), a new one each step and in evaluation its
/// expectation, and of variational dropout of the recurrent state (Gal and Ghahramani 2016, arXiv:1512.05287), one a sequence.
/// </summary>
/// <remarks>They follow from seed and place alone, so the backward pass draws the zoneout masks again.</remarks>
internal sealed unsafe class StepMasks<T>(RecurrentOptions options, BatchPlan plan, int direction)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private Workspace<T> _workspace;
    private ulong? _seed;
    private T* _dropout;
    private int _width;

    /// <summary>The bytes that are rented.</summary>
    internal long Bytes => _workspace.Bytes;

    /// <summary>Draws the dropout masks of a run.</summary>
    /// <param name="program">What a step does.</param>
    /// <param name="seed">The seed of all masks in training; null in evaluation, where zoneout takes its expectation.</param>
    internal void Prepare(StepProgram program, ulong? seed)
    {
        _seed = seed;
        _workspace = default;
        if (program.MaskedSources.Count == 0)
        {
            return;
        }

        _width = Math.Max(program.Shape.HiddenSize, program.Shape.OutputSize);
        _workspace.Reserve((nint)plan.Rows * _width);
        _workspace.Rent();
        _dropout = _workspace.Take((nint)plan.Rows * _width);
        var keep = 1 - options.RecurrentDropout;
        var key = RandomMask.Key(RandomMask.Key(seed.GetValueOrDefault(), direction), 0);
        for (var row = 0; row < plan.Rows; row++)
        {
            RandomMask.Fill(new Span<T>(_dropout + ((nint)row * _width), _width), RandomMask.Key(key, plan.Order(row)), keep, T.CreateTruncating(1 / keep));
        }
    }

    /// <summary>The dropout mask of one row: 0, or 1 over the probability of keeping a unit.</summary>
    internal ReadOnlySpan<T> Dropout(int row, int size) => new(_dropout + ((nint)row * _width), size);

    /// <summary>The zoneout mask of one row at one step: 1 where a unit keeps its state; in evaluation the probability of that.</summary>
    /// <param name="state">The state.</param>
    /// <param name="step">The step.</param>
    /// <param name="row">The row, in the engine's order.</param>
    /// <param name="mask">Room for the mask.</param>
    internal void FillZoneout(int state, int step, int row, Span<T> mask)
    {
        var probability = options.Zoneout(state);
        if (_seed is { } seed)
        {
            var key = RandomMask.Key(RandomMask.Key(seed, direction), 1 + state);
            RandomMask.Fill(mask, RandomMask.Key(RandomMask.Key(key, plan.Order(row)), step), probability, T.One);
        }
        else
        {
            mask.Fill(T.CreateTruncating(probability));
        }
    }

    /// <summary>Gives the memory back.</summary>
    internal void Release() => _workspace.Return();
}
