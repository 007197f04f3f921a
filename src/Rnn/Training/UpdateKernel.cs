using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Training;

/// <summary>The arithmetic of one optimiser on one vector of parameters; <see cref="UpdateKernel{T, TRule}"/> runs it over a block.</summary>
internal interface IUpdateRule<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The new parameters. States that the optimiser has no memory for come as zeros and are forgotten.</summary>
    TVector Apply<TVector>(TVector parameter, TVector gradient, ref TVector state0, ref TVector state1, ref TVector state2)
        where TVector : struct, IVector<TVector, T>;
}

/// <summary>
/// One pass over parameters, gradients and states: every number is read once and written once, whatever the optimiser. The gradient is
/// scaled on the way (clipping by norm) and, if wanted, set to zero afterwards (the next step starts from there). Denormal parameters become zero.
/// </summary>
internal readonly unsafe struct UpdateKernel<T, TRule> : IElementwise<T>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TRule : struct, IUpdateRule<T>
{
    private readonly TRule _rule;
    private readonly T _gradientScale;
    private readonly bool _clear;
    private readonly T* _parameters;
    private readonly T* _gradients;
    private readonly T* _state0;
    private readonly T* _state1;
    private readonly T* _state2;
    private readonly nint _count;

    internal UpdateKernel(TRule rule, T gradientScale, bool clear, T* parameters, T* gradients, T* state0, T* state1, T* state2, nint count)
    {
        _rule = rule;
        _gradientScale = gradientScale;
        _clear = clear;
        _parameters = parameters;
        _gradients = gradients;
        _state0 = state0;
        _state1 = state1;
        _state2 = state2;
        _count = count;
    }

    /// <summary>Runs over all elements with the vectors of the width in use.</summary>
    internal void Run() => Elementwise<T, UpdateKernel<T, TRule>>.Run(this, _count);

    /// <summary>The same update of some of the elements.</summary>
    internal UpdateKernel<T, TRule> Part(nint start, nint end) => new(
        _rule,
        _gradientScale,
        _clear,
        _parameters + start,
        _gradients + start,
        _state0 == null ? null : _state0 + start,
        _state1 == null ? null : _state1 + start,
        _state2 == null ? null : _state2 + start,
        end - start);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run<V, TLanes>(TLanes lanes, nint i)
        where V : struct, IVector<V, T>
        where TLanes : struct, ILanes<V, T>
    {
        var state0 = _state0 != null ? lanes.Load(_state0 + i) : V.Zero;
        var state1 = _state1 != null ? lanes.Load(_state1 + i) : V.Zero;
        var state2 = _state2 != null ? lanes.Load(_state2 + i) : V.Zero;
        var gradient = lanes.Load(_gradients + i) * V.Broadcast(_gradientScale);
        var parameter = _rule.Apply(lanes.Load(_parameters + i), gradient, ref state0, ref state1, ref state2);
        lanes.Store(UpdateMath<T>.Parameter(parameter), _parameters + i);
        if (_state0 != null)
        {
            lanes.Store(state0, _state0 + i);
        }

        if (_state1 != null)
        {
            lanes.Store(state1, _state1 + i);
        }

        if (_state2 != null)
        {
            lanes.Store(state2, _state2 + i);
        }

        if (_clear)
        {
            lanes.Store(V.Zero, _gradients + i);
        }
    }
}

/// <summary>The update of a large block, shared by several threads; kept by the optimiser so that a step allocates nothing.</summary>
internal sealed class UpdateWork<T, TRule> : WorkItem
    where T : unmanaged, IFloatingPointIeee754<T>
    where TRule : struct, IUpdateRule<T>
{
    /// <summary>Below so many elements a part is done before another thread has begun.</summary>
    internal const int ElementsPerPart = 1 << 18;

    private const int Alignment = 64;

    private UpdateKernel<T, TRule> _kernel;
    private int _count;
    private int _parts;

    internal void Run(in UpdateKernel<T, TRule> kernel, int count, int parts)
    {
        (_kernel, _count, _parts) = (kernel, count, parts);
        Workers.Run(this, parts);
    }

    /// <inheritdoc/>
    internal override void Execute(int part) => _kernel.Part(Border(part), Border(part + 1)).Run();

    private int Border(int part) => part == _parts ? _count : (int)((long)_count * part / _parts / Alignment * Alignment);
}
