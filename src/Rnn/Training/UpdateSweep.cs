using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Training;

/// <summary>The arithmetic of one optimiser on one vector of parameters; <see cref="UpdateSweep{T, TRule}"/> runs it over a block.</summary>
internal interface IUpdateRule<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The new parameters. States that the optimiser has no memory for come as zeros and are forgotten.</summary>
    TVector Apply<TVector>(TVector parameter, TVector gradient, ref TVector state0, ref TVector state1, ref TVector state2)
        where TVector : struct, IVector<TVector, T>;
}

/// <summary>
/// One pass over parameters, gradients and states: every number is read once and written once, whatever the optimiser. The gradient is
/// scaled on the way (clipping by norm) and, if wanted, set to zero behind (the next step starts from there). Denormal parameters become zero.
/// </summary>
internal readonly unsafe struct UpdateSweep<T, TRule> : IVectorFactory<T, bool>
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

    internal UpdateSweep(TRule rule, T gradientScale, bool clear, T* parameters, T* gradients, T* state0, T* state1, T* state2, nint count)
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

    /// <summary>Runs the sweep with the vectors of the width in use.</summary>
    internal void Run() => Simd.Create<T, UpdateSweep<T, TRule>, bool>(this);

    /// <summary>The same sweep over some of the elements.</summary>
    internal UpdateSweep<T, TRule> Part(nint start, nint end) => new(
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
    public bool Create<TVector>()
        where TVector : struct, IVector<TVector, T>
    {
        var whole = _count - (_count % TVector.Count);
        RunWhole<TVector>(0, whole);
        RunWhole<Vec1<T>>(whole, _count);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void RunWhole<TVector>(nint start, nint end)
        where TVector : struct, IVector<TVector, T>
    {
        var rule = _rule;
        var scale = TVector.Broadcast(_gradientScale);
        var clear = _clear;
        T* parameters = _parameters, gradients = _gradients, s0 = _state0, s1 = _state1, s2 = _state2;
        for (var i = start; i < end; i += TVector.Count)
        {
            var parameter = TVector.Load(parameters + i);
            var gradient = TVector.Load(gradients + i) * scale;
            var state0 = s0 != null ? TVector.Load(s0 + i) : TVector.Zero;
            var state1 = s1 != null ? TVector.Load(s1 + i) : TVector.Zero;
            var state2 = s2 != null ? TVector.Load(s2 + i) : TVector.Zero;
            UpdateMath<T>.Parameter(rule.Apply(parameter, gradient, ref state0, ref state1, ref state2)).Store(parameters + i);
            if (s0 != null)
            {
                state0.Store(s0 + i);
            }

            if (s1 != null)
            {
                state1.Store(s1 + i);
            }

            if (s2 != null)
            {
                state2.Store(s2 + i);
            }

            if (clear)
            {
                TVector.Zero.Store(gradients + i);
            }
        }
    }
}

/// <summary>A sweep over a large block, shared by several threads; kept by the optimiser so that a step allocates nothing.</summary>
internal sealed class UpdateWork<T, TRule> : WorkItem
    where T : unmanaged, IFloatingPointIeee754<T>
    where TRule : struct, IUpdateRule<T>
{
    /// <summary>Below so many elements a part is done before another thread has begun.</summary>
    internal const int ElementsPerPart = 1 << 18;

    private const int Alignment = 64;

    private UpdateSweep<T, TRule> _sweep;
    private int _count;
    private int _parts;

    internal void Run(in UpdateSweep<T, TRule> sweep, int count, int parts)
    {
        (_sweep, _count, _parts) = (sweep, count, parts);
        Workers.Run(this, parts);
    }

    /// <inheritdoc/>
    internal override void Execute(int part) => _sweep.Part(Border(part), Border(part + 1)).Run();

    private int Border(int part) => part == _parts ? _count : (int)((long)_count * part / _parts / Alignment * Alignment);
}
