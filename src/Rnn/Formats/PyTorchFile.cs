using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.Numerics;
using System.Text;
using Rnn.Tensors;

namespace Rnn.Formats;

/// <summary>Writes files that <c>torch.load</c> reads as a state dict. They are read, as all of <c>torch.save</c> that hold tensors, by <see cref="WeightFile"/>.</summary>
/// <example>
/// <code>
/// PyTorchFile.Write("lstm.pt", lstm.ToPyTorch());   // Python: torch_lstm.load_state_dict(torch.load("lstm.pt"))
/// </code>
/// </example>
public static class PyTorchFile
{
    /// <summary>Writes a file in one piece. What shares memory, such as tied weights, is written once and shared there too.</summary>
    /// <param name="path">The file to make or replace.</param>
    /// <param name="tensors">Names and tensors, such as <c>layer.ToPyTorch()</c> gives; their order is kept.</param>
    /// <param name="cancellationToken">Ends the writing; the path keeps its old content.</param>
    /// <typeparam name="T">The element type of the tensors and of the file.</typeparam>
    /// <exception cref="ArgumentException">A name comes twice, is empty, or holds half of a surrogate pair.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write<T>(string path, IEnumerable<KeyValuePair<string, Tensor<T>>> tensors, CancellationToken cancellationToken = default)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var list = NumPy.Checked(tensors);
        AtomicFile.Write(path, stream => WriteTo(stream, list, cancellationToken), cancellationToken);
    }

    /// <summary>Writes to a stream what <see cref="Write{T}(string, IEnumerable{KeyValuePair{string, Tensor{T}}}, CancellationToken)"/> writes to a file.</summary>
    /// <param name="stream">Where to; left open and not flushed.</param>
    /// <param name="tensors">Names and tensors; their order is kept.</param>
    /// <param name="cancellationToken">Ends the writing part way.</param>
    /// <typeparam name="T">The element type of the tensors and of the file.</typeparam>
    /// <exception cref="ArgumentException">A name comes twice, is empty, or holds half of a surrogate pair.</exception>
    public static void Write<T>(Stream stream, IEnumerable<KeyValuePair<string, Tensor<T>>> tensors, CancellationToken cancellationToken = default)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(stream);
        WriteTo(stream, NumPy.Checked(tensors), cancellationToken);
    }

    private static void WriteTo<T>(Stream stream, List<KeyValuePair<string, Tensor<T>>> tensors, CancellationToken cancellationToken)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // Storages by their memory, in the order of their first tensors.
        var storages = new List<Tensor<T>>();
        var keys = new Dictionary<Storage<T>, int>();
        foreach (var (_, tensor) in tensors)
        {
            if (keys.TryAdd(tensor.Memory, storages.Count))
            {
                storages.Add(tensor);
            }
        }

        var pickle = new PickleWriter();
        pickle.Begin();
        foreach (var (name, tensor) in tensors)
        {
            pickle.Tensor(name, WeightConversion.TypeOf<T>() == WeightType.Float64 ? "DoubleStorage" : "FloatStorage", keys[tensor.Memory], tensor.Shape);
        }

        using var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
        WriteMember("archive/data.pkl", pickle.End());
        WriteMember("archive/byteorder", "little"u8);
        for (var i = 0; i < storages.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var member = Create($"archive/data/{i}");
            SafeTensorsPart.Of(string.Empty, storages[i]).Write(member, cancellationToken);
        }

        WriteMember("archive/version", "3\n"u8);

        Stream Create(string name) => archive.CreateEntry(name, CompressionLevel.NoCompression).Open();

        void WriteMember(string name, ReadOnlySpan<byte> bytes)
        {
            using var member = Create(name);
            member.Write(bytes);
        }
    }

    /// <summary>Writes the pickle of a state dict, of protocol 2.</summary>
    private sealed class PickleWriter
    {
        private readonly ArrayBufferWriter<byte> _bytes = new();

        internal void Begin()
        {
            Add([0x80, 2]);
            Add("ccollections\nOrderedDict\n)R("u8);
        }

        internal void Tensor(string name, string storage, int key, Shape shape)
        {
            Text(name);
            Add("ctorch._utils\n_rebuild_tensor_v2\n(("u8);
            Text("storage");
            Add(Encoding.ASCII.GetBytes($"ctorch\n{storage}\n"));
            Text($"{key}");
            Text("cpu");
            Number(shape.ElementCount);
            Add("tQ"u8);
            Number(0);
            var strides = new int[shape.Rank];
            for (var (axis, stride) = (shape.Rank - 1, 1); axis >= 0; axis--)
            {
                (strides[axis], stride) = (stride, stride * Math.Max(1, shape[axis]));
            }

            Numbers(shape.Dimensions);
            Numbers(strides);

            // No gradient, and no hooks.
            Add([0x89]);
            Add("ccollections\nOrderedDict\n)RtR"u8);
        }

        internal ReadOnlySpan<byte> End()
        {
            Add("u."u8);
            return _bytes.WrittenSpan;
        }

        private void Numbers(ReadOnlySpan<int> numbers)
        {
            Add("("u8);
            foreach (var number in numbers)
            {
                Number(number);
            }

            Add("t"u8);
        }

        private void Number(int number)
        {
            Span<byte> bytes = [(byte)'J', 0, 0, 0, 0];
            BinaryPrimitives.WriteInt32LittleEndian(bytes[1..], number);
            Add(bytes);
        }

        private void Text(string text)
        {
            var letters = Encoding.UTF8.GetBytes(text);
            Span<byte> bytes = [(byte)'X', 0, 0, 0, 0];
            BinaryPrimitives.WriteInt32LittleEndian(bytes[1..], letters.Length);
            Add(bytes);
            Add(letters);
        }

        private void Add(ReadOnlySpan<byte> bytes) => _bytes.Write(bytes);
    }
}
