using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Models;

/// <summary>
/// A wave that is read or written sample by sample, without a graph and, with a layer that steps so, without allocating anything. Made by <see cref="WaveformModel{T}.CreateStream"/>; not for several threads at once, but
/// any number of streams may share a model.
/// </summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
[SuppressMessage("Naming", "CA1711", Justification = "A stream of samples, the field's word, not a stream of bytes.")]
public sealed class WaveformStream<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly WaveformModel<T> _model;
    private readonly SequenceStepper<T> _stepper;
    private readonly Sampler? _sampler;
    private readonly RandomSource? _random;
    private readonly double _temperature;
    private readonly T[] _input;
    private readonly T[] _hidden;
    private readonly T[] _parameters;
    private int _last;

    internal WaveformStream(WaveformModel<T> model, SamplingOptions options, T[] condition)
    {
        (_model, _stepper, _temperature) = (model, model.SequenceLayer.CreateStepper(), options.Temperature);
        (_input, _hidden, _parameters) = (new T[_stepper.InputSize], new T[_stepper.OutputSize], new T[model.Output.OutputSize]);
        condition.CopyTo(_input.AsSpan(_input.Length - condition.Length));
        _last = model.Encode(0);
        if (model.Embedding is null)
        {
            _random = new(RandomSource.ChooseSeed(options.Seed, options.Random));
        }
        else
        {
            _sampler = new(options);
        }
    }

    /// <summary>Draws the next sample, from −1 to 1, and goes on from it.</summary>
    /// <exception cref="ArgumentException">The model gives numbers that are not finite.</exception>
    public float Next()
    {
        Step();
        _model.Output.StepRows(1, _hidden, _parameters);
        _last = _sampler?.Sample<T>(_parameters) ?? LogisticMixture.Sample<T>(_parameters, _model.Levels, _random!, _temperature);
        return (float)_model.Decode(_last);
    }

    /// <summary>Reads the next sample of a wave that is given.</summary>
    /// <param name="sample">From −1 to 1; beyond, the nearest of the two.</param>
    /// <exception cref="ArgumentException">The sample is NaN.</exception>
    public void Read(float sample)
    {
        var level = _model.Encode(sample);
        Step();
        _last = level;
    }

    /// <summary>The logarithm of the probability that the model gives to a sample as the next one, in nats; then goes on from it.</summary>
    /// <param name="sample">From −1 to 1; beyond, the nearest of the two.</param>
    /// <returns>That of the sample's level.</returns>
    /// <exception cref="ArgumentException">The sample is NaN.</exception>
    public double Score(float sample)
    {
        Read(sample);
        _model.Output.StepRows(1, _hidden, _parameters);
        return _model.Embedding is null
            ? LogisticMixture.LogProbability<T>(_parameters, _last, _model.Levels)
            : double.CreateTruncating(_parameters[_last]) - LogisticComponents<T>.LogSumExp(_parameters);
    }

    /// <summary>Begins another wave, behind silence; random numbers go on.</summary>
    public void Reset()
    {
        _stepper.Reset();
        _last = _model.Encode(0);
    }

    /// <summary>The state after the last step, of one row: a value of its own, which can be saved and set in any stream of the model. Random numbers are not part of it.</summary>
    public SequenceState<T> GetState() => StreamState<T>.Join(_stepper.GetState(), ("last", [T.CreateTruncating(_last)]));

    /// <summary>Goes on from a state that <see cref="GetState"/> gave.</summary>
    /// <param name="state">A state of a stream of this model, or of one like it.</param>
    /// <exception cref="ArgumentException">The state does not fit.</exception>
    public void SetState(SequenceState<T> state)
    {
        T[] last = [T.Zero];
        StreamState<T>.Split(state, _stepper, ("last", last));
        _last = Math.Clamp(int.CreateSaturating(last[0]), 0, _model.Levels - 1);
    }

    // The layer reads the last sample.
    private void Step()
    {
        if (_model.Embedding is { } table)
        {
            table.Weight.Value.AsReadOnlySpan().Slice(_last * table.Size, table.Size).CopyTo(_input);
        }
        else
        {
            _input[0] = T.CreateTruncating(_model.Decode(_last));
        }

        _stepper.Step(_input, _hidden);
    }
}
