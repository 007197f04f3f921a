using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Rnn.Formats;

/// <summary>The formats of files of named tensors: recognises one by its first bytes, and has the checks that all share.</summary>
internal static class WeightFormats
{
    /// <summary>The largest rank that a tensor of a file may have; NumPy's and PyTorch's limit is 64.</summary>
    internal const int MaxRank = 64;

    private static ReadOnlySpan<byte> Hdf5 => [0x89, (byte)'H', (byte)'D', (byte)'F', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Reads what a file has, all but the values of its tensors.</summary>
    /// <exception cref="InvalidDataException">The file is damaged or of none of the formats.</exception>
    internal static WeightFile Read(ByteSource bytes, string source, IDisposable? owner = null)
    {
        try
        {
            var start = bytes.Read(0, (int)Math.Min(16, bytes.Length)).AsSpan();
            if (start.IsEmpty)
            {
                throw new InvalidDataException($"{source}: the file is empty.");
            }

            if (start.StartsWith(NumPyReader.Magic))
            {
                return new(source, "NumPy", new WeightEntry[] { NumPyReader.Read(bytes, string.Empty, source) }) { Owner = owner };
            }

            if (start.StartsWith("PK"u8))
            {
                var archive = ZipDirectory.Read(bytes, source);
                return PyTorchReader.IsPyTorch(archive) ? PyTorchReader.Read(archive, source, owner) : NumPyReader.Read(archive, source, owner);
            }

            if (start.StartsWith(PyTorchReader.LegacyMagic))
            {
                return PyTorchReader.ReadLegacy(bytes, source, owner);
            }

            if (start.Length >= 9 && start[8] == '{' && BinaryPrimitives.ReadUInt64LittleEndian(start) <= SafeTensorsHeader.MaxJsonLength)
            {
                return SafeTensors.Read(bytes, source, owner);
            }

            if (start.StartsWith(Hdf5))
            {
                throw new InvalidDataException($"{source}: an HDF5 file, as Keras writes; the package Rnn.Keras reads it.");
            }

            return TorchSharpReader.Read(bytes, source, owner) ?? throw new InvalidDataException(
                $"{source}: no file of named tensors: neither safetensors nor .npy, .npz, a file of torch.save or of TorchSharp. It begins with {Convert.ToHexString(start)} ('{Printable(start)}').");
        }
        catch (Exception exception) when (exception is OverflowException or EndOfStreamException or OutOfMemoryException)
        {
            throw new InvalidDataException($"{source}: the file is damaged: {exception.Message}", exception);
        }
    }

    /// <summary>Refuses sizes that no tensor can have, and gives the shape.</summary>
    internal static Tensors.Shape Shape(ReadOnlySpan<long> sizes, string name, string source)
    {
        if (sizes.Length <= MaxRank)
        {
            var dimensions = new int[sizes.Length];
            var fits = true;
            for (var i = 0; i < sizes.Length; i++)
            {
                fits &= sizes[i] >= 0 && sizes[i] <= Array.MaxLength;
                dimensions[i] = (int)sizes[i];
            }

            try
            {
                if (fits)
                {
                    return new(dimensions);
                }
            }
            catch (ArgumentException)
            {
            }
        }

        throw new InvalidDataException(
            $"{source}: the tensor '{name}' of shape [{WeightFile.List(sizes.ToArray().Select(size => size.ToString(CultureInfo.InvariantCulture)), MaxRank)}] {(sizes.Length > MaxRank || sizes.ContainsAnyInRange(long.MinValue, -1) ? "is none" : "is larger than a tensor can be")}.");
    }

    /// <summary>A text of UTF-8.</summary>
    /// <exception cref="InvalidDataException">The bytes are not valid UTF-8.</exception>
    internal static string Text(ReadOnlySpan<byte> bytes, string source)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (ArgumentException exception)
        {
            throw new InvalidDataException($"{source}: a name or text is not valid UTF-8: '{Printable(bytes[..Math.Min(40, bytes.Length)])}'.", exception);
        }
    }

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static string Printable(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        foreach (var value in bytes)
        {
            text.Append(value is >= 0x20 and < 0x7F ? (char)value : '.');
        }

        return text.ToString();
    }
}
