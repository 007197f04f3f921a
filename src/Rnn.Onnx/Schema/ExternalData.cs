using System.Globalization;

namespace Rnn.Onnx.Schema;

/// <summary>Tensors whose elements lie in another file beside the model's.</summary>
internal static class ExternalData
{
    /// <summary>Reads the bytes of a tensor from the file that it names, which must lie in the model's folder or below it.</summary>
    /// <param name="proto">The tensor.</param>
    /// <param name="folder">The folder of the model's file, or null where the model came from memory.</param>
    /// <param name="length">The bytes that the tensor has by its type and shape.</param>
    /// <exception cref="InvalidDataException">The place is missing, outside of the folder, or too short.</exception>
    internal static byte[] Read(TensorProto proto, string? folder, long length)
    {
        if (folder is null)
        {
            throw TensorProtoConversion.Invalid(proto, "its elements are in an external file; load the model by its path");
        }

        string? location = null;
        long offset = 0;
        long? stated = null;
        foreach (var entry in proto.ExternalData)
        {
            switch (entry.Key)
            {
                case "location":
                    location = entry.Value;
                    break;
                case "offset":
                    offset = Number(proto, entry);
                    break;
                case "length":
                    stated = Number(proto, entry);
                    break;
                default:
                    break;
            }
        }

        if (stated is not null && stated != length)
        {
            throw TensorProtoConversion.Invalid(proto, $"{stated} bytes of external data do not fill its shape, which takes {length}");
        }

        try
        {
            var path = Resolve(proto, folder, location);
            using var file = File.OpenHandle(path);
            if (offset > RandomAccess.GetLength(file) - length)
            {
                throw TensorProtoConversion.Invalid(proto, $"the external file '{location}' ends before byte {offset + length}");
            }

            var bytes = new byte[length];
            for (var read = 0; read < bytes.Length;)
            {
                var count = RandomAccess.Read(file, bytes.AsSpan(read), offset + read);
                read += count > 0 ? count : throw TensorProtoConversion.Invalid(proto, $"the external file '{location}' is cut short");
            }

            return bytes;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"the tensor '{proto.Name}': the external file '{location}' cannot be read.", exception);
        }
    }

    private static string Resolve(TensorProto proto, string folder, string? location)
    {
        if (string.IsNullOrEmpty(location) || location.Contains('\0', StringComparison.Ordinal) || Path.IsPathRooted(location)
            || location.Split('/', '\\').Contains(".."))
        {
            throw TensorProtoConversion.Invalid(proto, $"the external location '{location}' is not a file in the model's folder");
        }

        var root = Path.GetFullPath(folder);
        var path = Path.GetFullPath(Path.Combine(root, location));
        var target = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        var prefix = Path.EndsInDirectorySeparator(root) ? root : root + Path.DirectorySeparatorChar;
        return target.StartsWith(prefix, StringComparison.Ordinal)
            ? target
            : throw TensorProtoConversion.Invalid(proto, $"the external location '{location}' leads out of the model's folder");
    }

    private static long Number(TensorProto proto, StringStringEntryProto entry) =>
        long.TryParse(entry.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw TensorProtoConversion.Invalid(proto, $"the external {entry.Key} '{entry.Value}' is not a whole number");
}
