using System.Numerics;
using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Models;

/// <summary>
/// Gives each step of a sequence any number of labels (many to many, in step): the notes that sound next, the events in a recording. A sequence layer and an output layer with one score for each label, whose
/// sigmoid is the label's probability; given what was read, labels are independent of each other.
/// </summary>
/// <remarks>
/// Boulanger-Lewandowski, Bengio and Vincent 2012 (arXiv:1206.6392), Chung et al. 2014 (arXiv:1412.3555) for polyphonic music. Where inputs have the size of the labels, the model can predict each step from
/// those before (<see cref="Loss(FeatureBatch{T})"/>, <see cref="Score"/>, <see cref="Generate"/>); the first step is then predicted from an input of zeros.
/// </remarks>
/// <example>
/// <code>
/// var model = new MultiLabelSequenceModel&lt;float&gt;(new Lstm&lt;float&gt;(inputSize: 88, hiddenSize: 200), labels: 88, new() { Dropout = 0.3 });
/// var batches = FeatureBatch&lt;float&gt;.Bucket(pieces, batchSize: 16, new RandomSource(1));     // pieces [steps, 88] of zeros and ones
/// await new Trainer&lt;float&gt;(model, new Adam&lt;float&gt;()).FitAsync(batches, batch =&gt; model.Loss(batch), epochs: 100);
/// Tensor&lt;float&gt; piece = model.Generate(steps: 64);
/// </code>
/// </example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed partial class MultiLabelSequenceModel<T> : Module<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private static readonly BinaryCrossEntropyOptions SumOverLabels = new() { Reduction = LossReduction.SumOverFeaturesMeanOverSteps };

    private readonly Dropout<T>? _inputDropout;
    private readonly Dropout<T>? _dropout;

    /// <summary>A model with a new output layer.</summary>
    /// <param name="layer">The sequence layer; it must be causal to predict a step from those before, and may be bidirectional where labels belong to inputs of their own.</param>
    /// <param name="labels">The number of labels L.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">The number is not positive, or the options give both a seed and a source.</exception>
    public MultiLabelSequenceModel(SequenceLayer<T> layer, int labels, MultiLabelSequenceModelOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(layer);
        OptionRange.AtLeast(1, labels, nameof(labels));
        Options = options ??= new();
        var random = new RandomSource(RandomSource.ChooseSeed(options.Seed, options.Random));
        _inputDropout = options.InputDropout > 0 ? AddModule("input_dropout", new Dropout<T>(options.InputDropout, random.Split("input dropout"))) : null;
        SequenceLayer = AddModule("layer", layer);
        _dropout = options.Dropout > 0 ? AddModule("dropout", new Dropout<T>(options.Dropout, random.Split("output dropout"))) : null;
        Output = AddModule("output", new Linear<T>(layer.OutputSize, labels, new() { Random = random.Split("output") }));
    }

    /// <summary>The options the model was made with.</summary>
    public MultiLabelSequenceModelOptions Options { get; }

    /// <summary>The number of labels L.</summary>
    public int Labels => Output.OutputSize;

    /// <summary>The layer that reads the sequence.</summary>
    public SequenceLayer<T> SequenceLayer { get; }

    /// <summary>The layer that scores the labels.</summary>
    public Linear<T> Output { get; }

    /// <summary>The scores of the labels at each step.</summary>
    /// <param name="input">[N, T, I].</param>
    /// <param name="lengths">The valid steps of each row; empty for full length.</param>
    /// <returns>[N, T, L]: logits; past the end of a row anything.</returns>
    /// <exception cref="ArgumentException">A shape or a length does not fit.</exception>
    public Tensor<T> Forward(Tensor<T> input, ReadOnlySpan<int> lengths = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        var output = SequenceLayer.Forward(_inputDropout?.Forward(input) ?? input, lengths).Output;
        return Output.Forward(_dropout?.Forward(output) ?? output);
    }

    /// <summary>The scores of each step's labels, given the steps before it: <see cref="Forward(Tensor{T}, ReadOnlySpan{int})"/> of a step of zeros and all steps but the last.</summary>
    /// <param name="batch">The sequences, of L numbers a step.</param>
    /// <returns>[N, T, L]: logits; past the end of a row anything.</returns>
    /// <exception cref="ArgumentException">The batch has another number of labels.</exception>
    /// <exception cref="InvalidOperationException">The model cannot predict from the steps before: its inputs have another size than the labels, or the layer is not causal.</exception>
    public Tensor<T> ForwardNext(FeatureBatch<T> batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        CheckPredictsNext(nameof(ForwardNext));
        var input = batch.Input;
        if (input.Shape[^1] != Labels)
        {
            throw new ArgumentException($"batch: expected {Labels} numbers a step, one for each label, but got {input.Shape}.", nameof(batch));
        }

        var before = Tensor<T>.Zeros(input.Shape);
        var row = input.Shape[1] * Labels;
        using (var edit = before.Edit())
        {
            for (var i = 0; i < batch.Rows && row > 0; i++)
            {
                input.AsReadOnlySpan().Slice(i * row, row - Labels).CopyTo(edit.Span[((i * row) + Labels)..]);
            }
        }

        return Forward(before, batch.Lengths);
    }

    /// <summary>−log of the probability of the right labels: the sum over the labels of a step, the mean over the steps of all rows.</summary>
    /// <param name="input">[N, T, I].</param>
    /// <param name="targets">[N, T, L]: 1 for the labels of a step, else 0.</param>
    /// <param name="lengths">The valid steps of each row; empty for full length.</param>
    /// <exception cref="ArgumentException">A shape or a length does not fit, or a target is not from 0 to 1.</exception>
    public Tensor<T> Loss(Tensor<T> input, Tensor<T> targets, ReadOnlySpan<int> lengths = default) => Training.Loss.BinaryCrossEntropy(Forward(input, lengths), targets, lengths, SumOverLabels);

    /// <summary>−log of the probability of each step, given those before it: the sum over the labels of a step, the mean over the steps of all rows.</summary>
    /// <param name="batch">The sequences, of L numbers a step, zeros and ones.</param>
    /// <exception cref="ArgumentException">The batch has another number of labels, or a number is not from 0 to 1.</exception>
    /// <exception cref="InvalidOperationException">The model cannot predict from the steps before: its inputs have another size than the labels, or the layer is not causal.</exception>
    public Tensor<T> Loss(FeatureBatch<T> batch) => Training.Loss.BinaryCrossEntropy(ForwardNext(batch), batch.Input, batch.Lengths, SumOverLabels);

    /// <summary>The probabilities of the labels at each step, in evaluation mode and without a graph.</summary>
    /// <param name="input">[N, T, I].</param>
    /// <param name="lengths">The valid steps of each row; empty for full length.</param>
    /// <returns>[N, T, L]; past the end of a row anything.</returns>
    /// <exception cref="ArgumentException">A shape or a length does not fit.</exception>
    public Tensor<T> Predict(Tensor<T> input, ReadOnlySpan<int> lengths = default)
    {
        using var evaluation = Evaluation.Enter();
        using var noGradient = NoGradient.Enter();
        return Forward(input, lengths).Sigmoid();
    }

    /// <summary>How well each step is predicted from those before it, in evaluation mode and without a graph.</summary>
    /// <param name="batches">The sequences.</param>
    /// <param name="cancellationToken">Asks to stop.</param>
    /// <exception cref="ArgumentException">A batch has another number of labels.</exception>
    /// <exception cref="InvalidOperationException">The model cannot predict from the steps before: its inputs have another size than the labels, or the layer is not causal.</exception>
    public MultiLabelScore Score(IEnumerable<FeatureBatch<T>> batches, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batches);
        CheckPredictsNext(nameof(Score));
        var score = new MultiLabelScore();
        using var evaluation = Evaluation.Enter();
        using var noGradient = NoGradient.Enter();
        foreach (var batch in batches)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using (TensorScope.Enter())
            {
                score.Add(ForwardNext(batch), batch.Input, batch.Lengths);
            }
        }

        return score;
    }

    private void CheckPredictsNext(string member)
    {
        if (SequenceLayer.InputSize != Labels)
        {
            throw new InvalidOperationException(
                $"{member}: a step is predicted from those before it by a layer whose InputSize is the number of labels ({Labels}), but it is {SequenceLayer.InputSize}; give inputs and targets apart.");
        }

        if (!SequenceLayer.IsCausal)
        {
            throw new InvalidOperationException($"{member}: this layer is bidirectional or reversed and would see the step that it is to predict; use a layer that runs forward only.");
        }
    }
}
