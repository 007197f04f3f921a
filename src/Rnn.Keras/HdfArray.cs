using System.Numerics;
using PureHDF.VOL.Native;

namespace Rnn.Keras;

/// <summary>A data set of numbers.</summary>
/// <param name="source">The file, for messages.</param>
/// <param name="path">Its path in the file.</param>
/// <param name="shape">Its dimensions.</param>
/// <param name="type">How its numbers are stored.</param>
/// <param name="dataset">The data set itself.</param>
internal sealed class HdfArray(string source, string path, int[] shape, HdfType type, NativeDataset dataset)
{
    /// <summary>Its path in the file.</summary>
    internal string Path => path;

    /// <summary>Its dimensions.</summary>
    internal int[] Shape => shape;

    /// <summary>The dimensions, for messages.</summary>
    internal string ShapeText => $"[{string.Join(", ", shape)}]";

    private int Length => shape.Aggregate(1, (product, size) => product * size);

    /// <summary>Refuses another shape.</summary>
    /// <exception cref="InvalidDataException">The shape is another.</exception>
    internal HdfArray Expect(string layer, string what, params ReadOnlySpan<int> expected) => expected.SequenceEqual(shape)
        ? this
        : throw new InvalidDataException($"{source}: the layer '{layer}': {what} '{path}' has shape {ShapeText}; expected [{string.Join(", ", expected.ToArray())}].");

    /// <summary>All values, row-major.</summary>
    /// <exception cref="InvalidDataException">They cannot be read.</exception>
    internal T[] Read<T>()
        where T : unmanaged, IFloatingPointIeee754<T> => type switch
        {
            HdfType.Half => Converted<Half, T>(T.CreateTruncating),
            HdfType.BFloat16 => Converted<ushort, T>(bits => T.CreateTruncating(BitConverter.UInt32BitsToSingle((uint)bits << 16))),
            HdfType.Single => Converted<float, T>(T.CreateTruncating),
            _ => Converted<double, T>(T.CreateTruncating),
        };

    private T[] Converted<TStored, T>(Func<TStored, T> convert)
        where TStored : unmanaged => HdfFile.Guard(source, $"the data set '{path}' cannot be read", () =>
        {
            if (Length == 0)
            {
                return System.Array.Empty<T>();
            }

            var stored = new TStored[Length];
            dataset.Read<TStored>(stored.AsSpan());
            return stored is T[] same ? same : System.Array.ConvertAll(stored, value => convert(value));
        });
}
