using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Formats;

/// <summary>One tensor of a file that is to be written: what the header says of it, and what writes its bytes.</summary>
internal sealed record SafeTensorsPart(string Name, WeightType Type, Shape Shape, Action<Stream, CancellationToken> Write)
{
    private const int ChunkElements = 1 << 16;

    /// <summary>A tensor in its own element type.</summary>
    internal static SafeTensorsPart Of<T>(string name, Tensor<T> tensor)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        new(name, WeightConversion.TypeOf<T>(), tensor.Shape, (stream, cancellationToken) =>
        {
            var rest = tensor.AsReadOnlySpan();
            while (!rest.IsEmpty)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var count = Math.Min(rest.Length, ChunkElements);
                stream.Write(WeightConversion.Write(rest[..count]));
                rest = rest[count..];
            }
        });
}
