using System.Globalization;
using System.Numerics;
using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Sequences;

namespace Rnn.Training;

/// <summary>
/// Changes parameters by their gradients. Made without parameters and attached by <see cref="Attach(Module{T})"/> or by a
/// <c>Trainer</c>, or made for parameters at once. Options are read at every step and may change between steps.
/// </summary>
/// <remarks>
/// Attaching moves all parameters into one contiguous block and their gradients into another, so that clipping, updating and clearing
/// are one pass over memory each; the tensors stay the same objects, and their detached or reshaped aliases follow. Frozen parameters are moved too and left as they are; a parameter
/// shared by several modules is updated once. A parameter that a loss does not depend on has a gradient of zero, not none: weight decay
/// and momentum act on it.
/// </remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public abstract partial class Optimizer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int MaxStates = 3;

    private readonly AlignedArray<T>?[] _states = new AlignedArray<T>?[MaxStates];
    private ParameterBlock<T>? _block;
    private WorkItem? _work;

    private protected Optimizer(double learningRate, double weightDecay = 0)
    {
        LearningRate = learningRate;
        WeightDecay = weightDecay;
    }

    /// <summary>How far a step goes; a group may have its own.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    public double LearningRate
    {
        get;
        set => field = NotNegative(value, nameof(LearningRate));
    }

    /// <summary>
    /// The factor that a <see cref="Schedule"/> gives at the moment, 1 at first; every group's learning rate is multiplied by it.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    public double LearningRateFactor
    {
        get;
        set => field = NotNegative(value, nameof(LearningRateFactor));
    } = 1;

    /// <summary>λ, which pulls parameters towards zero; how is described at each optimiser. A group may have its own.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    public double WeightDecay
    {
        get;
        set => field = NotNegative(value, nameof(WeightDecay));
    }

    /// <summary>Whether the optimiser has its parameters.</summary>
    public bool IsAttached => _block is not null;

    /// <summary>The parameters with the options of their groups; empty before attaching.</summary>
    public IReadOnlyList<ParameterGroup<T>> Groups { get; private set; } = [];

    /// <summary>The block of the attached parameters.</summary>
    internal ParameterBlock<T> Block => _block ?? throw new InvalidOperationException(
        $"This {GetType().Name.Split('`')[0]} has no parameters yet; call Attach(model) first.");

    /// <summary>Whether the rule takes squares of gradients, whose range is half that of the element type.</summary>
    private protected virtual bool SquaresGradients => false;

    /// <summary>The names of the states that the options in force need, at most three; null keeps a place free.</summary>
    private protected abstract ReadOnlySpan<string?> StateNames { get; }

    /// <summary>Takes all parameters of a module.</summary>
    /// <param name="module">The module.</param>
    /// <exception cref="InvalidOperationException">The optimiser has its parameters already.</exception>
    public void Attach(Module<T> module) => Attach(new ParameterGroup<T>(module));

    /// <summary>Takes some parameters.</summary>
    /// <param name="parameters">The parameters; one that comes twice counts once.</param>
    /// <exception cref="InvalidOperationException">The optimiser has its parameters already.</exception>
    public void Attach(IEnumerable<Parameter<T>> parameters) => Attach(new ParameterGroup<T>(parameters));

    /// <summary>Takes the parameters of several groups.</summary>
    /// <param name="groups">The groups; no parameter may be in two.</param>
    /// <exception cref="ArgumentException">A parameter is in two groups.</exception>
    /// <exception cref="InvalidOperationException">The optimiser has its parameters already, or a trainer is at work on one with another optimiser.</exception>
    public void Attach(params ReadOnlySpan<ParameterGroup<T>> groups)
    {
        if (IsAttached)
        {
            throw new InvalidOperationException("Attach: this optimiser has its parameters already; make another for other parameters.");
        }

        var list = groups.ToArray();
        foreach (var (name, parameter) in list.SelectMany(group => group.NamedParameters))
        {
            if (RunRegister.IsInUse(parameter))
            {
                throw new InvalidOperationException($"Attach: the parameter '{name}' is being trained with another optimiser; wait for the end of that run.");
            }
        }

        _block = new(list);
        Groups = list;
    }

    /// <summary>Changes every parameter that is not frozen by its gradient.</summary>
    /// <remarks>
    /// Moments below 1e-30 (in double 1e-290) and denormal parameters become zero. An optimiser that squares gradients throws if a square would be infinite, since
    /// its running means would stay infinite, and changes nothing.
    /// </remarks>
    /// <exception cref="InvalidOperationException">Nothing is attached, another optimiser took a parameter away, or options contradict each other.</exception>
    /// <exception cref="NonFiniteGradientException">The optimiser squares gradients and one is NaN, infinite or above 1e17 (double: 1e145).</exception>
    public void Step() => Step(1, clearGradients: false);

    /// <summary>Sets all gradients to zero.</summary>
    public unsafe void ZeroGradients()
    {
        new Span<T>(Block.Gradients, Block.Length).Clear();
        Block.MarkGradientsWritten();
    }

    /// <summary>Updates with scaled gradients and sets them to zero behind, in the same pass over memory.</summary>
    /// <param name="gradientScale">What gradients are multiplied by.</param>
    /// <param name="clearGradients">Whether gradients are set to zero behind.</param>
    /// <param name="largest">What no absolute value of a gradient exceeds before scaling, where that is known: it spares a look at them.</param>
    internal void Step(double gradientScale, bool clearGradients, double largest = double.PositiveInfinity)
    {
        var block = Block;
        block.CheckOwned();
        CheckOptions();
        if (FindUnusable(gradientScale, largest) is { } found)
        {
            throw new NonFiniteGradientException(found);
        }

        AllocateStates();
        var slots = block.Slots;
        for (var first = 0; first < slots.Length;)
        {
            var last = first;
            var slot = slots[first];
            while (last + 1 < slots.Length && AreAlike(slot, slots[last + 1]))
            {
                last++;
            }

            if (!slot.Parameter.Frozen)
            {
                Update(new()
                {
                    Offset = slot.Offset,
                    Length = slots[last].End - slot.Offset,
                    Step = slot.Steps + 1,
                    LearningRate = (slot.Group.LearningRate ?? LearningRate) * LearningRateFactor,
                    WeightDecay = slot.Group.WeightDecay ?? WeightDecay,
                    GradientScale = gradientScale,
                    ClearGradients = clearGradients,
                });
                for (var i = first; i <= last; i++)
                {
                    slots[i].Steps++;
                    slots[i].Parameter.Value.Memory.MarkUpdated();
                }
            }

            first = last + 1;
        }

        if (clearGradients)
        {
            block.MarkGradientsWritten();
        }
    }

    /// <summary>Throws if options contradict each other.</summary>
    internal virtual void CheckOptions()
    {
    }

    /// <summary>A gradient that this optimiser cannot work with, scaled as told, or null.</summary>
    internal NonFiniteGradient? FindUnusable(double gradientScale, double largest = double.PositiveInfinity) =>
        SquaresGradients && !(largest * gradientScale <= UpdateMath<T>.LargestToSquare)
            ? GradientClipping.FindAbove(Block.NamedParameters, UpdateMath<T>.LargestToSquare / gradientScale)
            : null;

    /// <summary>Makes the rule of this step and runs it over a stretch of parameters.</summary>
    private protected abstract void Update(in UpdateRun run);

    /// <summary>The first content of a state, for a parameter's values; zeros unless overridden.</summary>
    private protected virtual T InitialState(string name) => T.Zero;

    /// <summary>Runs an update rule over one stretch of the block.</summary>
    private protected unsafe void Run<TRule>(TRule rule, in UpdateRun run)
        where TRule : struct, IUpdateRule<T>
    {
        var kernel = new UpdateKernel<T, TRule>(
            rule,
            T.CreateTruncating(run.GradientScale),
            run.ClearGradients,
            Block.Values + run.Offset,
            Block.Gradients + run.Offset,
            State(0, run.Offset),
            State(1, run.Offset),
            State(2, run.Offset),
            run.Length);
        var parts = Math.Min(run.Length / UpdateWork<T, TRule>.ElementsPerPart, Workers.MaxThreads);
        if (parts < 2)
        {
            kernel.Run();
            return;
        }

        var work = _work as UpdateWork<T, TRule> ?? new();
        _work = work;
        work.Run(kernel, run.Length, parts);
    }

    // Numbers are checked in the element type that they will have: there 1e300 may be infinite and 1 − 1e-9 may be 1.
    internal static double NotNegative(double value, string name) => value >= 0 && T.IsFinite(T.CreateTruncating(value))
        ? value
        : throw OptionRange.OutOfRange(name, value, "a finite number of zero or more");

    private protected static double Fraction(double value, string name) => value >= 0 && T.CreateTruncating(value) < T.One
        ? value
        : throw OptionRange.OutOfRange(name, value, "a number from 0 up to but not including 1");

    private protected static double Divisor(double value, string name) => value >= UpdateMath<T>.SmallestToSquare && T.IsFinite(T.CreateTruncating(value))
        ? value
        : throw OptionRange.OutOfRange(
            name, value, string.Create(CultureInfo.InvariantCulture, $"a finite number of {UpdateMath<T>.SmallestToSquare} or more, below which squares of gradients vanish,"));

    private static bool AreAlike(ParameterSlot<T> a, ParameterSlot<T> b) =>
        ReferenceEquals(a.Group, b.Group) && a.Parameter.Frozen == b.Parameter.Frozen && a.Steps == b.Steps;

    /// <summary>Throws if a parameter would get gradients which nobody uses or clears.</summary>
    internal void CheckHolds(Module<T> model)
    {
        Block.CheckOwned();
        var held = Block.Slots.Select(slot => slot.Parameter).ToHashSet();
        var parameters = model.NamedParameters;
        if (parameters.Count > 0 && !parameters.Any(pair => held.Contains(pair.Value)))
        {
            throw new InvalidOperationException(
                $"optimizer: it holds the parameters of another model, none of this {model.GetType().Name.Split('`')[0]}'s; attach it to this model.");
        }

        var missing = parameters.Where(pair => !pair.Value.Frozen && !held.Contains(pair.Value)).Select(pair => pair.Key).ToList();
        if (missing.Count > 0)
        {
            throw new InvalidOperationException(
                $"optimizer: it holds a part of the model only; {missing.Count} of its parameters would get gradients and never change: {string.Join(", ", missing.Take(5))}"
                + $"{(missing.Count > 5 ? ", …" : string.Empty)}. Attach the optimiser to the whole model, or set Frozen on the parameters that are to stay.");
        }
    }

    private unsafe T* State(int index, int offset) => index < StateNames.Length && StateNames[index] is not null ? _states[index]!.Pointer + offset : null;

    private void AllocateStates()
    {
        var names = StateNames;
        for (var i = 0; i < names.Length; i++)
        {
            if (names[i] is { } name)
            {
                _states[i] ??= NewState(name);
            }
        }
    }

    private AlignedArray<T> NewState(string name)
    {
        var state = new AlignedArray<T>(Block.Length);
        var initial = InitialState(name);
        if (initial != T.Zero)
        {
            state.Slice(0, state.Length).Fill(initial);
        }

        return state;
    }
}

/// <summary>A stretch of neighbouring parameters that one step treats alike.</summary>
internal struct UpdateRun
{
    /// <summary>The first element's offset in the block.</summary>
    internal int Offset;

    /// <summary>The elements, gaps included.</summary>
    internal int Length;

    /// <summary>The number of this update, from 1.</summary>
    internal long Step;

    /// <summary>The learning rate with the schedule's factor.</summary>
    internal double LearningRate;

    /// <summary>The weight decay.</summary>
    internal double WeightDecay;

    /// <summary>What gradients are multiplied by.</summary>
    internal double GradientScale;

    /// <summary>Whether gradients are set to zero behind.</summary>
    internal bool ClearGradients;
}
