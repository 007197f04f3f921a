using System.Numerics;
using Rnn.Onnx.Import;
using Rnn.Tensors;

namespace Rnn.Onnx.Sessions;

/// <summary>Steps of a convolution of one group with constant weights: its patches are put side by side, multiplied by the packed weights, and the channels put in front.</summary>
internal static class ConvolutionSteps
{
    /// <summary>Adds all steps but the last, which is the result; null where the convolution is of another kind.</summary>
    internal static SessionStep<T>? Create<T>(NodeProgram<T> node, SessionValue<T>?[] inputs, SessionValue<T> output, List<SessionStep<T>> steps)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // The places are numbered by floating-point numbers, which are exact up to here.
        const int MostPlaces = 1 << 23;
        var (input, weight, bias) = (inputs[0]!, inputs[1]!, inputs.Length > 2 ? inputs[2] : null);
        if (node.Prepared is not ConvolutionWeights<T> packed || !weight.IsConstant || bias is { IsConstant: false } || input.Length > MostPlaces)
        {
            return null;
        }

        var (outputs, inner) = (weight.Shape[0], weight.Length / weight.Shape[0]);
        var window = new Window(node.Attributes, input.Shape, weight.Shape.Dimensions[2..]);
        var (rows, places) = (input.Shape[0], window.OutputCount);
        if ((double)rows * places * inner > MostPlaces)
        {
            return null;
        }

        // [N, C, places, window] of numbered elements; zero is padding.
        var numbers = Tensor<T>.Arange(T.One, input.Length, T.One).Reshape(input.Shape);
        var call = new NodeCall<T>(node, [], new RunContext(4L * MostPlaces, 0));
        var sources = window.Patches(window.Padded(call, numbers, T.Zero)).Permute(0, 2, 1, 3).ToArray();
        var patches = SessionValue<T>.Allocate(Tensor<T>.Zeros(rows * places, inner));
        steps.Add(new MoveStep<T>([input], patches, MovePlanner<T>.Runs(Array.ConvertAll(sources, long.CreateTruncating))));
        var product = SessionValue<T>.Allocate(Tensor<T>.Zeros(rows * places, outputs));
        steps.Add(new ProductStep<T>(patches, null, packed.Product, packed.Matrix, product) { Bias = bias?.Live.Tensor });

        // [N, places, M] becomes [N, M, places].
        var order = Broadcasting.Strided(new(rows, outputs, places), [places * outputs, 1, outputs], 0);
        return new MoveStep<T>([product], output, MovePlanner<T>.Runs(Array.ConvertAll(order, place => place + 1L)));
    }
}
