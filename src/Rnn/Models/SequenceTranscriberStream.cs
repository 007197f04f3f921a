using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Numerics.Tensors;
using Rnn.Kernels;
using Rnn.Layers;

namespace Rnn.Models;

/// <summary>
/// A transcriber that reads one sequence step by step, such as speech from a microphone, and says a label as soon as it has read it: without a graph, and with recurrent layers without allocating anything. Made by
/// <see cref="SequenceTranscriber{T}.CreateStream"/>; not for several threads at once, but any number of streams may share a model.
/// </summary>
/// <remarks>
/// The labels are those of the best path, as <c>Transcribe</c> with a width of 1 finds them: the likeliest class at each step, repeats once, without blanks. With <see cref="SequenceTranscriberOptions.FrameStacking"/> k
/// the layer reads every k-th step, k steps at once; <see cref="Finish"/> reads those that are left at the end.
/// </remarks>
/// <example><code>
/// var stream = model.CreateStream();
/// foreach (var frame in microphone)
/// {
///     if (stream.Step(frame) is { } label)
///     {
///         Console.Write(model.Vocabulary.TokenText(label));
///     }
/// }
/// </code></example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
[SuppressMessage("Naming", "CA1711", Justification = "A stream of steps, the field's word, not a stream of bytes.")]
public sealed class SequenceTranscriberStream<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly SequenceTranscriber<T> _model;
    private readonly SequenceStepper<T> _stepper;
    private readonly T[] _input;
    private readonly T[] _output;
    private readonly T[] _probabilities;
    private int _filled;
    private int _last;

    internal SequenceTranscriberStream(SequenceTranscriber<T> model)
    {
        _model = model;
        _stepper = model.SequenceLayer.CreateStepper();
        _input = new T[_stepper.InputSize];
        _output = new T[_stepper.OutputSize];
        _probabilities = new T[model.Blank + 1];
        _last = model.Blank;
    }

    /// <summary>The probability of each label and, last, of the blank [V + 1], when the layer last read something; zeros before that. They change with the next step.</summary>
    public ReadOnlySpan<T> Probabilities => _probabilities;

    /// <summary>Reads a feature vector.</summary>
    /// <param name="features">As many numbers as the model's <c>FeatureSize</c>.</param>
    /// <returns>The label that has been read with it; null for none.</returns>
    /// <exception cref="ArgumentException">The number of features is another.</exception>
    /// <exception cref="InvalidOperationException">The transcriber reads texts.</exception>
    public int? Step(ReadOnlySpan<T> features)
    {
        if (_model.Embedding is not null)
        {
            throw new InvalidOperationException("Step: this transcriber reads texts; give it a token.");
        }

        return features.Length == _model.FeatureSize
            ? Read(features)
            : throw new ArgumentException($"features: expected {_model.FeatureSize} numbers, the model's FeatureSize, but got {features.Length}.", nameof(features));
    }

    /// <summary>Reads a token.</summary>
    /// <param name="token">A token of the source vocabulary.</param>
    /// <returns>The label that has been read with it; null for none.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such token.</exception>
    /// <exception cref="InvalidOperationException">The transcriber reads feature vectors.</exception>
    public int? Step(int token)
    {
        var embedding = _model.Embedding ?? throw new InvalidOperationException("Step: this transcriber reads feature vectors; give it one.");
        return (uint)token < (uint)embedding.Count
            ? Read(embedding.Weight.Value.AsReadOnlySpan().Slice(token * embedding.Size, embedding.Size))
            : throw new ArgumentOutOfRangeException(nameof(token), token, $"token: expected a token from 0 to {embedding.Count - 1} but got {token}.");
    }

    /// <summary>Ends the sequence: the layer reads the steps that it has not read yet, with zeros for those that lack.</summary>
    /// <returns>The label that has been read with them; null for none, as always where steps are not stacked.</returns>
    public int? Finish()
    {
        if (_filled == 0)
        {
            return null;
        }

        _input.AsSpan(_filled).Clear();
        return ReadStacked();
    }

    /// <summary>Starts a new sequence.</summary>
    public void Reset()
    {
        _stepper.Reset();
        _probabilities.AsSpan().Clear();
        (_filled, _last) = (0, _model.Blank);
    }

    /// <summary>The state after the last step, of one row: a value of its own, which can be saved and set in any stream of the model.</summary>
    public SequenceState<T> GetState() => StreamState<T>.Join(_stepper.GetState(), ("input", (T[])_input.Clone()), ("counts", [T.CreateTruncating(_filled), T.CreateTruncating(_last)]));

    /// <summary>Goes on from a state that <see cref="GetState"/> gave.</summary>
    /// <param name="state">A state of a stream of this model, or of one like it.</param>
    /// <exception cref="ArgumentException">The state does not fit.</exception>
    public void SetState(SequenceState<T> state)
    {
        var (input, counts) = (new T[_input.Length], new T[2]);
        StreamState<T>.Split(state, _stepper, ("input", input), ("counts", counts));
        input.CopyTo(_input, 0);
        _probabilities.AsSpan().Clear();
        (_filled, _last) = (Math.Clamp(int.CreateSaturating(counts[0]), 0, _input.Length - 1), Math.Clamp(int.CreateSaturating(counts[1]), 0, _model.Blank));
    }

    private int? Read(ReadOnlySpan<T> input)
    {
        input.CopyTo(_input.AsSpan(_filled));
        _filled += input.Length;
        return _filled < _input.Length ? null : ReadStacked();
    }

    private unsafe int? ReadStacked()
    {
        _filled = 0;
        _stepper.Step(_input, _output);
        _model.Output.StepRows(1, _output, _probabilities);
        var label = TensorPrimitives.IndexOfMax<T>(_probabilities);
        fixed (T* scores = _probabilities)
        {
            RowKernels<T>.Current.Softmax(new(scores, _probabilities.Length), new(scores, _probabilities.Length), 1, _probabilities.Length);
        }

        var isNew = label != _last && label != _model.Blank;
        _last = label;
        return isNew ? label : null;
    }
}
