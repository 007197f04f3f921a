using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>
/// Gated recurrent unit, reset after the product: r, z = σ(·), n = tanh(W x + b + r⊙(U h₋ + b′)), h = (1−z)⊙n + z⊙h₋.
/// </summary>
/// <remarks>
/// Cho et al. 2014 (arXiv:1406.1078) in the form that cuDNN and PyTorch use. <typeparamref name="TUpdate"/>: <see cref="UpdateGateKeepsState"/> as
/// above, or <see cref="UpdateGateReplacesState"/>, where h = (1−z)⊙h₋ + z⊙n. With layer normalisation (Ba, Kiros and Hinton 2016, arXiv:1607.06450)
/// r, z = σ(LN(W x; γ₁) + LN(U h₋; γ₂) + b), each LN over both gates together, n = tanh(LN(W x; γ₃) + b + r⊙(LN(U h₋; γ₄) + b′)).
/// </remarks>
/// <typeparam name="TUpdate">What the update gate means.</typeparam>
internal readonly struct GruCell<TUpdate> : ICell
    where TUpdate : struct, IUpdateGate
{
    private const int R = 0;
    private const int Z = 1;
    private const int N = 2;
    private const int M = 3;

    /// <inheritdoc/>
    public static CellLayout Layout { get; } = new()
    {
        Name = $"gru{TUpdate.Suffix}",
        Gates = new Gate[]
        {
            new("r", "reset gate"),
            new("z", "update gate", role: TUpdate.KeepsState ? GateRole.Forget : GateRole.Input),
            new("n", "candidate"),
            new("m", "recurrent part of the candidate", fromInput: false),
        },
        States = new CellState[] { new("h", "hidden state", carriesGradient: true) },
        Products = new RecurrentProduct[] { new("weight_hh", Operand.Previous(0), R, 2), new("weight_hh", Operand.Previous(0), M, 1) },
    };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Forward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IForwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var r = V.Sigmoid(step.Gate(R));
        var z = V.Sigmoid(step.Gate(Z));
        var n = V.Tanh(V.MultiplyAdd(r, step.Gate(M), step.Gate(N)));
        var hPrev = step.Previous(0);
        step.SaveGate(R, r);
        step.SaveGate(Z, z);
        step.SaveGate(N, n);
        step.SetNext(0, TUpdate.KeepsState ? V.MultiplyAdd(z, hPrev - n, n) : V.MultiplyAdd(z, n - hPrev, hPrev));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Backward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IBackwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var dh = step.Gradient(0);
        var r = step.Gate(R);
        var z = step.Gate(Z);
        var n = step.Gate(N);
        var m = step.Gate(M);
        var hPrev = step.Previous(0);
        var previousWeight = TUpdate.KeepsState ? z : V.One - z;
        var dn = dh * (V.One - previousWeight) * (V.One - (n * n));
        var dz = dh * (TUpdate.KeepsState ? hPrev - n : n - hPrev) * (z * (V.One - z));
        step.SetGateGradient(N, dn);
        step.SetGateGradient(M, dn * r);
        step.SetGateGradient(R, dn * m * (r * (V.One - r)));
        step.SetGateGradient(Z, dz);
        step.SetGradient(0, dh * previousWeight);
    }
}

/// <summary>What the update gate of a GRU means; a type parameter of the GRU cells.</summary>
internal interface IUpdateGate
{
    /// <summary>True where z keeps the old state, false where z lets the new one in.</summary>
    static abstract bool KeepsState { get; }

    /// <summary>What the option adds to the cell's name.</summary>
    static abstract string Suffix { get; }
}

/// <summary>h = (1−z)⊙n + z⊙h₋, as in PyTorch, Keras, ONNX and cuDNN.</summary>
internal readonly struct UpdateGateKeepsState : IUpdateGate
{
    /// <inheritdoc/>
    public static bool KeepsState => true;

    /// <inheritdoc/>
    public static string Suffix => string.Empty;
}

/// <summary>h = (1−z)⊙h₋ + z⊙n, as in Chung et al. 2014.</summary>
internal readonly struct UpdateGateReplacesState : IUpdateGate
{
    /// <inheritdoc/>
    public static bool KeepsState => false;

    /// <inheritdoc/>
    public static string Suffix => "-replacing";
}
