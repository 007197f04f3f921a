using System.IO.Compression;
using System.Numerics;
using System.Text;
using Rnn.Tensors;

namespace Rnn.Formats;

/// <summary>
/// Writes arrays of NumPy: <c>.npy</c> of one, <c>.npz</c> of several with names. They are read by <see cref="WeightFile"/>, from all versions of the format, in the order of C or Fortran, with little-endian or big-endian
/// numbers of any type, stored or compressed.
/// </summary>
/// <example>
/// <code>
/// NumPy.Write("features.npy", features);                       // numpy.load("features.npy")
/// Tensor&lt;float&gt; x = NumPy.Read&lt;float&gt;("features.npy");
/// NumPy.WriteArchive("weights.npz", layer.ToPyTorch());
/// using var file = WeightFile.Open("weights.npz");
/// </code>
/// </example>
public static class NumPy
{
    /// <summary>Reads an <c>.npy</c> file.</summary>
    /// <param name="path">The file.</param>
    /// <typeparam name="T">The element type wanted; the file may hold floating-point numbers of 16, 32 or 64 bits, whole numbers or truth values.</typeparam>
    /// <exception cref="InvalidDataException">The file is no such array, or of a type that is not read.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Tensor<T> Read<T>(string path)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var file = WeightFile.Open(path);
        return file is { Format: "NumPy", Entries: [{ Name.Length: 0 }] }
            ? file.Get<T>()
            : throw new InvalidDataException($"{file.Source}: expected an .npy array but this is a file of named tensors ({file.Format}); WeightFile.Open reads it.");
    }

    /// <summary>Writes an <c>.npy</c> file in one piece: little-endian, row-major, <c>float32</c> or <c>float64</c> as <typeparamref name="T"/> is.</summary>
    /// <param name="path">The file to make or replace.</param>
    /// <param name="tensor">The array.</param>
    /// <param name="half">Whether to write <c>float16</c>, rounded to the nearest.</param>
    /// <typeparam name="T">The element type of the tensor.</typeparam>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write<T>(string path, Tensor<T> tensor, bool half = false)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(tensor);
        AtomicFile.Write(path, stream => Write(stream, tensor, half));
    }

    /// <summary>Writes to a stream what <see cref="Write{T}(string, Tensor{T}, bool)"/> writes to a file.</summary>
    /// <param name="stream">Where to; left open and not flushed.</param>
    /// <param name="tensor">The array.</param>
    /// <param name="half">Whether to write <c>float16</c>, rounded to the nearest.</param>
    /// <typeparam name="T">The element type of the tensor.</typeparam>
    public static void Write<T>(Stream stream, Tensor<T> tensor, bool half = false)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(tensor);
        var type = half ? "f2" : WeightConversion.TypeOf<T>() == WeightType.Float64 ? "f8" : "f4";
        var sizes = tensor.Rank == 1 ? $"{tensor.Length}," : string.Join(", ", tensor.Shape.Dimensions.ToArray());
        var header = $"{{'descr': '<{type}', 'fortran_order': False, 'shape': ({sizes}), }}";

        // The data begin at a multiple of 64 bytes, so that they can be mapped. A rank of thousands would need version 2; tensors have none.
        header = header.PadRight(((header.Length + 11 + 63) / 64 * 64) - 11) + "\n";
        stream.Write(NumPyReader.Magic);
        stream.Write([1, 0, (byte)header.Length, (byte)(header.Length >> 8)]);
        stream.Write(Encoding.ASCII.GetBytes(header));
        if (half)
        {
            var halves = new Half[tensor.Length];
            System.Numerics.Tensors.TensorPrimitives.ConvertTruncating(tensor.AsReadOnlySpan(), halves.AsSpan());
            stream.Write(WeightConversion.Write<Half>(halves));
        }
        else
        {
            SafeTensorsPart.Of(string.Empty, tensor).Write(stream, default);
        }
    }

    /// <summary>Writes an <c>.npz</c> archive in one piece.</summary>
    /// <param name="path">The file to make or replace.</param>
    /// <param name="tensors">Names and arrays.</param>
    /// <param name="compressed">Whether to deflate, as <c>numpy.savez_compressed</c> does; weights gain little.</param>
    /// <param name="cancellationToken">Ends the writing; the path keeps its old content.</param>
    /// <typeparam name="T">The element type of the tensors.</typeparam>
    /// <exception cref="ArgumentException">A name comes twice, is empty, or holds half of a surrogate pair.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void WriteArchive<T>(
        string path, IEnumerable<KeyValuePair<string, Tensor<T>>> tensors, bool compressed = false, CancellationToken cancellationToken = default)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var list = Checked(tensors);
        AtomicFile.Write(
            path,
            stream =>
            {
                using var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
                foreach (var (name, tensor) in list)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    using var member = archive.CreateEntry($"{name}.npy", compressed ? CompressionLevel.Optimal : CompressionLevel.NoCompression).Open();
                    Write(member, tensor);
                }
            },
            cancellationToken);
    }

    /// <summary>Names and tensors that a file can hold.</summary>
    /// <exception cref="ArgumentException">A name comes twice, is empty, or holds half of a surrogate pair.</exception>
    internal static List<KeyValuePair<string, Tensor<T>>> Checked<T>(IEnumerable<KeyValuePair<string, Tensor<T>>> tensors)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(tensors);
        var list = tensors.ToList();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, tensor) in list)
        {
            ArgumentException.ThrowIfNullOrEmpty(name, nameof(tensors));
            ArgumentNullException.ThrowIfNull(tensor, nameof(tensors));
            UnicodeText.Check(name, nameof(tensors), $"the name '{name}':");
            if (!names.Add(name))
            {
                throw new ArgumentException($"tensors: the name '{name}' comes twice.", nameof(tensors));
            }
        }

        return list;
    }
}
