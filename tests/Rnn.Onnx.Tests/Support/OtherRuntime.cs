using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Rnn.Onnx.Schema;
using Rnn.Tensors;

namespace Rnn.Onnx.Tests.Support;

/// <summary>ONNX Runtime, as the other implementation to compare with.</summary>
internal static class OtherRuntime
{
    internal static SessionOptions Options() => new() { IntraOpNumThreads = 1, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };

    internal static List<OnnxValue<float>> Run(ModelProto model, params (string Name, OnnxValue<float> Value)[] inputs)
    {
        using var options = Options();
        using var session = new InferenceSession(model.ToByteArray(), options);
        return Run(session, inputs);
    }

    internal static List<OnnxValue<float>> Run(InferenceSession session, params (string Name, OnnxValue<float> Value)[] inputs)
    {
        var values = inputs.Select(input => ToOrt(input.Value)).ToArray();
        using var run = new RunOptions();
        using var outputs = session.Run(run, [.. inputs.Select(input => input.Name)], values, session.OutputNames);
        var result = outputs.Select(FromOrt).ToList();
        Array.ForEach(values, value => value.Dispose());
        return result;
    }

    private static OrtValue ToOrt(OnnxValue<float> value)
    {
        long[] shape = [.. value.Shape.Select(dimension => (long)dimension)];
        return value.ElementType switch
        {
            OnnxElementType.Float => OrtValue.CreateTensorValueFromMemory(value.Tensor.ToArray(), shape),
            OnnxElementType.Int64 => OrtValue.CreateTensorValueFromMemory(value.Integers.ToArray(), shape),
            OnnxElementType.Int32 => OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(value.Integers.ToArray(), number => (int)number), shape),
            OnnxElementType.Boolean => OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(value.Integers.ToArray(), number => number != 0), shape),
            OnnxElementType.UInt8 => OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(value.Integers.ToArray(), number => (byte)number), shape),
            OnnxElementType.Int8 => OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(value.Integers.ToArray(), number => (sbyte)number), shape),
            _ => throw new ArgumentException($"{value}", nameof(value)),
        };
    }

    private static OnnxValue<float> FromOrt(OrtValue value)
    {
        var info = value.GetTensorTypeAndShape();
        Shape shape = Array.ConvertAll(info.Shape, dimension => (int)dimension);
        return (OnnxElementType)info.ElementDataType switch
        {
            OnnxElementType.Float => Tensor<float>.From(value.GetTensorDataAsSpan<float>(), shape),
            OnnxElementType.Int64 => OnnxValue<float>.FromIntegers(value.GetTensorDataAsSpan<long>(), shape),
            OnnxElementType.Int32 => OnnxValue<float>.FromIntegers(value.GetTensorDataAsSpan<int>(), shape),
            OnnxElementType.Boolean => OnnxValue<float>.FromBooleans(value.GetTensorDataAsSpan<bool>(), shape),
            OnnxElementType.UInt8 => new(Array.ConvertAll(value.GetTensorDataAsSpan<byte>().ToArray(), number => (long)number), shape, OnnxElementType.UInt8),
            OnnxElementType.Int8 => new(Array.ConvertAll(value.GetTensorDataAsSpan<sbyte>().ToArray(), number => (long)number), shape, OnnxElementType.Int8),
            var other => throw new InvalidOperationException($"{other}"),
        };
    }
}
