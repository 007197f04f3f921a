using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>
/// A recurrent cell: arithmetic, not weights. A struct says in <see cref="Layout"/> what its step is made of and computes the
/// element-wise part of each phase, forward and backward, for one vector of hidden units. The sequence engine does everything else:
/// matrix products, weights, batches, ragged lengths, directions, threads.
/// </summary>
/// <remarks>
/// <para>In each step, for each phase p: the products of phase p are added to their gates' pre-activations, then
/// <see cref="Forward"/> runs over all units. In the backward pass the phases run in reverse: <see cref="Backward"/> replaces the saved gate
/// values by the gradients of the pre-activations, then the products carry those to the states.</para>
/// <para>Both methods must be marked <c>[MethodImpl(MethodImplOptions.AggressiveInlining)]</c>: a call in the loop costs four times the step.
/// Options of a family are type parameters of the struct, which the JIT folds away; <c>phase</c> is a constant to the JIT too.</para>
/// <para>Projection, layer normalisation of products, zoneout, dropout, ragged lengths and direction are the engine's: they work with every cell.
/// An inconsistent layout throws when a layer is created, and so does a cell that disagrees with its layout: its step is run once and checked.</para>
/// </remarks>
/// <example>
/// A cell of one's own, the leaky unit h = h₋ + 0.3·(tanh(W x + U h₋ + b) − h₋), and a bidirectional layer of it:
/// <code>
/// public readonly struct LeakyCell : ICell
/// {
///     public static CellLayout Layout { get; } = new()
///     {
///         Name = "leaky",
///         Gates = [new Gate("n", "candidate")],
///         States = [new CellState("h", "hidden state", carriesGradient: true)],
///         Products = [new RecurrentProduct("weight_hh", Operand.Previous(0), firstGate: 0, gateCount: 1)],
///     };
///
///     [MethodImpl(MethodImplOptions.AggressiveInlining)]
///     public static void Forward&lt;TStep, V, T&gt;(int phase, TStep step)
///         where TStep : struct, IForwardStep&lt;V, T&gt;
///         where V : struct, IVector&lt;V, T&gt;
///         where T : unmanaged, IFloatingPointIeee754&lt;T&gt;
///     {
///         var n = V.Tanh(step.Gate(0));
///         var previous = step.Previous(0);
///         step.SaveGate(0, n);
///         step.SetNext(0, V.MultiplyAdd(V.Constant(0.3), n - previous, previous));
///     }
///
///     [MethodImpl(MethodImplOptions.AggressiveInlining)]
///     public static void Backward&lt;TStep, V, T&gt;(int phase, TStep step)
///         where TStep : struct, IBackwardStep&lt;V, T&gt;
///         where V : struct, IVector&lt;V, T&gt;
///         where T : unmanaged, IFloatingPointIeee754&lt;T&gt;
///     {
///         var dh = step.Gradient(0);
///         var n = step.Gate(0);
///         step.SetGateGradient(0, dh * V.Constant(0.3) * (V.One - (n * n)));
///         step.SetGradient(0, dh * V.Constant(0.7));
///     }
/// }
///
/// var layer = RecurrentLayer&lt;float&gt;.Create&lt;LeakyCell&gt;(inputSize: 40, hiddenSize: 128, new() { Bidirectional = true });
/// </code>
/// </example>
[Experimental("RNN001")]
public interface ICell
{
    /// <summary>What a step of this cell is made of.</summary>
    static abstract CellLayout Layout { get; }

    /// <summary>The element-wise part of one phase: reads pre-activations and states, sets the next states.</summary>
    /// <param name="phase">The phase, from 0.</param>
    /// <param name="step">One vector of units of one row at one step.</param>
    static abstract void Forward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IForwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>;

    /// <summary>The backward pass of the element-wise part of one phase: sets the gradients of pre-activations and previous states.</summary>
    /// <param name="phase">The phase; the last one comes first.</param>
    /// <param name="step">One vector of units of one row at one step.</param>
    static abstract void Backward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IBackwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>;
}

/// <summary>What a cell reads and writes in the forward pass: one vector of units of one row at one step.</summary>
/// <typeparam name="V">The vector type.</typeparam>
/// <typeparam name="T">The element type.</typeparam>
[Experimental("RNN001")]
public interface IForwardStep<V, T>
    where V : struct, IVector<V, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>A gate's pre-activation W x + U h + b, or what <see cref="SetGate"/> has replaced it by in an earlier phase.</summary>
    V Gate(int gate);

    /// <summary>Replaces a gate's pre-activation, for a later phase and for the backward pass.</summary>
    void SetGate(int gate, V value);

    /// <summary>Saves a gate's value for the backward pass in place of its pre-activation; costs nothing in inference.</summary>
    void SaveGate(int gate, V value);

    /// <summary>Saves a further value for the backward pass; costs nothing in inference.</summary>
    void SaveValue(int index, V value);

    /// <summary>A state before this step.</summary>
    V Previous(int state);

    /// <summary>A state after this step, as an earlier phase has set it.</summary>
    V Next(int state);

    /// <summary>Sets a state after this step.</summary>
    void SetNext(int state, V value);

    /// <summary>An intermediate that an earlier phase, or a normalisation between phases, has set.</summary>
    V Intermediate(int index);

    /// <summary>Sets an intermediate, which products of a later phase multiply.</summary>
    void SetIntermediate(int index, V value);

    /// <summary>A per-unit weight, such as a peephole.</summary>
    V UnitWeight(int index);
}

/// <summary>What a cell reads and writes in the backward pass: one vector of units of one row at one step.</summary>
/// <typeparam name="V">The vector type.</typeparam>
/// <typeparam name="T">The element type.</typeparam>
[Experimental("RNN001")]
public interface IBackwardStep<V, T>
    where V : struct, IVector<V, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>A gate's value as the forward pass has saved it; in a phase after the one that has called <see cref="SetGateGradient"/>, that gradient.</summary>
    V Gate(int gate);

    /// <summary>Sets the gradient of a gate's pre-activation in the place of its value; read the value before.</summary>
    void SetGateGradient(int gate, V value);

    /// <summary>A further value that the forward pass has saved.</summary>
    V SavedValue(int index);

    /// <summary>A state before this step.</summary>
    V Previous(int state);

    /// <summary>A state after this step.</summary>
    V Next(int state);

    /// <summary>An intermediate of the step.</summary>
    V Intermediate(int index);

    /// <summary>The gradient of an intermediate, from the products of the phase after it.</summary>
    V IntermediateGradient(int index);

    /// <summary>Sets the gradient of an intermediate that a normalisation has set, in a phase after that.</summary>
    void SetIntermediateGradient(int index, V value);

    /// <summary>A per-unit weight, such as a peephole.</summary>
    V UnitWeight(int index);

    /// <summary>The gradient of a state after this step. For state 0 it includes the gradient of the step's output: read it once, in the last phase.</summary>
    V Gradient(int state);

    /// <summary>The gradient of a state without that of the output, as later phases left it: what they have set with <see cref="SetGradient"/> and their products have added. Add it to what you set.</summary>
    V CarriedGradient(int state);

    /// <summary>Sets the gradient of a state before this step, as far as it does not flow through a product.</summary>
    void SetGradient(int state, V value);
}
