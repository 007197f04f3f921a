using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>Options that all recurrent layers share.</summary>
public record RecurrentOptions
{
    /// <summary>The number of stacked layers.</summary>
    public int Layers { get; init; } = 1;

    /// <summary>The hidden size of each layer where they differ; overrides <see cref="Layers"/>. Null for the same size in all.</summary>
    public IReadOnlyList<int>? HiddenSizes { get; init; }

    /// <summary>Whether a second cell runs from the end of each row to its start.</summary>
    public bool Bidirectional { get; init; }

    /// <summary>Whether a one-directional layer runs from the end of each row to its start.</summary>
    public bool Reverse { get; init; }

    /// <summary>How the outputs of the two directions become one.</summary>
    public DirectionMerge Merge { get; init; } = DirectionMerge.Concatenate;

    /// <summary>Whether gates have biases.</summary>
    public bool Bias { get; init; } = true;

    /// <summary>The probability of dropping each value between two layers in training, from 0 to below 1.</summary>
    public double Dropout { get; init; }

    /// <summary>
    /// The probability of dropping each unit of the hidden state that the recurrent products read, with one mask for all steps of a
    /// sequence (variational dropout; Gal and Ghahramani 2016, arXiv:1512.05287), from 0 to below 1. Products that read a value made of the
    /// hidden state, as the candidate of a reset-before GRU does, have the same mask. In training only.
    /// </summary>
    public double RecurrentDropout { get; init; }

    /// <summary>
    /// The probability of keeping a unit's hidden state of the step before (zoneout; Krueger et al. 2017, arXiv:1606.01305), from 0 to below 1.
    /// In evaluation the state is the expectation, p·h₋ + (1−p)·h. Within the step everything reads the cell's own new states, as in the paper.
    /// </summary>
    public double HiddenZoneout { get; init; }

    /// <summary>The probability of keeping a unit's cell state of the step before (zoneout), from 0 to below 1.</summary>
    public double CellZoneout { get; init; }

    /// <summary>The probability of dropping each recurrent weight for a whole batch (weight-drop; Merity et al. 2018, arXiv:1708.02182), from 0 to below 1.</summary>
    public double WeightDrop { get; init; }

    /// <summary>
    /// Whether the input product and each recurrent product are layer-normalised, with gains of their own, before they are added, and the cell state
    /// of an LSTM before its tanh (Ba, Kiros and Hinton 2016, arXiv:1607.06450).
    /// </summary>
    public bool LayerNormalization { get; init; }

    /// <summary>
    /// The number of heads K, which divides the hidden size (and the projection's): each head's units are connected with one another alone, so the recurrent matrix of a gate
    /// is block-diagonal, K blocks of [H/K, H/K] (Beck et al. 2024, arXiv:2405.04517). One head is the plain layer; K heads have a K-th of its recurrent weights and products.
    /// </summary>
    public int Heads { get; init; } = 1;

    /// <summary>Whether each layer's input, as it is before dropout, is added to its output where both have the same size.</summary>
    public bool Residual { get; init; }

    /// <summary>Whether the initial states are parameters that training learns; zero at first.</summary>
    public bool LearnedInitialState { get; init; }

    /// <summary>How the weights start.</summary>
    public RecurrentInitialization Initialization { get; init; } = RecurrentInitialization.Orthogonal;

    /// <summary>The bias that the forget gates of an LSTM start with (gates whose <c>InitialBias</c> is 1), where the initialisation does not set it itself.</summary>
    public double ForgetBias { get; init; } = 1;

    /// <summary>The longest dependency that <see cref="RecurrentInitialization.Chrono"/> expects, in steps.</summary>
    public int ChronoSteps { get; init; } = 100;

    /// <summary>The seed of initialisation and dropout; null for the next one of the process (see <see cref="RandomSource.SetSeed"/>), so that two layers differ.</summary>
    public ulong? Seed { get; init; }

    /// <summary>A source that gives the seed, by one number, in place of <see cref="Seed"/>; null for none.</summary>
    public RandomSource? Random { get; init; }

    /// <summary>Whether steps draw masks in training.</summary>
    internal bool HasMasks => HiddenZoneout > 0 || CellZoneout > 0 || RecurrentDropout > 0;

    /// <summary>The probability of keeping a unit of a state of the step before.</summary>
    internal double Zoneout(int state) => state == 0 ? HiddenZoneout : CellZoneout;
}

/// <summary>How the outputs of the two directions of a bidirectional layer become one.</summary>
public enum DirectionMerge
{
    /// <summary>Side by side, forward first: [N, T, 2·size].</summary>
    Concatenate,

    /// <summary>Added: [N, T, size].</summary>
    Sum,

    /// <summary>Averaged: [N, T, size].</summary>
    Mean,

    /// <summary>As <see cref="Concatenate"/>, and each direction in a tensor of its own beside it.</summary>
    Separate,
}

/// <summary>How the weights of a recurrent layer start.</summary>
public enum RecurrentInitialization
{
    /// <summary>Input weights Glorot uniform, each gate's recurrent matrix orthogonal (Saxe et al. 2014, arXiv:1312.6120), biases zero but for forget gates.</summary>
    Orthogonal,

    /// <summary>All weights and biases uniform within ±1/√H, as PyTorch starts them; forget gates are not raised.</summary>
    Uniform,

    /// <summary>All weight matrices Glorot uniform, each gate by itself (Glorot and Bengio 2010), biases zero but for forget gates.</summary>
    Glorot,

    /// <summary>Recurrent matrices the identity, input weights normal with standard deviation 0.001, biases zero but for forget gates (IRNN; Le, Jaitly and Hinton 2015, arXiv:1504.00941).</summary>
    Identity,

    /// <summary>
    /// As <see cref="Orthogonal"/>, with forget biases log u, u uniform from 1 to <c>ChronoSteps</c> − 1, and input biases their negatives
    /// (Tallec and Ollivier 2018, arXiv:1804.11188); the update gate of a GRU likewise.
    /// </summary>
    Chrono,
}

/// <summary>Options of a plain recurrent network.</summary>
public record SimpleRnnOptions : RecurrentOptions
{
    /// <summary>φ: one of <see cref="Activation"/>, or one with numbers of its own (<see cref="ActivationFunction"/>).</summary>
    public ActivationFunction Activation { get; init; } = Rnn.Layers.Activation.Tanh;

    /// <summary>What the pre-activation is cut to before φ, ±ActivationClip; null for no limit.</summary>
    public double? ActivationClip { get; init; }

    /// <summary>The size that the hidden state is projected to, or 0 for none.</summary>
    public int ProjectionSize { get; init; }
}

/// <summary>Options of an independently recurrent network.</summary>
public record IndRnnOptions : RecurrentOptions
{
    /// <summary>φ: one of <see cref="Activation.Tanh"/> to <see cref="Activation.Identity"/>, with the numbers it has by itself.</summary>
    public Activation Activation { get; init; } = Activation.Relu;
}

/// <summary>Options of an LSTM.</summary>
public record LstmOptions : RecurrentOptions
{
    /// <summary>How the gates see the cell state.</summary>
    public Peepholes Peepholes { get; init; }

    /// <summary>Whether the input gate is one minus the forget gate.</summary>
    public bool CoupledGates { get; init; }

    /// <summary>
    /// Whether the forget gate is one minus the input gate, f = 1 − i, as with ONNX's <c>input_forget</c>; the other way about than <see cref="CoupledGates"/>, which is the same for a logistic
    /// gate of negated weights but not for any other.
    /// </summary>
    public bool ForgetFromInput { get; init; }

    /// <summary>The activation of the input, forget and output gate.</summary>
    /// <remarks>
    /// One of <see cref="Activation"/>, or one with numbers of its own (<see cref="ActivationFunction"/>). With this, <see cref="CandidateActivation"/>, <see cref="OutputActivation"/>,
    /// <see cref="ActivationClip"/> or <see cref="ForgetFromInput"/> other than they are by themselves the layer's <c>Layout.Name</c> ends with <c>-activations</c>, and a step is slower by some passes over its numbers.
    /// </remarks>
    public ActivationFunction GateActivation { get; init; } = Activation.Sigmoid;

    /// <summary>The activation of the cell candidate g.</summary>
    public ActivationFunction CandidateActivation { get; init; } = Activation.Tanh;

    /// <summary>The activation η of h = o⊙η(c).</summary>
    public ActivationFunction OutputActivation { get; init; } = Activation.Tanh;

    /// <summary>
    /// What the numbers that activations get are cut to, ±ActivationClip, as with ONNX's <c>clip</c>: the pre-activations of all gates, and c in h = o⊙η(c). The cell state that the next step
    /// reads is not cut. Null for no limit.
    /// </summary>
    public double? ActivationClip { get; init; }

    /// <summary>Whether there is a forget gate; without it the cell is the one of 1997.</summary>
    public bool ForgetGate { get; init; } = true;

    /// <summary>The size that the hidden state is projected to, or 0 for none (Sak, Senior and Beaufays 2014, arXiv:1402.1128).</summary>
    public int ProjectionSize { get; init; }
}

/// <summary>How the gates of an LSTM see its cell state.</summary>
public enum Peepholes
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>Each unit its own: p ⊙ c.</summary>
    Diagonal,

    /// <summary>All units through a matrix: P c.</summary>
    Full,
}

/// <summary>Options of an sLSTM.</summary>
public record SLstmOptions : RecurrentOptions
{
    /// <summary>True for a forget gate f = exp(f̃), false for f = σ(f̃); the paper allows both.</summary>
    public bool ExponentialForget { get; init; }
}

/// <summary>Options of a GRU.</summary>
public record GruOptions : RecurrentOptions
{
    /// <summary>Whether the reset gate acts after the recurrent product (as in PyTorch, cuDNN and Keras' default) or before it (as in the paper).</summary>
    public bool ResetAfter { get; init; } = true;

    /// <summary>True for h = (1−z)⊙n + z⊙h₋, as in PyTorch, Keras and ONNX; false for h = (1−z)⊙h₋ + z⊙n.</summary>
    public bool UpdateGateKeepsState { get; init; } = true;

    /// <summary>The activation of the reset and the update gate.</summary>
    /// <remarks>
    /// One of <see cref="Activation"/>, or one with numbers of its own (<see cref="ActivationFunction"/>). With this, <see cref="CandidateActivation"/> or <see cref="ActivationClip"/> other than
    /// they are by themselves the layer's <c>Layout.Name</c> ends with <c>-activations</c>, and a step is slower by some passes over its numbers.
    /// </remarks>
    public ActivationFunction GateActivation { get; init; } = Activation.Sigmoid;

    /// <summary>The activation of the candidate n.</summary>
    public ActivationFunction CandidateActivation { get; init; } = Activation.Tanh;

    /// <summary>What the pre-activations of gates and candidate are cut to, ±ActivationClip; null for no limit.</summary>
    public double? ActivationClip { get; init; }
}

