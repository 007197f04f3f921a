using System.Globalization;
using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Measure;

/// <summary>The time of one phase of one shape.</summary>
/// <param name="Shape">The shape's name.</param>
/// <param name="Threads">The threads that took part.</param>
/// <param name="Phase">infer or train.</param>
/// <param name="Ms">Milliseconds of a call.</param>
/// <param name="Bytes">Bytes that a call allocates.</param>
internal sealed record Timing(string Shape, int Threads, string Phase, double Ms, long Bytes)
{
    /// <summary>One line of JSON, as the peers print it.</summary>
    public string ToJson() => string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"peer": "rnn", "shape": "{{Shape}}", "threads": {{Threads}}, "phase": "{{Phase}}", "ms": {{Ms:F7}}, "bytes": {{Bytes}}}""");
}

/// <summary>Times a recurrent layer of one shape, doing the same work as the peers.</summary>
internal static class LayerTiming
{
    // The index of the first element of a tensor of any rank.
    private static readonly int[] Zeros = new int[8];

    /// <summary>
    /// Times inference, which is a step of a stream where the shape is one, and a training step: forward and backward pass with the gradients of input, weights
    /// and biases, the weights packed anew each time. Streams, which are not trained, have no training step.
    /// </summary>
    /// <param name="shape">The layer and its batch.</param>
    /// <param name="threads">The largest number of threads.</param>
    /// <param name="phase">infer or train, null for both.</param>
    public static IEnumerable<Timing> Run(RecurrentShape shape, int threads, string? phase = null)
    {
        Workers.MaxThreads = threads;
        var options = new RecurrentOptions { Layers = shape.Layers, Bidirectional = shape.Bidirectional, Seed = 1 };
        var layer = RecurrentLayer<float>.Create(shape.CellName, shape.Input, shape.Hidden, options, shape.Projection);
        var input = Tensor<float>.RandomNormal(new RandomSource(2), 0, 1, shape.Batch, shape.Steps, shape.Input);
        if (phase is null or "infer")
        {
            yield return Time(shape, threads, "infer", shape.IsStream ? Stream(layer, input) : Inference(layer, input, shape.Lengths));
        }

        if (!shape.IsStream && phase is not "infer")
        {
            yield return Time(shape, threads, "train", TrainingStep(layer, input, shape.Lengths));
        }
    }

    /// <summary>Steps of a stream, one after the other.</summary>
    public static Action<int> Stream(RecurrentLayer<float> layer, Tensor<float> input)
    {
        layer.Evaluate();
        var stream = layer.CreateStream();
        var frame = input.ToArray();
        var output = new float[layer.OutputSize];
        return calls =>
        {
            for (var i = 0; i < calls; i++)
            {
                stream.Step(frame, output);
            }
        };
    }

    /// <summary>Forward passes of a batch, without gradients.</summary>
    public static Action<int> Inference(RecurrentLayer<float> layer, Tensor<float> input, int[] lengths) => calls =>
    {
        layer.Evaluate();
        for (var i = 0; i < calls; i++)
        {
            using var off = RenamedMembers.NoGradient();
            using var scope = TensorScope.Enter();
            layer.Forward(input, lengths);
        }
    };

    /// <summary>Forward and backward passes of a batch.</summary>
    public static Action<int> TrainingStep(RecurrentLayer<float> layer, Tensor<float> input, int[] lengths)
    {
        var seed = Tensor<float>.Ones(input.Shape[0], input.Shape[1], layer.OutputSize);
        var parameters = layer.Parameters.Select(parameter => parameter.Value).ToArray();
        input.RequiresGradient = true;
        return calls =>
        {
            layer.Train();
            for (var i = 0; i < calls; i++)
            {
                using var scope = TensorScope.Enter();
                foreach (var parameter in parameters)
                {
                    // As after an optimiser's step: a weight that was written is packed anew.
                    var first = Zeros.AsSpan(0, parameter.Shape.Rank);
                    parameter[first] = parameter[first];
                    RenamedMembers.ZeroGradient(parameter);
                }

                RenamedMembers.ZeroGradient(input);
                RenamedMembers.Backward(layer.Forward(input, lengths).Output, seed, false);
            }
        };
    }

    private static Timing Time(RecurrentShape shape, int threads, string phase, Action<int> repeat)
    {
        // Gradients of leaves live as long as this scope; each step's own memory goes back after the step.
        using var outer = TensorScope.Enter();
        var (ms, bytes) = Repetition.Measure(repeat);
        return new(shape.Name, threads, phase, ms, bytes);
    }
}
