using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using PureHDF;
using PureHDF.VOL.Native;

namespace Rnn.Keras;

/// <summary>An HDF5 file, read by PureHDF. Whatever is wrong with it is an <see cref="InvalidDataException"/> that names the file.</summary>
internal sealed class HdfFile : IDisposable
{
    private readonly NativeFile _file;
    private readonly Stream _stream;

    private HdfFile(NativeFile file, Stream stream, string source) => (_file, _stream, Source) = (file, stream, source);

    /// <summary>The name of the file, for messages.</summary>
    internal string Source { get; }

    /// <summary>Opens a file; the stream is closed with it.</summary>
    /// <exception cref="InvalidDataException">It is no HDF5 file, or damaged.</exception>
    internal static HdfFile Open(Stream stream, string source)
    {
        RequireDynamicCode();
        CopyingChecksumFilter.Register();
        var bounded = new BoundedStream(stream, source);
        return new(Guard(source, "it is no HDF5 file", () => H5File.Open(bounded, leaveOpen: true)), bounded, source);
    }

    /// <summary>Says what is missing in a program that was compiled ahead of time.</summary>
    /// <exception cref="PlatformNotSupportedException">The program cannot make code while it runs.</exception>
    internal static void RequireDynamicCode()
    {
        if (!RuntimeFeature.IsDynamicCodeSupported)
        {
            throw new PlatformNotSupportedException("Files of Keras cannot be read or written in a program compiled ahead of time: PureHDF, which does it, makes methods while it runs. Save the network once as safetensors, and open that.");
        }
    }

    public void Dispose()
    {
        _file.Dispose();
        _stream.Dispose();
    }

    /// <summary>Whether there is a group or data set of this path.</summary>
    internal bool Exists(string path) => Find(path) is not null;

    /// <summary>The names of what a group holds, in the order of the file; none where there is no such group.</summary>
    internal IReadOnlyList<string> Children(string path) =>
        Find(path) is IH5Group group ? Guard(Source, $"the group '{path}' cannot be read", () => group.Children().Select(child => child.Name).ToArray()) : System.Array.Empty<string>();

    /// <summary>Whether a path is that of a group.</summary>
    internal bool IsGroup(string path) => Find(path) is IH5Group;

    /// <summary>A text attribute of a group, or null.</summary>
    internal string? Text(string path, string name) => Texts(path, name) is [var text, ..] ? text : null;

    /// <summary>The texts of an attribute of a group; null where there is none. Keras cuts long ones in pieces, name0, name1, …</summary>
    internal IReadOnlyList<string>? Texts(string path, string name)
    {
        if (Find(path) is not { } item)
        {
            return null;
        }

        return Guard(Source, $"the attribute '{name}' of '{path}' cannot be read", () =>
        {
            if (item.AttributeExists(name))
            {
                return Texts(item.Attribute(name));
            }

            List<string>? pieces = null;
            for (var piece = 0; item.AttributeExists($"{name}{piece.ToString(CultureInfo.InvariantCulture)}"); piece++)
            {
                (pieces ??= []).AddRange(Texts(item.Attribute($"{name}{piece.ToString(CultureInfo.InvariantCulture)}")));
            }

            return pieces?.ToArray();
        });
    }

    /// <summary>A data set of numbers; its values are read when they are wanted.</summary>
    /// <exception cref="InvalidDataException">There is none of this path, it holds no numbers that this library knows, or more than the file can.</exception>
    internal HdfArray Array(string path)
    {
        if (Find(path) is not NativeDataset dataset)
        {
            throw new InvalidDataException($"{Source}: there is no data set '{path}'.");
        }

        return Guard(Source, $"the data set '{path}' cannot be read", () =>
        {
            var dimensions = dataset.Space.Dimensions;
            var isHalf = dataset.Type.Size == 2 && dataset.AttributeExists("dtype") && dataset.Attribute("dtype").Read<string>() == "bfloat16";
            var type = (dataset.Type.Class, dataset.Type.Size) switch
            {
                (_, 2) when isHalf => HdfType.BFloat16,
                (H5DataTypeClass.FloatingPoint, 2) => HdfType.Half,
                (H5DataTypeClass.FloatingPoint, 4) => HdfType.Single,
                (H5DataTypeClass.FloatingPoint, 8) => HdfType.Double,
                _ => throw new InvalidDataException($"it holds {dataset.Type.Class} numbers of {dataset.Type.Size} bytes; expected floating-point numbers of 2, 4 or 8 bytes"),
            };
            UInt128 length = 1;
            foreach (var dimension in dimensions)
            {
                length *= dimension;
                if (dimension > int.MaxValue || length > int.MaxValue)
                {
                    throw new InvalidDataException($"its dimensions {string.Join(" × ", dimensions)} are more than an array can hold");
                }
            }

            // A chunk is made room for as a whole.
            if (dataset.Layout.Class == H5DataLayoutClass.Chunked)
            {
                var chunk = dataset.Layout.Chunks.Aggregate((double)dataset.Type.Size, (product, size) => product * size);
                if (chunk > (double)_stream.Length * BoundedStream.MostCompression)
                {
                    throw new InvalidDataException($"its chunks of {string.Join(" × ", dataset.Layout.Chunks)} numbers are more than the file of {_stream.Length} bytes holds");
                }
            }

            var most = (UInt128)(ulong)_stream.Length * (dataset.Layout.Class == H5DataLayoutClass.Chunked ? BoundedStream.MostCompression : 1UL);
            if (dataset.Layout.Class == H5DataLayoutClass.VirtualStorage || length * (uint)dataset.Type.Size > most)
            {
                throw new InvalidDataException($"its {string.Join(" × ", dimensions)} numbers are more than the file of {_stream.Length} bytes holds");
            }

            return new HdfArray(Source, path, [.. dimensions.Select(dimension => (int)dimension)], type, dataset);
        });
    }

    /// <summary>Runs what PureHDF does: it throws exceptions of any kind where a file is damaged.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "PureHDF throws exceptions of any kind, Exception itself among them.")]
    internal static TResult Guard<TResult>(string source, string problem, Func<TResult> read)
    {
        try
        {
            return read();
        }
        catch (InvalidDataException exception) when (exception.Message.StartsWith(source, StringComparison.Ordinal))
        {
            throw;
        }
        catch (Exception exception)
        {
            throw new InvalidDataException($"{source}: {problem}: {exception.Message}", exception);
        }
    }

    private static string[] Texts(IH5Attribute attribute)
    {
        // An empty list is an array of no numbers, since NumPy does not know of what.
        if (attribute.Space.Dimensions.Any(dimension => dimension == 0))
        {
            return System.Array.Empty<string>();
        }

        return attribute.Space.Rank == 0 ? [attribute.Read<string>()] : attribute.Read<string[]>();
    }

    private IH5Object? Find(string path) => Guard(Source, $"'{path}' cannot be found", () =>
    {
        IH5Object found = _file;
        foreach (var name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (found is not IH5Group group || !group.LinkExists(name))
            {
                return null;
            }

            found = group.Get(name);
        }

        return found;
    });
}

/// <summary>How the numbers of a data set are stored.</summary>
internal enum HdfType
{
    Half,
    BFloat16,
    Single,
    Double,
}
