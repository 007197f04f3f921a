using System.Text;

namespace Samples;

/// <summary>Files that the command line names: errors say which option and what is wrong.</summary>
public static class InputFiles
{
    /// <summary>A text in UTF-8, without a byte order mark.</summary>
    /// <exception cref="InputException">There is no such file, it is empty or no UTF-8.</exception>
    public static string ReadText(string option, string path)
    {
        var bytes = Guard(option, path, () => File.ReadAllBytes(path));
        try
        {
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes).TrimStart('\uFEFF');
            return text.Length > 0 ? text : throw new InputException($"{option}: the file {path} is empty; give a text to learn from.");
        }
        catch (DecoderFallbackException error)
        {
            throw new InputException(
                $"{option}: expected UTF-8 but {path} has the byte 0x{error.BytesUnknown?[0]:X2} at position {error.Index}, which is none; convert the file to UTF-8.", error);
        }
    }

    /// <summary>The path of a file inside a folder that must be there.</summary>
    /// <exception cref="InputException">There is no such folder or no such file in it.</exception>
    public static string Find(string option, string folder, string name)
    {
        var path = Path.Combine(folder, name);
        return File.Exists(path) ? path : throw new InputException(
            Directory.Exists(folder) ? $"{option}: the folder {folder} has no file {name}." : $"{option}: there is no folder {folder}; check the name and the folder ({Environment.CurrentDirectory}).");
    }

    /// <summary>Refuses a path that could not be written after a long training.</summary>
    public static void CheckSavePath(string option, string path)
    {
        var full = Path.GetFullPath(path);
        if (Directory.Exists(full))
        {
            throw new InputException($"{option}: expected a file but {path} is a folder; add a file name.");
        }

        if (!Directory.Exists(Path.GetDirectoryName(full)))
        {
            throw new InputException($"{option}: the folder of {path} does not exist; make it first or choose another.");
        }
    }

    /// <summary>Does what needs a file; what goes wrong with it names the option.</summary>
    public static TResult Guard<TResult>(string option, string path, Func<TResult> action)
    {
        ArgumentNullException.ThrowIfNull(action);
        try
        {
            return action();
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException($"{option}: there is no file {path}; check the name and the folder ({Environment.CurrentDirectory}).", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidDataException or ArgumentException or FormatException)
        {
            throw new InputException($"{option}: {(Directory.Exists(path) ? $"expected a file but {path} is a folder." : error.Message)}", error);
        }
    }
}
