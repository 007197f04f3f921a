namespace Rnn.Onnx.Import;

/// <summary>The kinds of recurrent operators.</summary>
internal enum RecurrentKind
{
    /// <summary>RNN: one gate.</summary>
    Plain,

    /// <summary>GRU: z, r, h.</summary>
    Gru,

    /// <summary>LSTM: i, o, f, c.</summary>
    Lstm,
}

/// <summary>What the attributes of an RNN, GRU or LSTM node say.</summary>
internal sealed class RecurrentSettings
{
    internal RecurrentSettings(string name, NodeAttributes attributes)
    {
        Kind = name switch
        {
            "RNN" => RecurrentKind.Plain,
            "GRU" => RecurrentKind.Gru,
            _ => RecurrentKind.Lstm,
        };
        var direction = attributes.String("direction") ?? "forward";
        Reverses = direction switch
        {
            "forward" => [false],
            "reverse" => [true],
            "bidirectional" => [false, true],
            _ => throw new InvalidDataException($"the direction '{direction}' is none of forward, reverse and bidirectional"),
        };
        var layout = attributes.Int("layout", 0);
        IsBatchFirst = layout is 0 or 1 ? layout == 1 : throw new InvalidDataException($"the layout {layout} is neither 0 nor 1");
        string[] defaults = Kind switch
        {
            RecurrentKind.Plain => ["Tanh"],
            RecurrentKind.Gru => ["Sigmoid", "Tanh"],
            _ => ["Sigmoid", "Tanh", "Tanh"],
        };
        Activations = RecurrentActivation.Read(attributes, defaults, Reverses.Length);
        if (attributes.Has("clip"))
        {
            Clip = attributes.Float("clip", 0);
            if (!(Clip > 0))
            {
                throw new InvalidDataException($"a clip of {Clip}; expected a positive number");
            }
        }

        CouplesGates = Kind == RecurrentKind.Lstm && attributes.Flag("input_forget");
        ResetsAfter = Kind == RecurrentKind.Gru && attributes.Flag("linear_before_reset");
        HiddenSize = attributes.Has("hidden_size") ? attributes.Int("hidden_size", 0) : null;
        if (attributes.Flag("output_sequence") && Kind != RecurrentKind.Lstm)
        {
            throw new InvalidDataException("the attribute output_sequence belongs to versions before 7");
        }
    }

    internal RecurrentKind Kind { get; }

    /// <summary>For each direction whether it runs back in time.</summary>
    internal bool[] Reverses { get; }

    internal int Directions => Reverses.Length;

    /// <summary>Whether tensors are batch-first (layout 1).</summary>
    internal bool IsBatchFirst { get; }

    /// <summary>f (g, h) of each direction.</summary>
    internal RecurrentActivation[][] Activations { get; }

    /// <summary>The limit of what goes into activations, or null.</summary>
    internal double? Clip { get; }

    /// <summary>Whether f = 1 − i.</summary>
    internal bool CouplesGates { get; }

    /// <summary>Whether the reset gate acts behind the recurrent product (linear_before_reset).</summary>
    internal bool ResetsAfter { get; }

    /// <summary>The hidden size that the node states, or null.</summary>
    internal long? HiddenSize { get; }

    internal int Gates => Kind switch
    {
        RecurrentKind.Plain => 1,
        RecurrentKind.Gru => 3,
        _ => 4,
    };

    internal bool HasCellState => Kind == RecurrentKind.Lstm;
}
