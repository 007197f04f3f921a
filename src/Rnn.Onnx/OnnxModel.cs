using System.Numerics;
using Google.Protobuf;
using Rnn.Onnx.Schema;

namespace Rnn.Onnx;

/// <summary>Loads models from ONNX files.</summary>
public static class OnnxModel
{
    /// <summary>Loads a model from a file. Tensors that the model keeps in other files must lie in its folder or below.</summary>
    /// <typeparam name="T">The floating-point type that the model computes in, whichever the file declares: <see cref="float"/> or <see cref="double"/>.</typeparam>
    /// <param name="path">The file.</param>
    /// <param name="options">Limits, or null for the defaults.</param>
    /// <exception cref="InvalidDataException">The file is not an ONNX model or is damaged, or has an operator or attribute that is not supported; the message names it, its node and the operator set.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static OnnxModel<T> Load<T>(string path, OnnxOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Load<T>(File.ReadAllBytes(path), path, Path.GetDirectoryName(Path.GetFullPath(path)), options);
    }

    /// <summary>Loads a model from a stream, to its end. The model must hold all of its tensors itself.</summary>
    /// <typeparam name="T">The floating-point type that the model computes in.</typeparam>
    /// <param name="stream">The stream; it stays open.</param>
    /// <param name="options">Limits, or null for the defaults.</param>
    /// <exception cref="InvalidDataException">As for a file.</exception>
    public static OnnxModel<T> Load<T>(Stream stream, OnnxOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        return Load<T>(memory.GetBuffer().AsSpan(0, (int)memory.Length), "stream", null, options);
    }

    /// <summary>Loads a model from the bytes of a file. The model must hold all of its tensors itself.</summary>
    /// <typeparam name="T">The floating-point type that the model computes in.</typeparam>
    /// <param name="bytes">The bytes.</param>
    /// <param name="options">Limits, or null for the defaults.</param>
    /// <exception cref="InvalidDataException">As for a file.</exception>
    public static OnnxModel<T> Load<T>(ReadOnlySpan<byte> bytes, OnnxOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T> => Load<T>(bytes, "bytes", null, options);

    private static OnnxModel<T> Load<T>(ReadOnlySpan<byte> bytes, string source, string? folder, OnnxOptions? options)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ModelProto proto;
        try
        {
            proto = ModelProto.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException exception)
        {
            throw new InvalidDataException($"{source}: not an ONNX model: {exception.Message}", exception);
        }

        if (proto.Graph is null)
        {
            throw new InvalidDataException($"{source}: not an ONNX model; there is no graph.");
        }

        try
        {
            return new(proto, folder, options ?? new());
        }
        catch (Exception exception) when (exception is InvalidDataException or ArgumentException or OverflowException)
        {
            throw new InvalidDataException($"{source}: {exception.Message}", exception);
        }
    }
}
