using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using Rnn.Kernels;
using Rnn.Layers;

namespace Rnn.Models;

/// <summary>
/// A classifier that reads one sequence step by step, such as a sound from a microphone, and says after each step what it thinks of the steps so far: without a graph, and with recurrent layers without
/// allocating anything. Made by <see cref="SequenceClassifier{T}.CreateStream"/>; not for several threads at once, but any number of streams may share a model.
/// </summary>
/// <remarks>
/// The probabilities are those that <c>Classify</c> gives for the steps since the last <see cref="Reset"/>. Where a sequence does not end, <see cref="PoolingKind.Last"/> forgets what the layer forgets; a mean, a
/// maximum or attention runs over all steps since then.
/// </remarks>
/// <example><code>
/// var stream = model.CreateStream();
/// foreach (var frame in microphone)
/// {
///     var probabilities = stream.Step(frame);   // of model.Classes
/// }
/// </code></example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
[SuppressMessage("Naming", "CA1711", Justification = "A stream of steps, the field's word, not a stream of bytes.")]
public sealed class SequenceClassifierStream<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly SequenceClassifier<T> _model;
    private readonly SequenceStepper<T> _stepper;
    private readonly PoolingStepper<T> _pooling;
    private readonly T[] _output;
    private readonly T[] _probabilities;

    internal SequenceClassifierStream(SequenceClassifier<T> model)
    {
        _model = model;
        _stepper = model.SequenceLayer.CreateStepper();
        _pooling = new(model.Pooling);
        _output = new T[_stepper.OutputSize];
        _probabilities = new T[model.Classes.Count];
    }

    /// <summary>Reads a feature vector.</summary>
    /// <param name="features">As many numbers as the model's sequence layer reads.</param>
    /// <returns>The probability of each class, [C]; they change with the next step.</returns>
    /// <exception cref="ArgumentException">The number of features is another.</exception>
    /// <exception cref="InvalidOperationException">The classifier reads tokens.</exception>
    public ReadOnlySpan<T> Step(ReadOnlySpan<T> features) => _model.Embedding is null
        ? Read(features)
        : throw new InvalidOperationException("Step: this classifier reads tokens; give it a token.");

    /// <summary>Reads a token.</summary>
    /// <param name="token">From 0 to V − 1.</param>
    /// <returns>The probability of each class, [C]; they change with the next step.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such token.</exception>
    /// <exception cref="InvalidOperationException">The classifier reads feature vectors.</exception>
    public ReadOnlySpan<T> Step(int token)
    {
        var embedding = _model.Embedding ?? throw new InvalidOperationException("Step: this classifier reads feature vectors; give it one.");
        return (uint)token < (uint)embedding.Count
            ? Read(embedding.Weight.Value.AsReadOnlySpan().Slice(token * embedding.Size, embedding.Size))
            : throw new ArgumentOutOfRangeException(nameof(token), token, $"token: expected a token from 0 to {embedding.Count - 1} but got {token}.");
    }

    /// <summary>Starts a new sequence.</summary>
    public void Reset()
    {
        _stepper.Reset();
        _pooling.Reset();
    }

    /// <summary>The state after the last step, of one row: a value of its own, which can be saved and set in any stream of the model.</summary>
    public SequenceState<T> GetState() => StreamState<T>.Join(_stepper.GetState(), ("pooling", _pooling.Save()));

    /// <summary>Goes on from a state that <see cref="GetState"/> gave.</summary>
    /// <param name="state">A state of a stream of this model, or of one like it.</param>
    /// <exception cref="ArgumentException">The state does not fit.</exception>
    public void SetState(SequenceState<T> state)
    {
        var pooling = _pooling.Save();
        StreamState<T>.Split(state, _stepper, ("pooling", pooling));
        _pooling.Restore(pooling);
    }

    private unsafe ReadOnlySpan<T> Read(ReadOnlySpan<T> input)
    {
        _stepper.Step(input, _output);
        _model.Output.StepRows(1, _pooling.Step(_output), _probabilities);
        fixed (T* scores = _probabilities)
        {
            RowKernels<T>.Current.Softmax(new(scores, _probabilities.Length), new(scores, _probabilities.Length), 1, _probabilities.Length);
        }

        return _probabilities;
    }
}
