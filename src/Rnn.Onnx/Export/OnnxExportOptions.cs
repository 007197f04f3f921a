namespace Rnn.Onnx;

/// <summary>How a model is written as ONNX.</summary>
public sealed record OnnxExportOptions
{
    /// <summary>The least version of the operator set that files are written for.</summary>
    public const int MinOpset = 14;

    /// <summary>The greatest version of the operator set that files are written for.</summary>
    public const int MaxOpset = 22;

    /// <summary>The version of the operator set, from <see cref="MinOpset"/> to <see cref="MaxOpset"/>. What reads the file must know it: ONNX Runtime does from 1.8 for 14, from 1.12 for 17.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The version is out of range.</exception>
    public int Opset
    {
        get;
        init => field = value is >= MinOpset and <= MaxOpset
            ? value
            : throw new ArgumentOutOfRangeException(nameof(Opset), value, $"Opset: expected {MinOpset} to {MaxOpset} but got {value}.");
    } = 17;

    /// <summary>
    /// The element type of weights, inputs and outputs, <see cref="OnnxElementType.Float"/> or <see cref="OnnxElementType.Double"/>; null for that of the model. ONNX Runtime has no recurrent operators for
    /// <see cref="OnnxElementType.Double"/>, so a model of <see cref="double"/> is best written as <see cref="OnnxElementType.Float"/>, with its weights rounded.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The type is another.</exception>
    public OnnxElementType? ElementType
    {
        get;
        init => field = value is null or OnnxElementType.Float or OnnxElementType.Double
            ? value
            : throw new ArgumentOutOfRangeException(nameof(ElementType), value, $"ElementType: expected Float or Double but got {value}.");
    }

    /// <summary>Whether there is a further input <c>lengths</c>, <see cref="OnnxElementType.Int32"/> [batch], with the number of valid steps of each row: for batches of sequences of several lengths.</summary>
    public bool Lengths { get; init; }

    /// <summary>
    /// Whether the states of a sequence layer are further inputs, to start from (<c>h_l0</c>, …), and outputs, after the last step (<c>h_l0_next</c>, …): for signals that come piece by piece. Without it sequences start from the
    /// model's own initial states.
    /// </summary>
    public bool States { get; init; }

    /// <summary>The number of rows of every batch; null, the default, for any number.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is not positive.</exception>
    public int? BatchSize
    {
        get;
        init => field = Positive(value, nameof(BatchSize));
    }

    /// <summary>The number of steps of every sequence; null, the default, for any number.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is not positive.</exception>
    public int? Steps
    {
        get;
        init => field = Positive(value, nameof(Steps));
    }

    /// <summary>
    /// The dimensions of the input of a layer that is no sequence layer, with −1 for any number: such as <c>[-1, 40]</c>. Null for what the layer tells: [batch, steps, size] where a sequence layer or a
    /// <c>LastStep</c> is in it, [batch, steps] where it begins with an <c>Embedding</c>, else [batch, size].
    /// </summary>
    public IReadOnlyList<int>? InputShape { get; init; }

    /// <summary>Other names of inputs and outputs: the name that the export would give, and the name to give. Null for none.</summary>
    public IReadOnlyDictionary<string, string>? Names { get; init; }

    /// <summary>The name of the graph in the file.</summary>
    public string GraphName { get; init; } = "model";

    /// <summary>What the file says it was made by.</summary>
    public string ProducerName { get; init; } = "Rnn";

    /// <summary>The version of the producer; null for that of this library.</summary>
    public string? ProducerVersion { get; init; }

    /// <summary>A text for people about the model; null for none.</summary>
    public string? Description { get; init; }

    /// <summary>Further entries of the file's metadata; null for none. A model adds what belongs to it, such as the names of its classes, where the key is free.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>Functions that write layers which do not write themselves; null for none.</summary>
    public OnnxWriters? Writers { get; init; }

    private static int? Positive(int? value, string name) =>
        value is null or > 0 ? value : throw new ArgumentOutOfRangeException(name, value, $"{name}: expected 1 or more, or null, but got {value}.");
}
