using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Onnx.Import;
using Rnn.Tensors;

namespace Rnn.Onnx.Sessions;

/// <summary>Steps of nodes that compute one floating-point result.</summary>
internal static class StepFactory<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The step of a node, or null where there is none for it: it runs as outside of sessions then.</summary>
    internal static SessionStep<T>? Create(NodeProgram<T> node, SessionValue<T>?[] inputs, SessionValue<T> output, List<SessionStep<T>> steps)
    {
        if (inputs is not [{ } first, ..] || output.Length == 0)
        {
            return null;
        }

        if (!first.IsFloatingPoint)
        {
            return null;
        }

        return node.Operator switch
        {
            "MatMul" or "Gemm" => Product(node, inputs, output),
            "Gather" when inputs[1] is { IsFloatingPoint: false } places && first.Shape.Rank > 0 && first.Length > 0 =>
                new LookupStep<T>(first, places, output, NodeCall<T>.Axis(node.Attributes.Int("axis", 0), first.Shape.Rank)),
            "Add" => Binary<AddFunction<T>>(inputs, output, steps),
            "Sub" => Binary<SubtractFunction<T>>(inputs, output, steps),
            "Mul" => Binary<MultiplyFunction<T>>(inputs, output, steps),
            "Div" => Binary<DivideFunction<T>>(inputs, output, steps),
            "Min" when inputs.Length == 2 => Binary<MinimumFunction<T>>(inputs, output, steps),
            "Max" when inputs.Length == 2 => Binary<MaximumFunction<T>>(inputs, output, steps),
            "PRelu" => Binary<SlopeFunction<T>>(inputs, output, steps),
            "Softmax" or "LogSoftmax" => Softmax(node, first, output, steps),
            "Conv" => ConvolutionSteps.Create(node, inputs, output, steps),
            "ConvTranspose" => ConvolutionSteps.CreateTransposed(node, inputs, output, steps),
            "MaxPool" or "AveragePool" => ConvolutionSteps.CreatePool(node, first, output, steps),
            "GlobalMaxPool" or "GlobalAveragePool" when first.Shape.Rank > 2 =>
                new ReductionStep<T>(first, output, first.Length / output.Length, node.Operator == "GlobalMaxPool" ? "ReduceMax" : "ReduceMean"),
            "Einsum" => Einsum(node, inputs, output, steps),
            "BatchNormalization" when inputs is [_, { IsConstant: true }, { IsConstant: true }, { IsConstant: true }, { IsConstant: true }] && first.Shape.Rank > 1 => new BatchNormStep<T>(
                first, inputs[1]!, inputs[2]!, inputs[3]!, inputs[4]!, output, node.Attributes.Float("epsilon", 1e-5f)),
            "LayerNormalization" => LayerNorm(node, inputs, output),
            "InstanceNormalization" when inputs is [_, { IsConstant: true }, { IsConstant: true }] && first.Shape.Rank > 2 => new ChannelNormStep<T>(
                first, inputs[1]!, inputs[2]!, output, first.Shape[1], first.Shape[1], node.Attributes.Float("epsilon", 1e-5f)),
            "GroupNormalization" when inputs is [_, { IsConstant: true }, { IsConstant: true }] && first.Shape.Rank > 2 => new ChannelNormStep<T>(
                first, inputs[1]!, inputs[2]!, output, (int)node.Attributes.RequiredInt("num_groups"), node.Opset < 21 ? (int)node.Attributes.RequiredInt("num_groups") : first.Shape[1], node.Attributes.Float("epsilon", 1e-5f)),
            "STFT" when inputs.Length < 3 || inputs[2] is null or { IsConstant: true } => ShortTime(node, inputs, output, steps),
            "ReduceMean" or "ReduceSum" or "ReduceMax" or "ReduceMin" or "ReduceSumSquare" or "ReduceL2" => Reduction(node, inputs, output, steps),
            _ => Unary(node, first, output) ?? Map(node, inputs, output),
        };
    }

    private static SessionStep<T>? Product(NodeProgram<T> node, SessionValue<T>?[] inputs, SessionValue<T> output)
    {
        var (a, b) = (inputs[0]!, inputs[1]!);
        var bias = inputs.Length > 2 ? inputs[2] : null;
        var fits = a.Length > 0 && (bias is null || (bias is { IsConstant: true, Shape.Rank: 1 } && bias.Length == output.Shape[-1]));
        if (b.IsConstant && fits && node.Prepared is PackedProduct<T> packed)
        {
            return new ProductStep<T>(a, packed, null, b.Live.Tensor, output) { Bias = bias?.Live.Tensor };
        }

        if (b.IsConstant && fits && node.Prepared is LinearProduct<T> linear)
        {
            return new ProductStep<T>(a, null, linear, b.Live.Tensor, output) { Bias = bias?.Live.Tensor };
        }

        // Matrices of the same batches on both sides, or of one on the right.
        if (node.Operator != "MatMul" || a.Shape.Rank < 2 || b.Shape.Rank < 2 || !b.IsFloatingPoint)
        {
            return null;
        }

        var (rows, inner, columns) = (a.Shape[-2], a.Shape[-1], b.Shape[-1]);
        return output.Length == 0 || inner == 0 ? null
            : a.Shape.Dimensions[..^2].SequenceEqual(b.Shape.Dimensions[..^2]) || a.Shape.Rank == 2 || b.Shape.Rank == 2
                ? new MatrixStep<T>(a, b, output, rows, inner, columns, a.Length / (rows * inner), b.Length / (inner * columns))
            : null;
    }

    private static BinaryStep<T, TFunction> Binary<TFunction>(SessionValue<T>?[] inputs, SessionValue<T> output, List<SessionStep<T>> steps)
        where TFunction : struct, IBinaryFunction<T>
    {
        var (a, b) = (inputs[0]!, inputs[1]!);
        a = Repeats(a, output) ? a : MovePlanner<T>.Expand(a, output.Shape, steps);
        b = Repeats(b, output) ? b : MovePlanner<T>.Expand(b, output.Shape, steps);
        if (a.Length != output.Length && b.Length != output.Length)
        {
            a = MovePlanner<T>.Expand(a, output.Shape, steps);
        }

        return new(a, b, output);
    }

    // Whether the elements are those of the output, one number, or the last dimensions of it.
    private static bool Repeats(SessionValue<T> operand, SessionValue<T> output)
    {
        var dimensions = operand.Shape.Dimensions;
        while (dimensions.Length > 0 && dimensions[0] == 1)
        {
            dimensions = dimensions[1..];
        }

        return dimensions.Length <= output.Shape.Rank && dimensions.SequenceEqual(output.Shape.Dimensions[^dimensions.Length..]);
    }

    private static SessionStep<T> Softmax(NodeProgram<T> node, SessionValue<T> input, SessionValue<T> output, List<SessionStep<T>> steps)
    {
        var rank = input.Shape.Rank;
        var axis = NodeCall<T>.Axis(node.Attributes.Int("axis", node.Opset < 13 ? 1 : -1), rank);
        if (node.Opset < 13 || axis == rank - 1)
        {
            return new SoftmaxStep<T>(input, output, new Shape(input.Shape.Dimensions[axis..]).ElementCount, node.Operator == "LogSoftmax");
        }

        // The axis goes to the end and comes back.
        var last = new StepBuilder<T>(steps).Last(input, [axis]);
        var result = SessionValue<T>.Allocate(Tensor<T>.Zeros(last.Shape));
        steps.Add(new SoftmaxStep<T>(last, result, input.Shape[axis], node.Operator == "LogSoftmax"));
        int[] strides = [.. Enumerable.Range(0, rank).Select(d => d == axis ? 1 : Import.Broadcasting.Strides(last.Shape)[d < axis ? d : d - 1])];
        return StepBuilder<T>.Move(result, Import.Broadcasting.Strided(output.Shape, strides, 0), output);
    }

    private static SessionStep<T>? Einsum(NodeProgram<T> node, SessionValue<T>?[] inputs, SessionValue<T> output, List<SessionStep<T>> steps)
    {
        if (!Array.TrueForAll(inputs, input => input is { IsFloatingPoint: true }))
        {
            return null;
        }

        // Its shapes have been looked at when the node ran on zeros.
        var call = new NodeCall<T>(node, [], new RunContext(long.MaxValue, 0));
        var result = EinsumOperator.Evaluate(call, Array.ConvertAll(inputs, input => input!), new StepBuilder<T>(steps));
        return new MoveStep<T>([result], output, [(0, 0, 0, output.Length)]);
    }

    // Frames side by side, times the window, times a matrix of cosines and sines.
    private static MatrixStep<T> ShortTime(NodeProgram<T> node, SessionValue<T>?[] inputs, SessionValue<T> output, List<SessionStep<T>> steps)
    {
        var signal = inputs[0]!;
        var call = new NodeCall<T>(node.WithInputs(inputs.Length), Array.ConvertAll(inputs, input => input?.Live), new RunContext(long.MaxValue, 0));
        var frames = SpectralOperators.ReadFrames(call);
        var rows = signal.Shape[0] * frames.Count;
        var places = new int[rows * frames.Length];
        for (var i = 0; i < places.Length; i++)
        {
            var frame = i / frames.Length;
            places[i] = (frame / frames.Count * signal.Shape[1]) + (frame % frames.Count * frames.Step) + (i % frames.Length);
        }

        var cut = new StepBuilder<T>(steps).Pick(signal, places, new(rows, frames.Length));
        var matrix = SpectralOperators.RealMatrix(call, frames.Length, frames.Bins, inverse: false);
        matrix = inputs.Length > 2 && inputs[2] is { } window ? matrix * window.Live.Tensor.Detach().Reshape(frames.Length, 1) : matrix;
        return new(cut, SessionValue<T>.Constant(matrix), output, rows, frames.Length, 2 * frames.Bins, 1, 1);
    }

    private static LayerNormStep<T>? LayerNorm(NodeProgram<T> node, SessionValue<T>?[] inputs, SessionValue<T> output)
    {
        var axis = NodeCall<T>.Axis(node.Attributes.Int("axis", -1), output.Shape.Rank);
        var inner = new Shape(output.Shape.Dimensions[axis..]).ElementCount;
        var (weight, bias) = (inputs[1], inputs.Length > 2 ? inputs[2] : null);
        return weight is { IsConstant: true } && weight.Length == inner && bias is null or { IsConstant: true } && (bias is null || bias.Length == inner)
            ? new(inputs[0]!, weight!.Live.Tensor, bias?.Live.Tensor, output, node.Attributes.Float("epsilon", 1e-5f))
            : null;
    }

    private static ReductionStep<T>? Reduction(NodeProgram<T> node, SessionValue<T>?[] inputs, SessionValue<T> output, List<SessionStep<T>> steps)
    {
        if (inputs.Length > 1 && inputs[1] is not null and not { IsConstant: true })
        {
            return null;
        }

        var call = new NodeCall<T>(node.WithInputs(inputs.Length), Array.ConvertAll(inputs, input => input?.Live), new RunContext(1, 0));
        return ReductionOperators.Axes(call) is { Length: > 0 } axes && inputs[0]!.Length > 0
            ? new(new StepBuilder<T>(steps).Last(inputs[0]!, axes), output, inputs[0]!.Length / output.Length, node.Operator)
            : null;
    }

    private static SessionStep<T>? Unary(NodeProgram<T> node, SessionValue<T> x, SessionValue<T> y)
    {
        var attributes = node.Attributes;
        return node.Operator switch
        {
            "Sigmoid" => With(default(ActivationFunction<T, Sigmoid>)),
            "Tanh" => With(default(ActivationFunction<T, Tanh>)),
            "Relu" => With(default(ActivationFunction<T, Relu>)),
            "Softplus" => With(default(ActivationFunction<T, Softplus>)),
            "Softsign" => With(default(ActivationFunction<T, Softsign>)),
            "Gelu" when attributes.String("approximate") is null or "none" => With(default(ActivationFunction<T, Gelu>)),
            "Selu" => With(new SeluFunction<T>(attributes.Float("alpha", 1.67326319217681884765625), attributes.Float("gamma", 1.05070102214813232421875))),
            "ThresholdedRelu" => With(new ThresholdedReluFunction<T>(attributes.Float("alpha", 1), inclusive: false)),
            "Elu" => With(new SeluFunction<T>(attributes.Float("alpha", 1), 1)),
            "HardSigmoid" => With(new HardSigmoidFunction<T>(attributes.Float("alpha", 0.2f), attributes.Float("beta", 0.5))),
            "Erf" => With(default(ErfFunction<T>)),
            "Reciprocal" => With(default(ReciprocalFunction<T>)),
            "Neg" => With(new AffineFunction<T>(-1, 0)),
            _ => null,
        };

        UnaryStep<T, TFunction> With<TFunction>(TFunction function)
            where TFunction : struct, IUnaryFunction<T> => new(x, y, function);
    }

    private static MapStep<T>? Map(NodeProgram<T> node, SessionValue<T>?[] inputs, SessionValue<T> output)
    {
        var attributes = node.Attributes;
        var slope = T.CreateTruncating(attributes.Float("alpha", 0.01f));
        Func<T, T>? function = node.Operator switch
        {
            "Exp" => T.Exp,
            "Log" => T.Log,
            "Sqrt" => T.Sqrt,
            "Abs" => T.Abs,
            "Floor" => T.Floor,
            "Ceil" => T.Ceiling,
            "Sin" => T.Sin,
            "Cos" => T.Cos,
            "Round" => x => T.Round(x, MidpointRounding.ToEven),
            "Sign" => x => T.CreateTruncating(T.Sign(x)),
            "HardSwish" => x => x * T.Clamp((x / T.CreateTruncating(6)) + T.CreateTruncating(0.5), T.Zero, T.One),
            "LeakyRelu" => x => x < T.Zero ? x * slope : x,
            "Pow" when inputs[1] is { IsConstant: true, IsFloatingPoint: true, Length: 1 } && output.Shape == inputs[0]!.Shape => Power(inputs[1]!.Read[0]),
            "Clip" when inputs.Length == 1 || Array.TrueForAll(inputs[1..], input => input is null or { IsConstant: true, Length: 1 }) => Clip(attributes, inputs),
            _ => FunctionOperators.Find<T>(node.Operator),
        };
        return function is null ? null : new(inputs[0]!, output, function);
    }

    private static Func<T, T> Power(T exponent) => exponent == T.One + T.One ? x => x * x : exponent == T.One / (T.One + T.One) ? T.Sqrt : x => T.Pow(x, exponent);

    private static Func<T, T> Clip(NodeAttributes attributes, SessionValue<T>?[] inputs)
    {
        var low = inputs.Length > 1 && inputs[1] is { } minimum ? minimum.Read[0] : T.CreateTruncating(attributes.Float("min", double.NegativeInfinity));
        var high = inputs.Length > 2 && inputs[2] is { } maximum ? maximum.Read[0] : T.CreateTruncating(attributes.Float("max", double.PositiveInfinity));
        return x => x < low ? T.Min(low, high) : x > high ? high : x;
    }
}
