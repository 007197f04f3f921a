using System.Globalization;
using System.Numerics;
using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Models;

/// <summary>
/// Predicts each sample of a wave from those before, and so writes waves: a causal sequence layer, such as <see cref="WaveNet{T}"/> or an LSTM, between what reads a sample (and the classes that the wave belongs to) and a
/// distribution over the levels of the next.
/// </summary>
/// <remarks>
/// Van den Oord et al. 2016, "WaveNet: A Generative Model for Raw Audio" (arXiv:1609.03499). A wave of µ-law levels without conditions is also a text of 256 tokens, for which
/// <see cref="LanguageModel{T}"/> does as well and carries its state over long waves; this model adds conditions, waves as numbers and mixtures. Waves begin behind silence.
/// </remarks>
/// <example>
/// <code>
/// string[] digits = ["0", "1", "2", …];
/// var model = new WaveformModel&lt;float&gt;(new WaveNet&lt;float&gt;(32 + 8, new() { LayersPerBlock = 9, ConditionSize = 8 }), new() { Conditions = [digits], ClassSize = 8 });
/// var batches = model.Batches(waves, model.Classes(labels), batchSize: 4, random);
/// await trainer.FitAsync(batches, batch =&gt; model.Loss(batch), epochs: 20);
/// float[] seven = model.Generate([], 8000, new() { Temperature = 0.9 }, "7");
/// </code>
/// </example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed partial class WaveformModel<T> : Module<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int LinearLevels = 1 << 16;
    private readonly Embedding<T>[] _classes;

    /// <summary>A model with new tables and output layer.</summary>
    /// <param name="layer">
    /// The sequence layer. Its <c>InputSize</c> is the size of what stands for a sample (any for µ-law, the size of the table's vectors; 1 for a mixture) and behind it
    /// <see cref="WaveformModelOptions.ClassSize"/> for each condition. It must be causal.
    /// </param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">The layer is not causal or its size does not fit, names are missing or come twice, or the options give both a seed and a source.</exception>
    public WaveformModel(SequenceLayer<T> layer, WaveformModelOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(layer);
        Options = options ??= new();
        if (!layer.IsCausal)
        {
            throw new ArgumentException("layer: a wave is predicted from what came before, but this layer is bidirectional or reversed and would see what is to come.", nameof(layer));
        }

        Conditions = CheckConditions(options.Conditions);
        ConditionSize = checked(Conditions.Count * options.ClassSize);
        var size = layer.InputSize - ConditionSize;
        if (options.Output == WaveformOutput.MuLaw ? size < 1 : size != 1)
        {
            throw new ArgumentException(
                $"layer: expected an InputSize of {(options.Output == WaveformOutput.MuLaw ? "more than" : "1 +")} {ConditionSize}, {Conditions.Count} conditions of ClassSize {options.ClassSize}, but it is {layer.InputSize}; "
                + "what stands for a sample comes first, the conditions behind it.", nameof(layer));
        }

        var random = new RandomSource(RandomSource.ChooseSeed(options.Seed, options.Random));
        Embedding = options.Output == WaveformOutput.MuLaw ? AddModule("embedding", new Embedding<T>(MuLaw.Levels, size, new() { Random = random.Split("embedding") })) : null;
        _classes = new Embedding<T>[Conditions.Count];
        for (var i = 0; i < _classes.Length; i++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"classes_{i}");
            _classes[i] = AddModule(name, new Embedding<T>(Conditions[i].Count, options.ClassSize, new() { Random = random.Split(name) }));
        }

        SequenceLayer = AddModule("layer", layer);
        Output = AddModule("output", new Linear<T>(layer.OutputSize, options.Output == WaveformOutput.MuLaw ? MuLaw.Levels : checked(3 * options.Components), new() { Random = random.Split("output") }));
        if (options.Output == WaveformOutput.LogisticMixture)
        {
            StartMixture(Output.Bias!.Value.AsSpan());
        }
    }

    /// <summary>The options the model was made with.</summary>
    public WaveformModelOptions Options { get; }

    /// <summary>The global conditions, for each the names of its classes.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Conditions { get; }

    /// <summary>The size of the vectors of all conditions together.</summary>
    public int ConditionSize { get; }

    /// <summary>The number of levels of a sample: 256 of µ-law, or 65536.</summary>
    public int Levels => Embedding is null ? LinearLevels : MuLaw.Levels;

    /// <summary>The table of the levels' vectors; null where samples are read as numbers.</summary>
    public Embedding<T>? Embedding { get; }

    /// <summary>The layer that reads samples.</summary>
    public SequenceLayer<T> SequenceLayer { get; }

    /// <summary>The layer that gives scores of levels, or the parameters of a mixture.</summary>
    public Linear<T> Output { get; }

    /// <summary>What <see cref="Batches"/> takes for the classes of waves.</summary>
    /// <param name="names">For each wave the name of its class in each condition.</param>
    /// <returns>[L, conditions]: the numbers of the classes.</returns>
    /// <exception cref="ArgumentException">There is no such class, or a wave has another number of them.</exception>
    public Tensor<T> Classes(params IReadOnlyList<IReadOnlyList<string>> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        var numbers = new T[names.Count * Conditions.Count];
        for (var row = 0; row < names.Count; row++)
        {
            if (names[row].Count != Conditions.Count)
            {
                throw new ArgumentException($"names: expected {Conditions.Count} classes, one for each condition of the model, but wave {row} has {names[row].Count}.", nameof(names));
            }

            for (var i = 0; i < Conditions.Count; i++)
            {
                var number = Array.IndexOf((string[])Conditions[i], names[row][i]);
                numbers[(row * Conditions.Count) + i] = number >= 0
                    ? T.CreateChecked(number)
                    : throw new ArgumentException($"names: condition {i} has no class '{names[row][i]}'; there are {string.Join(", ", Conditions[i])}.", nameof(names));
            }
        }

        return Tensor<T>.From(numbers, names.Count, Conditions.Count);
    }

    /// <summary>Batches of waves for training or scoring, of about equal length each.</summary>
    /// <param name="waves">The samples of each wave, from −1 to 1; beyond, the nearest of the two.</param>
    /// <param name="classes">[L, conditions], the numbers of the classes of each wave (see <see cref="Classes"/>); null without conditions.</param>
    /// <param name="batchSize">The most rows a batch may have.</param>
    /// <param name="random">Where the order comes from; null for shortest first, always the same.</param>
    /// <param name="steps">Longer waves are cut into pieces of at most so many samples, each of which begins as a wave does, behind silence; null to leave them whole.</param>
    /// <exception cref="ArgumentException">There are no waves, a sample is NaN, or the classes are not one row for each wave.</exception>
    public BatchSource<ConditionedBatch<T>> Batches(IReadOnlyList<float[]> waves, Tensor<T>? classes, int batchSize, RandomSource? random = null, int? steps = null)
    {
        ArgumentNullException.ThrowIfNull(waves);
        OptionRange.AtLeast(1, steps, nameof(steps));
        CheckClasses(classes, waves.Count);
        var (pieces, sources) = (new List<int[]>(), new List<int>());
        for (var i = 0; i < waves.Count; i++)
        {
            var levels = Array.ConvertAll(waves[i] ?? throw new ArgumentNullException(nameof(waves)), Encode);
            foreach (var piece in steps is { } most && levels.Length > most ? levels.Chunk(most) : new[] { levels })
            {
                pieces.Add(piece);
                sources.Add(i);
            }
        }

        var conditions = classes?.IndexSelect(0, [.. sources]) ?? Tensor<T>.Zeros(pieces.Count, 0);

        // Silence comes before a wave; behind its last sample nothing is to be predicted.
        return ConditionedBatch<T>.Bucket(conditions, pieces, batchSize, Encode(0), ConditionedBatch<T>.Ignored, random);
    }

    /// <summary>The scores of levels or the parameters of mixtures, for every sample of a batch from those before.</summary>
    /// <param name="batch">Waves of <see cref="Batches"/>.</param>
    /// <returns>[N, U, 256], or [N, U, 3·components]; past the end of a wave anything.</returns>
    /// <exception cref="ArgumentException">The batch is not of this model's levels or conditions.</exception>
    public Tensor<T> Forward(ConditionedBatch<T> batch) => Output.Forward(Run(batch));

    /// <summary>The negative log-likelihood of the samples of a batch in nats, the mean over all samples.</summary>
    /// <param name="batch">Waves of <see cref="Batches"/>.</param>
    /// <exception cref="ArgumentException">The batch is not of this model's levels or conditions.</exception>
    public Tensor<T> Loss(ConditionedBatch<T> batch)
    {
        var hidden = Run(batch);
        return Embedding is null ? LogisticMixture.Loss(Output.Forward(hidden), batch.Targets, LinearLevels) : Training.Loss.LinearCrossEntropy(hidden, Output, batch.Targets);
    }

    /// <summary>How well the model predicts waves, in evaluation mode and without a graph. Any number of threads may score with one model.</summary>
    /// <param name="batches">Waves of <see cref="Batches"/>.</param>
    /// <param name="cancellationToken">Ends the scoring.</param>
    public WaveformScore Score(IEnumerable<ConditionedBatch<T>> batches, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batches);
        using var evaluation = Evaluation.Enter();
        using var noGradient = NoGradient.Enter();
        var (sum, samples) = (0.0, 0L);
        foreach (var batch in batches)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = batch.Targets.Length - batch.Targets.Count(ConditionedBatch<T>.Ignored);
            if (count > 0)
            {
                using var scope = TensorScope.Enter();
                sum += double.CreateTruncating(Loss(batch).Item()) * count;
                samples += count;
            }
        }

        return new(sum, samples);
    }

    /// <summary>The level of a sample.</summary>
    internal int Encode(float sample) => Embedding is not null
        ? MuLaw.Encode(sample)
        : !float.IsNaN(sample) ? (int)Math.Round((Math.Clamp((double)sample, -1, 1) + 1) / 2 * (LinearLevels - 1)) : throw new ArgumentException("sample: expected a number from -1 to 1 but got NaN.", nameof(sample));

    /// <summary>The sample of a level.</summary>
    internal double Decode(int level) => Embedding is not null ? MuLaw.Decode(level) : (2.0 * level / (LinearLevels - 1)) - 1;

    /// <summary>The vectors of classes [N, conditions], one behind the other, [N, <see cref="ConditionSize"/>].</summary>
    internal Tensor<T> Encode(Tensor<T> classes)
    {
        CheckClasses(classes, classes.Shape[0]);
        return Tensor<T>.Concat([.. _classes.Select((table, i) => table.Forward(classes.Select(1, i)))], -1);
    }

    // What the output layer reads, [N, U, O].
    private Tensor<T> Run(ConditionedBatch<T> batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var input = Embedding is null ? Samples(batch) : Embedding.Forward(batch.Inputs, [batch.Rows, batch.Steps]);
        if (ConditionSize > 0)
        {
            input = Tensor<T>.Concat([input, Encode(batch.Conditions).Unsqueeze(1).BroadcastTo(batch.Rows, batch.Steps, ConditionSize)], -1);
        }

        return SequenceLayer.Forward(input, batch.Lengths).Output;
    }

    private Tensor<T> Samples(ConditionedBatch<T> batch)
    {
        var values = new T[batch.Inputs.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = T.CreateTruncating(Decode(batch.Inputs[i]));
        }

        return Tensor<T>.From(values, batch.Rows, batch.Steps, 1);
    }

    private void CheckClasses(Tensor<T>? classes, int rows)
    {
        if (classes is null ? Conditions.Count > 0 : classes.Rank != 2 || classes.Shape[0] != rows || classes.Shape[1] != Conditions.Count)
        {
            throw new ArgumentException(
                $"classes: expected [{rows}, {Conditions.Count}], for each wave its class in each of the model's conditions, but got {classes?.Shape.ToString() ?? "none"}; Classes makes it of names.", nameof(classes));
        }
    }

    // Components side by side over the middle of the range, where most samples are, and a few hundredths wide.
    private static void StartMixture(Span<T> bias)
    {
        var components = bias.Length / 3;
        for (var m = 0; m < components; m++)
        {
            bias[components + m] = T.CreateTruncating(components == 1 ? 0 : ((m / (components - 1.0)) - 0.5) / 2);
            bias[(2 * components) + m] = T.CreateTruncating(-3);
        }
    }

    private static string[][] CheckConditions(IReadOnlyList<IReadOnlyList<string>> conditions)
    {
        ArgumentNullException.ThrowIfNull(conditions);
        foreach (var names in conditions)
        {
            if (names is null || names.Count == 0 || names.Any(name => name is null || name.Contains('\n', StringComparison.Ordinal)) || names.Distinct(StringComparer.Ordinal).Count() != names.Count)
            {
                throw new ArgumentException("Conditions: expected for each condition the names of one class or more, which differ and are of one line each.", nameof(conditions));
            }
        }

        return [.. conditions.Select(names => names.ToArray())];
    }
}
