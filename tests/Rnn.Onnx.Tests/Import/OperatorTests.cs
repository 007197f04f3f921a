using Google.Protobuf;
using Rnn.Onnx.Schema;
using Rnn.Onnx.Tests.Support;
using Rnn.Tensors;

namespace Rnn.Onnx.Tests.Import;

/// <summary>Operators one by one, in the forms of several operator sets, against ONNX Runtime: in single and double precision, with inputs and with constants, and in sessions.</summary>
public class OperatorTests
{
    private static readonly OnnxValue<float> Cube = Small.Random(1, 2, 3, 4);
    private static readonly OnnxValue<float> Other = Small.Random(2, 2, 3, 4);
    private static readonly OnnxValue<float> Row = Small.Random(3, 4);
    private static readonly OnnxValue<float> Column = Small.Random(4, 3, 1);
    private static readonly OnnxValue<float> Matrix = Small.Random(5, 3, 5);
    private static readonly OnnxValue<float> Signal = Small.Random(6, 2, 4, 9);
    private static readonly OnnxValue<float> Positive = Tensor<float>.RandomUniform(new(7), 0.1, 3, 2, 3);
    private static readonly OnnxValue<float> Whole = OnnxValue<float>.FromIntegers([5L, -3, 7, 2, -8, 1], 2, 3);
    private static readonly OnnxValue<float> WholeRow = OnnxValue<float>.FromIntegers([2L, -3, 4], 3);
    private static readonly OnnxValue<float> Truth = OnnxValue<float>.FromBooleans([true, false, true, false], 4);

    private static readonly Case[] Cases =
    [
        .. new[] { "Sigmoid", "Tanh", "Relu", "Exp", "Abs", "Neg", "Softplus", "Softsign", "Erf", "Floor", "Ceil", "Round", "Reciprocal", "Sign", "Sin", "Cos", "Identity", "HardSwish", "Selu" }
            .Select(op => new Case(op, 17, [], Cube)),
        .. new[] { "Log", "Sqrt" }.Select(op => new Case(op, 17, [], Positive)),
        new("LeakyRelu", 16, [("alpha", 0.3f)], Cube), new("LeakyRelu", 16, [], Cube), new("Elu", 16, [("alpha", 0.7f)], Cube), new("Elu", 16, [], Cube),
        new("HardSigmoid", 16, [("alpha", 0.4f), ("beta", 0.3f)], Cube), new("HardSigmoid", 16, [], Cube), new("ThresholdedRelu", 10, [("alpha", 0.2f)], Cube),
        new("Gelu", 20, [], Cube), new("Gelu", 20, [("approximate", "tanh")], Cube), new("PRelu", 16, [], Cube, Row),
        new("Neg", 13, [], Whole), new("Abs", 13, [], Whole), new("Sign", 13, [], Whole),
        .. new[] { "Add", "Sub", "Mul", "Div" }.SelectMany(op => new[]
        {
            new Case(op, 14, [], Cube, Other), new Case(op, 14, [], Cube, Row), new Case(op, 14, [], Row, Cube), new Case(op, 14, [], Cube, Column), new Case(op, 14, [], Column, Row),
            new Case(op, 14, [], Cube, Tensor<float>.Scalar(0.7f)), new Case(op, 14, [], Whole, WholeRow),
        }),
        new("Pow", 13, [], Positive, Tensor<float>.Scalar(2)), new("Pow", 13, [], Positive, Tensor<float>.Scalar(0.5f)), new("Pow", 15, [], Positive, WholeRow),
        new("Mod", 13, [], Whole, WholeRow), new("Mod", 13, [("fmod", 1)], Cube, Other),
        new("Min", 13, [], Cube, Row, Column), new("Max", 13, [], Cube, Row), new("Max", 13, [], Whole, WholeRow), new("Sum", 13, [], Cube, Row, Column), new("Mean", 13, [], Cube, Row),
        new("Clip", 13, [], Cube, Tensor<float>.Scalar(-0.4f), Tensor<float>.Scalar(0.3f)), new("Clip", 7, [("min", -0.2f), ("max", 0.5f)], Cube), new("Clip", 13, [], Cube, null!, Tensor<float>.Scalar(0.1f)),
        .. new[] { "Equal", "Greater", "Less" }.SelectMany(op => new[] { new Case(op, 13, [], Cube, Row), new Case(op, 13, [], Whole, WholeRow) }),
        new("GreaterOrEqual", 16, [], Cube, Row), new("LessOrEqual", 16, [], Whole, WholeRow),
        new("And", 7, [], Truth, OnnxValue<float>.FromBooleans([true, true, false, false], 4)), new("Or", 7, [], Truth, OnnxValue<float>.FromBooleans([false], 1)),
        new("Xor", 7, [], Truth, OnnxValue<float>.FromBooleans([true], 1)), new("Not", 7, [], Truth),
        new("Where", 16, [], Truth, Cube, Column), new("Where", 16, [], OnnxValue<float>.FromBooleans([true, false, true], 3), Whole, WholeRow),
        new("Cast", 13, [("to", 7)], Small.Random(1, 3)), new("Cast", 13, [("to", 1)], Whole), new("Cast", 13, [("to", 9)], Whole), new("Cast", 13, [("to", 6)], Whole), new("Cast", 13, [("to", 1)], Truth),
        new("Transpose", 13, [], Cube), new("Transpose", 13, [("perm", new[] { 1, 0, 2 })], Cube), new("Transpose", 13, [], Whole),
        new("Reshape", 13, [], Cube, Constant(0, -1)), new("Reshape", 14, [], Cube, Constant(4, 6)), new("Reshape", 7, [], Whole, Constant(3, -1)),
        new("Flatten", 13, [], Cube), new("Flatten", 13, [("axis", -1)], Cube), new("Flatten", 13, [("axis", 0)], Cube),
        new("Squeeze", 11, [("axes", new[] { 1 })], Column), new("Squeeze", 13, [], Column, Constant(-1)), new("Squeeze", 13, [], Column),
        new("Unsqueeze", 11, [("axes", new[] { 0, 2 })], Row), new("Unsqueeze", 13, [], Row, Constant(-1, 0)),
        new("Concat", 13, [("axis", 1)], Cube, Other), new("Concat", 13, [("axis", -1)], Cube, Other, Cube), new("Concat", 13, [("axis", 0)], Whole, Whole),
        new("Slice", 9, [("starts", new[] { 1, 0 }), ("ends", new[] { 3, 2 }), ("axes", new[] { 1, 2 })], Cube), new("Slice", 13, [], Cube, Constant(-1, 3), Constant(-99, 0), Constant(1, 2), Constant(-1, -2)),
        new("Slice", 13, [], Cube, Constant(1), Constant(long.MaxValue), Constant(2), Constant(2)), new("Slice", 13, [], Whole, Constant(0), Constant(1)),
        new("Split", 11, [("axis", 2), ("split", new[] { 1, 3 })], Cube) { Outputs = 2 }, new("Split", 13, [("axis", -1)], Cube, Constant(2, 2)) { Outputs = 2 }, new("Split", 18, [("axis", 1), ("num_outputs", 2)], Cube) { Outputs = 2 },
        new("Split", 13, [("axis", 1)], Cube) { Outputs = 3 },
        new("Gather", 13, [], Matrix, Constant(2, 0, -1)), new("Gather", 13, [("axis", 1)], Cube, OnnxValue<float>.FromIntegers([0L, 2, 1, -1], 2, 2)), new("Gather", 13, [], Matrix, OnnxValue<float>.FromIntegers([1L], new Shape())),
        new("GatherElements", 13, [("axis", 1)], Matrix, OnnxValue<float>.FromIntegers([0L, 4, -1, 2, 1, 3], 3, 2)),
        new("Expand", 13, [], Column, Constant(2, 1, 4)), new("Tile", 13, [], Matrix, Constant(2, 3)), new("Tile", 13, [], Whole, Constant(1, 2)),
        new("Pad", 13, [], Matrix, Constant(1, 0, 2, 1), Tensor<float>.Scalar(0.5f)), new("Pad", 13, [("mode", "edge")], Matrix, Constant(1, 2, 0, 1)), new("Pad", 13, [("mode", "reflect")], Matrix, Constant(2, 1, 1, 3)),
        new("Pad", 13, [], Matrix, Constant(-1, 0, 0, -2)), new("Pad", 10, [("pads", new[] { 1, 1, 0, 2 }), ("value", 0.3f)], Matrix), new("Pad", 19, [("mode", "wrap")], Matrix, Constant(1, 2, 0, 1)),
        new("ReverseSequence", 10, [("time_axis", 0), ("batch_axis", 1)], Cube, Constant(1, 2, 0)), new("OneHot", 11, [], Constant(1, -1, 3), Constant(4), Tensor<float>.From([0.25f, 2])),
        new("Shape", 13, [], Cube), new("Shape", 15, [("start", -2), ("end", 3)], Cube), new("Size", 13, [], Cube),
        new("ConstantOfShape", 9, [], Constant(2, 3)), new("ConstantOfShape", 9, [("value", Small.Tensor("", OnnxValue<float>.FromIntegers([4L], 1)))], Constant(2)),
        new("Range", 11, [], Tensor<float>.Scalar(1), Tensor<float>.Scalar(4), Tensor<float>.Scalar(0.75f)), new("Range", 11, [], Number(7), Number(1), Number(-2)), new("EyeLike", 9, [("k", 1)], Matrix),
        .. new[] { "ReduceMean", "ReduceMax", "ReduceL2", "ReduceMin", "ReduceL1", "ReduceSumSquare", "ReduceLogSumExp", "ReduceProd" }.SelectMany(op => new[]
        {
            new Case(op, 13, [("axes", new[] { -1 })], Cube), new Case(op, 13, [("axes", new[] { 0, 2 }), ("keepdims", 0)], Cube), new Case(op, 13, [], Cube), new Case(op, 18, [], Cube, Constant(1)),
        }),
        new("ReduceSum", 11, [("axes", new[] { 1 })], Cube), new("ReduceSum", 13, [("keepdims", 0)], Cube, Constant(1, 2)), new("ReduceSum", 13, [("noop_with_empty_axes", 1)], Cube), new("ReduceSum", 13, [], Whole, Constant(0)),
        new("ArgMax", 13, [("axis", 1)], Cube), new("ArgMax", 13, [("axis", -1), ("keepdims", 0)], Cube), new("ArgMin", 13, [("axis", 0)], Cube),
        new("Softmax", 13, [], Cube), new("Softmax", 13, [("axis", 1)], Cube), new("Softmax", 11, [], Cube), new("LogSoftmax", 13, [], Cube), new("LogSoftmax", 11, [("axis", 2)], Cube),
        new("TopK", 11, [], Cube, Constant(2)) { Outputs = 2 }, new("TopK", 11, [("axis", 1), ("largest", 0)], Cube, Constant(2)) { Outputs = 2 }, new("NonZero", 13, [], Whole),
        new("GatherND", 13, [], Cube, OnnxValue<float>.FromIntegers([0L, 1, 1, -1], 2, 2)), new("GatherND", 13, [("batch_dims", 1)], Cube, OnnxValue<float>.FromIntegers([2L, 0], 2, 1)),
        new("ScatterND", 16, [], Matrix, OnnxValue<float>.FromIntegers([2L, 0], 2, 1), Small.Random(31, 2, 5)), new("ScatterElements", 16, [("axis", 1)], Matrix, OnnxValue<float>.FromIntegers([1L, -1, 0, 3, 2, 2], 3, 2), Small.Random(31, 3, 2)),
        new("Trilu", 14, [], Matrix), new("Trilu", 14, [("upper", 0)], Matrix, Number(1)), new("Celu", 12, [("alpha", 0.6f)], Cube), new("LpNormalization", 7, [("axis", 1)], Cube), new("LpNormalization", 7, [("p", 1)], Cube),
        new("CumSum", 14, [("exclusive", 1)], Cube, Number(1)), new("CumSum", 14, [("reverse", 1)], Cube, Number(-1)),
        new("MatMul", 13, [], Cube, Small.Random(8, 4, 5)), new("MatMul", 13, [], Cube, Small.Random(8, 2, 4, 5)), new("MatMul", 13, [], Row, Small.Random(8, 4, 5)), new("MatMul", 13, [], Cube, Row),
        .. new[] { "ijk,ijk->ijk", "ijk,ljk->il", "ijk,ijm->ikm", "ijk,ijk->", "ijk,imk->", "ijk,mjk->kj", "...k,...k->...", "i...,i...->...i", "ijk, mjn" }.Select(equation => new Case("Einsum", 12, [("equation", equation)], Cube, Other)),
        .. new[] { "ijk->kji", "ijk->j", "ijk->", "...k->k...", "kji" }.Select(equation => new Case("Einsum", 12, [("equation", equation)], Cube)),
        new("Einsum", 12, [("equation", "ii->i")], Small.Random(12, 4, 4)), new("Einsum", 12, [("equation", "bijj->bi")], Small.Random(12, 2, 3, 4, 4)), new("Einsum", 12, [("equation", "ijk,kl,ln->ijn")], Cube, Small.Random(8, 4, 5), Small.Random(9, 5, 2)),
        .. new[] { "half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel" }.SelectMany(mode => new[] { "nearest", "linear" }.Select(kind =>
            new Case("Resize", 13, [("mode", kind), ("coordinate_transformation_mode", mode)], Small.Random(13, 1, 1, 7), null!, null!, Constant(1, 1, mode == "asymmetric" ? 3 : 16)))),
        .. new[] { "floor", "ceil", "round_prefer_floor", "round_prefer_ceil" }.Select(mode => new Case("Resize", 13, [("nearest_mode", mode)], Signal, null!, Tensor<float>.From([1, 1, 1.7f]))),
        new("Resize", 10, [("mode", "linear")], Small.Random(13, 1, 1, 7), Tensor<float>.From([1, 1, 2])), new("Resize", 10, [], Signal, Tensor<float>.From([1, 2, 0.5f])), new("Upsample", 9, [], Signal, Tensor<float>.From([1, 1, 2])),
        new("Gemm", 13, [], Matrix, Small.Random(9, 5, 4), Row), new("Gemm", 13, [("transB", 1)], Matrix, Small.Random(9, 4, 5), Row), new("Gemm", 13, [("transA", 1), ("alpha", 0.5f), ("beta", 2f)], Matrix, Column.Shape[0] == 3 ? Small.Random(9, 3, 4) : Row, Tensor<float>.Scalar(1)),
        new("Gemm", 13, [("transB", 1)], Matrix, Small.Random(9, 4, 5)),
        new("Conv", 11, [], Signal, Small.Random(10, 6, 4, 3), Small.Random(11, 6)), new("Conv", 11, [("strides", new[] { 2 }), ("pads", new[] { 2, 1 }), ("dilations", new[] { 2 })], Signal, Small.Random(10, 6, 4, 3)),
        new("Conv", 11, [("group", 2), ("auto_pad", "SAME_UPPER")], Signal, Small.Random(10, 6, 2, 4)), new("Conv", 11, [("group", 4), ("auto_pad", "SAME_LOWER"), ("strides", new[] { 2 })], Signal, Small.Random(10, 4, 1, 2)),
        new("Conv", 11, [("pads", new[] { 1, 0, 1, 2 })], Small.Random(12, 1, 2, 5, 6), Small.Random(13, 3, 2, 3, 2)),
        new("ConvTranspose", 11, [], Signal, Small.Random(14, 4, 3, 3), Small.Random(15, 3)), new("ConvTranspose", 11, [("strides", new[] { 3 }), ("pads", new[] { 1, 2 }), ("output_padding", new[] { 1 })], Signal, Small.Random(14, 4, 3, 4)),
        new("ConvTranspose", 11, [("group", 2), ("strides", new[] { 2 }), ("dilations", new[] { 2 })], Signal, Small.Random(14, 4, 3, 3)), new("ConvTranspose", 11, [("strides", new[] { 2 }), ("output_shape", new[] { 18 })], Signal, Small.Random(14, 4, 3, 3)),
        new("MaxPool", 12, [("kernel_shape", new[] { 3 }), ("strides", new[] { 2 }), ("pads", new[] { 1, 1 })], Signal), new("AveragePool", 11, [("kernel_shape", new[] { 3 }), ("pads", new[] { 1, 1 })], Signal), new("GlobalAveragePool", 7, [], Signal),
        new("LayerNormalization", 17, [], Cube, Small.Random(16, 4), Small.Random(17, 4)), new("LayerNormalization", 17, [("axis", 1), ("epsilon", 0.01f)], Cube, Small.Random(16, 3, 4)),
        new("BatchNormalization", 15, [("epsilon", 0.02f)], Signal, Small.Random(18, 4), Small.Random(19, 4), Small.Random(20, 4), Tensor<float>.RandomUniform(new(21), 0.5, 2, 4)),
        .. new[] { "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Atanh" }.Select(op => new Case(op, 9, [], Cube)), new("Acosh", 9, [], Tensor<float>.RandomUniform(new(7), 1.1, 3, 2, 3)), new("Shrink", 9, [("lambd", 0.3f), ("bias", 0.1f)], Cube),
        new("Hardmax", 13, [("axis", 1)], Cube), new("Hardmax", 11, [], Cube), new("MeanVarianceNormalization", 13, [("axes", new[] { 0, 2 })], Signal), new("Compress", 11, [("axis", 1)], Cube, OnnxValue<float>.FromBooleans([true, false, true], 3)),
        new("Compress", 11, [], Cube, OnnxValue<float>.FromBooleans([true, false, true, true], 4)), new("BitwiseAnd", 18, [], Whole, WholeRow), new("BitwiseOr", 18, [], Whole, WholeRow), new("BitwiseXor", 18, [], Whole, WholeRow), new("BitwiseNot", 18, [], Whole),
        new("DepthToSpace", 13, [("blocksize", 2)], Small.Random(32, 1, 8, 2, 3)), new("DepthToSpace", 13, [("blocksize", 2), ("mode", "CRD")], Small.Random(32, 1, 8, 2, 3)), new("SpaceToDepth", 13, [("blocksize", 2)], Small.Random(32, 2, 3, 4, 6)),
        .. new[] { "add", "mul", "max", "min" }.SelectMany(reduction => new[]
        {
            new Case("ScatterND", 18, [("reduction", reduction)], Matrix, OnnxValue<float>.FromIntegers([2L, 0, 2], 3, 1), Small.Random(31, 3, 5)),
            new Case("ScatterElements", 18, [("axis", 1), ("reduction", reduction)], Matrix, OnnxValue<float>.FromIntegers([1L, -1, 0, 0, 2, 2], 3, 2), Small.Random(31, 3, 2)),
        }),
        new("Scatter", 9, [("axis", 1)], Matrix, OnnxValue<float>.FromIntegers([1L, -1, 0, 3, 2, 2], 3, 2), Small.Random(31, 3, 2)),
        new("LpPool", 11, [("kernel_shape", new[] { 3 }), ("strides", new[] { 2 })], Signal), new("LpPool", 11, [("kernel_shape", new[] { 3 }), ("p", 3)], Signal), new("GlobalLpPool", 7, [], Signal), new("GlobalMaxPool", 7, [], Signal),
        new("MaxPool", 12, [("kernel_shape", new[] { 2, 3 }), ("strides", new[] { 2, 1 }), ("pads", new[] { 1, 0, 0, 1 }), ("dilations", new[] { 1, 2 })], Small.Random(12, 1, 2, 5, 7)), new("MaxPool", 12, [("kernel_shape", new[] { 3 }), ("strides", new[] { 2 }), ("ceil_mode", 1)], Signal),
        new("AveragePool", 11, [("kernel_shape", new[] { 2, 2 }), ("strides", new[] { 2, 2 }), ("pads", new[] { 1, 1, 0, 0 }), ("count_include_pad", 1)], Small.Random(12, 1, 2, 5, 6)),
        new("Conv", 11, [("group", 2), ("strides", new[] { 2, 1 }), ("pads", new[] { 1, 0, 1, 2 })], Small.Random(12, 2, 4, 5, 6), Small.Random(13, 6, 2, 3, 2), Small.Random(14, 6)), new("Conv", 11, [("group", 4)], Signal, Small.Random(13, 8, 1, 3), Small.Random(14, 8)),
        new("ConvTranspose", 11, [("group", 2), ("strides", new[] { 2, 1 }), ("pads", new[] { 1, 0, 0, 1 }), ("output_padding", new[] { 1, 0 }), ("dilations", new[] { 1, 2 })], Small.Random(12, 2, 4, 3, 5), Small.Random(13, 4, 3, 3, 2), Small.Random(14, 6)),
        new("Softmax", 13, [("axis", 0)], Cube), new("LogSoftmax", 13, [("axis", 1)], Cube), new("MatMul", 13, [], Small.Random(8, 5, 3), Cube), new("Gather", 13, [("axis", 1)], Whole, Constant(2, 0)),
        new("DequantizeLinear", 13, [], Bytes(OnnxElementType.UInt8, 0, 3, 255, 128, 7, 9), Tensor<float>.Scalar(0.02f), Byte(OnnxElementType.UInt8, 128)), new("DequantizeLinear", 13, [("axis", 1)], Bytes(OnnxElementType.Int8, 0, 3, -128, 127, 7, 9), Tensor<float>.From([0.02f, 0.5f, 1]), new OnnxValue<float>([1, -2, 3], new(3), OnnxElementType.Int8)),
        new("QuantizeLinear", 13, [], Cube, Tensor<float>.Scalar(0.007f), Byte(OnnxElementType.UInt8, 100)), new("QuantizeLinear", 13, [("axis", 2)], Cube, Tensor<float>.From([0.02f, 0.05f, 0.01f, 0.002f]), new OnnxValue<float>([0, 1, -2, 3], new(4), OnnxElementType.Int8)),
        new("DynamicQuantizeLinear", 11, [], Cube) { Outputs = 3 }, new("MatMulInteger", 10, [], Bytes(OnnxElementType.UInt8, 0, 3, 255, 128, 7, 9), new OnnxValue<float>([1, -2, 3, -128, 127, 4], new(3, 2), OnnxElementType.Int8), Byte(OnnxElementType.UInt8, 12), Byte(OnnxElementType.Int8, -3)),
        new("QLinearMatMul", 10, [], Bytes(OnnxElementType.UInt8, 0, 3, 255, 128, 7, 9), Tensor<float>.Scalar(0.02f), Byte(OnnxElementType.UInt8, 12), new OnnxValue<float>([1, -2, 3, -128, 127, 4], new(3, 2), OnnxElementType.Int8), Tensor<float>.Scalar(0.03f), Byte(OnnxElementType.Int8, -3), Tensor<float>.Scalar(0.5f), Byte(OnnxElementType.UInt8, 100)),
        new("ConvInteger", 10, [("pads", new[] { 1, 0 })], new OnnxValue<float>([0, 3, 255, 128, 7, 9], new(1, 2, 3), OnnxElementType.UInt8), new OnnxValue<float>([1, 2, 3, 128, 127, 4, 5, 6], new(2, 2, 2), OnnxElementType.UInt8), Byte(OnnxElementType.UInt8, 12), Byte(OnnxElementType.UInt8, 3)),
        new("QLinearConv", 10, [("pads", new[] { 1, 0 })], new OnnxValue<float>([0, 3, 255, 128, 7, 9], new(1, 2, 3), OnnxElementType.UInt8), Tensor<float>.Scalar(0.02f), Byte(OnnxElementType.UInt8, 12), new OnnxValue<float>([1, -2, 3, -128, 127, 4, 5, 6], new(2, 2, 2), OnnxElementType.Int8),
            Tensor<float>.From([0.03f, 0.01f]), new OnnxValue<float>([0, 0], new(2), OnnxElementType.Int8), Tensor<float>.Scalar(0.3f), Byte(OnnxElementType.UInt8, 100), new OnnxValue<float>([500, -300], new(2), OnnxElementType.Int32)),
        new("STFT", 17, [("onesided", 1)], Small.Random(33, 2, 40, 1), Number(8), Small.Random(34, 16), Number(16)), new("STFT", 17, [("onesided", 0)], Small.Random(33, 1, 40, 1), Number(5), null!, Number(12)),
        new("DFT", 17, [("axis", 1), ("onesided", 1)], Small.Random(33, 2, 12, 1)), new("DFT", 17, [("axis", 1)], Small.Random(33, 2, 12, 2)), new("DFT", 17, [("axis", 2), ("inverse", 1)], Small.Random(33, 2, 3, 10, 2)), new("DFT", 17, [("axis", 1)], Small.Random(33, 2, 12, 1), Number(16)), new("DFT", 20, [("onesided", 1)], Small.Random(33, 2, 12, 3, 1), null!, Number(1)),
        new("HannWindow", 17, [], Number(9)), new("HammingWindow", 17, [("periodic", 0)], Number(9)), new("BlackmanWindow", 17, [], Number(12)),
        new("MelWeightMatrix", 17, [], Number(8), Number(64), Number(8000), Tensor<float>.Scalar(50), Tensor<float>.Scalar(3800)),
        new("InstanceNormalization", 7, [], Signal, Small.Random(18, 4), Small.Random(19, 4)), new("Dropout", 13, [], Cube),
    ];

    public static TheoryData<int> Numbers => [.. Enumerable.Range(0, Cases.Length)];

    [Theory]
    [MemberData(nameof(Numbers))]
    public void An_operator_agrees_with_another_runtime(int number)
    {
        var test = Cases[number];
        var what = $"{number}: {test.Op} {test.Opset} ({string.Join(", ", test.Attributes.Select(attribute => attribute.Item1))}) of {string.Join(", ", test.Inputs.AsEnumerable())}";
        var model = test.Model(constants: []);
        var inputs = test.Inputs.Select((value, i) => ($"x{i}", value)).Where(pair => pair.value is not null).ToArray();
        var expected = OtherRuntime.Run(model, inputs);
        for (var constants = 0; constants < 3; constants++)
        {
            // All inputs, all but the first constant, all constant.
            int[] fixedInputs = constants switch { 0 => [], 1 => [.. Enumerable.Range(1, test.Inputs.Length - 1)], _ => [.. Enumerable.Range(0, test.Inputs.Length)] };
            var bytes = test.Model(fixedInputs).ToByteArray();
            Check(OnnxModel.Load<float>(bytes), expected, inputs, 2e-5, what);
            Check(OnnxModel.Load<double>(bytes), expected, Array.ConvertAll(inputs, input => (input.Item1, Wide(input.value))), 1e-4, what);
        }
    }

    [Theory]
    [MemberData(nameof(Numbers))]
    public void An_operator_in_a_session_gives_the_same(int number)
    {
        var test = Cases[number];
        int[] constants = [.. Enumerable.Range(1, test.Inputs.Length - 1)];
        var model = OnnxModel.Load<float>(test.Model(constants).ToByteArray());
        if (test.Op == "MelWeightMatrix")
        {
            Assert.Contains("0 mel filters", Assert.Throws<InvalidDataException>(() => model.CreateSession(("x0", new Shape()))).Message, StringComparison.Ordinal);
            return;
        }

        var session = model.CreateSession(("x0", test.Inputs[0].Shape));
        if (test.Op is "ConstantOfShape" or "Range" or "NonZero" or "HannWindow" or "HammingWindow" or "BlackmanWindow")
        {
            Set(session, test.Inputs[0]);
            Assert.Contains("its shape depends on data", Assert.Throws<InvalidDataException>(session.Run).Message, StringComparison.Ordinal);
            return;
        }

        for (var run = 0; run < 2; run++)
        {
            Set(session, test.Inputs[0]);
            session.Run();
            foreach (var (name, value) in model.Run(("x0", test.Inputs[0])))
            {
                OnnxValue<float> actual = value.IsFloatingPoint ? Tensor<float>.From(session.GetOutput(name), session.OutputShape(name)) : new OnnxValue<float>(session.GetIntegers(name).ToArray(), session.OutputShape(name), value.ElementType);
                Compare.Same(value, actual, 1e-6, $"{number}: {test.Op}");
            }
        }
    }

    private static void Set(OnnxSession<float> session, OnnxValue<float> value)
    {
        if (value.IsFloatingPoint)
        {
            session.SetInput("x0", value.Tensor.AsReadOnlySpan());
        }
        else
        {
            session.SetIntegers("x0", value.Integers);
        }
    }

    private static void Check<T>(OnnxModel<T> model, List<OnnxValue<float>> expected, (string Name, OnnxValue<T> Value)[] inputs, double tolerance, string what)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        var wanted = model.Inputs.Select(input => input.Name).ToHashSet();
        var outputs = model.Run(inputs.Where(input => wanted.Contains(input.Name)).ToArray());
        for (var i = 0; i < expected.Count; i++)
        {
            Compare.Same(expected[i], outputs[$"y{i}"], tolerance, what);
        }
    }

    private static OnnxValue<double> Wide(OnnxValue<float> value) => value.IsFloatingPoint ? value.Tensor.To<double>() : new OnnxValue<double>(value.Integers.ToArray(), value.Shape, value.ElementType);

    private static OnnxValue<float> Constant(params long[] values) => Small.Longs(values);

    private static OnnxValue<float> Bytes(OnnxElementType type, params long[] values) => new(values, new(2, 3), type);

    private static OnnxValue<float> Byte(OnnxElementType type, long value) => new([value], new Shape(), type);

    private static OnnxValue<float> Number(long value) => OnnxValue<float>.FromIntegers([value], new Shape());

    private sealed record Case(string Op, int Opset, (string, object)[] Attributes, params OnnxValue<float>[] Inputs)
    {
        public int Outputs { get; init; } = 1;

        internal ModelProto Model(int[] constants)
        {
            var names = Inputs.Select((value, i) => value is null ? string.Empty : $"x{i}").ToArray();
            string[] outputs = [.. Enumerable.Range(0, Outputs).Select(i => $"y{i}")];
            var type = Op switch
            {
                "Equal" or "Greater" or "Less" or "GreaterOrEqual" or "LessOrEqual" or "And" or "Or" or "Xor" or "Not" => OnnxElementType.Boolean,
                "Shape" or "Size" or "ArgMax" or "ArgMin" or "NonZero" => OnnxElementType.Int64,
                "QuantizeLinear" => Inputs[2].ElementType,
                "DequantizeLinear" or "HannWindow" or "HammingWindow" or "BlackmanWindow" or "MelWeightMatrix" => OnnxElementType.Float,
                "MatMulInteger" or "ConvInteger" => OnnxElementType.Int32,
                "Cast" => (OnnxElementType)(int)Attributes[0].Item2,
                "ConstantOfShape" => Attributes.Length == 0 ? OnnxElementType.Float : OnnxElementType.Int64,
                "Where" => Inputs[1].ElementType,
                "OneHot" => Inputs[2].ElementType,
                _ => Inputs[0].ElementType,
            };
            return Small.Model(Small.Graph(
                [Small.Node(Op, names, outputs, Attributes)],
                Inputs.Select((value, i) => (value, i)).Where(pair => pair.value is not null && !constants.Contains(pair.i)).Select(pair => Small.Anything($"x{pair.i}", pair.value.ElementType)),
                outputs.Select((name, i) => Small.Anything(name, Op == "TopK" && i == 1 ? OnnxElementType.Int64 : Op == "DynamicQuantizeLinear" && i != 1 ? OnnxElementType.UInt8 : type)),
                [.. constants.Where(i => Inputs[i] is not null).Select(i => Small.Tensor($"x{i}", Inputs[i]))]), Opset);
        }
    }
}
