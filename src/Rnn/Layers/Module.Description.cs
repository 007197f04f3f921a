using Rnn.Formats;

namespace Rnn.Layers;

public abstract partial class Module<T>
{
    /// <summary>The key of a module's description in the metadata of its file.</summary>
    internal const string DescriptionKey = "rnn.module";

    private const string FormatKey = "rnn.format";
    private const string FormatVersion = "2";

    /// <summary>
    /// The type under which a file names this module, so that <see cref="Open(string)"/> can recreate it; null where it cannot. A module of your own overrides it and
    /// <see cref="Describe"/>, and is made known by <see cref="ModuleCatalog.Register"/>.
    /// </summary>
    protected virtual string? FileType => null;

    /// <summary>Writes what the constructor needs: sizes, options, parts; not the parameters.</summary>
    /// <param name="writer">Receives the members.</param>
    protected virtual void Describe(DescriptionWriter writer)
    {
    }

    /// <summary><see cref="FileType"/>, for the library.</summary>
    internal string? TypeInFiles => FileType;

    /// <summary><see cref="Describe"/>, for the library.</summary>
    internal void DescribeTo(DescriptionWriter writer) => Describe(writer);

    /// <summary>Recreates the module that <c>Save</c> wrote, of whatever type, with its parameters. (<c>Load</c> fills a module that exists.)</summary>
    /// <param name="path">The file.</param>
    /// <returns>The module, in evaluation mode, in single precision compressed where it was saved so; cast it to its type.</returns>
    /// <exception cref="InvalidDataException">The file is damaged, says nothing of how to make the module, or is of a type that <see cref="ModuleCatalog"/> does not know.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Module<T> Open(string path)
    {
        using var reader = SafeTensorsReader.Open(path);
        return Open(reader, ModuleCatalog.Create<T>);
    }

    /// <summary>As <see cref="Open(string)"/>, from a stream.</summary>
    /// <param name="stream">The stream, from its position to its end; left open. One that is not seekable is read into memory.</param>
    /// <returns>The module, in evaluation mode; cast it to its type.</returns>
    /// <exception cref="InvalidDataException">The content is damaged, says nothing of how to make the module, or is of an unknown type.</exception>
    public static Module<T> Open(Stream stream)
    {
        using var reader = SafeTensorsReader.Of(stream);
        return Open(reader, ModuleCatalog.Create<T>);
    }

    /// <summary>Makes a module of one type from the description in a file, and fills it.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, or of something else; the message says what its tensors are.</exception>
    internal static TModule Open<TModule>(SafeTensorsReader reader, string type, string name, Func<DescriptionReader, TModule> make)
        where TModule : Module<T>
    {
        if (reader.Header.Metadata.TryGetValue(DescriptionKey, out var description) && DescriptionReader.Read(description, reader.Source, 0, described => described.Type == type))
        {
            return Open(reader, make);
        }

        var entries = reader.Header.Entries;
        throw new InvalidDataException(
            $"{reader.Source}: this safetensors file is not a {name} that {typeof(TModule).Name.Split('`')[0]}.Save wrote: its metadata do not describe one. Its tensors are "
            + $"{(entries.Count == 0 ? "none" : string.Join(", ", entries.Take(5).Select(entry => $"{entry.Name} {entry.Shape}")))}{(entries.Count > 5 ? ", …" : string.Empty)}.");
    }

    /// <summary>Makes a module from the description in a file and fills it.</summary>
    internal static TModule Open<TModule>(SafeTensorsReader reader, Func<DescriptionReader, TModule> make)
        where TModule : Module<T>
    {
        var metadata = reader.Header.Metadata;
        if (!metadata.TryGetValue(DescriptionKey, out var description))
        {
            throw new InvalidDataException(
                $"{reader.Source}: this safetensors file does not say how to make its module: it has no metadata \"{DescriptionKey}\"; make the module in your program and fill it by Load.");
        }

        if (metadata.GetValueOrDefault(FormatKey) != FormatVersion)
        {
            throw new InvalidDataException(
                $"{reader.Source}: expected version {FormatVersion} of the format but the file has {metadata.GetValueOrDefault(FormatKey) ?? "none"}; a newer library may read it.");
        }

        return Fill(reader, DescriptionReader.Read(description, reader.Source, reader.WeightCount, make));
    }

    /// <summary>Reads the parameters of a module that has just been made.</summary>
    internal static TModule Fill<TModule>(SafeTensorsReader reader, TModule module)
        where TModule : Module<T>
    {
        module.Load(reader);
        CompressedFiles.Restore(module, reader.Header);
        module.Evaluate();
        return module;
    }
}
