using System.Text;
using Rnn.Models;
using Rnn.Sequences;

namespace CharRnn;

/// <summary>Something the user gave is wrong: the message names it, says what was given and what would be right.</summary>
internal sealed class InputException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Texts and models from files, with messages that name the option.</summary>
internal static class Files
{
    /// <summary>The sources of the library, which the program carries inside.</summary>
    internal static string OwnSources()
    {
        var assembly = typeof(Files).Assembly;
        var text = new StringBuilder();
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.StartsWith("sources/", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            text.Append(reader.ReadToEnd().ReplaceLineEndings("\n")).Append('\n');
        }

        return text.ToString();
    }

    internal static string ReadText(string path)
    {
        var bytes = Guard("--text", path, () => File.ReadAllBytes(path));
        try
        {
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes).TrimStart('\uFEFF');
            return text.Length > 0 ? text : throw new InputException($"--text: the file {path} is empty; give a text to learn from.");
        }
        catch (DecoderFallbackException error)
        {
            throw new InputException(
                $"--text: expected UTF-8 but {path} has the byte 0x{error.BytesUnknown?[0]:X2} at position {error.Index}, which is none; convert the file to UTF-8.", error);
        }
    }

    internal static LanguageModel<float> LoadModel(string path)
    {
        var model = Guard("--load", path, () => LanguageModel<float>.Open(path));
        return model.Vocabulary is not null
            ? model
            : throw new InputException($"--load: the model {path} has no vocabulary and cannot read text; give one that this program saved.");
    }

    /// <summary>The tokens of a text that came from an option.</summary>
    internal static int[] Encode(IVocabulary vocabulary, string text, string option)
    {
        try
        {
            return vocabulary.Encode(text);
        }
        catch (ArgumentException error)
        {
            throw new InputException($"{option}: {error.Message.Split(" (Parameter")[0].Replace("text: ", string.Empty, StringComparison.Ordinal)}", error);
        }
    }

    /// <summary>Refuses a path that could not be written after a long training.</summary>
    internal static void CheckSavePath(string path)
    {
        var full = Path.GetFullPath(path);
        if (Directory.Exists(full))
        {
            throw new InputException($"--save: expected a file but {path} is a folder; add a file name.");
        }

        if (!Directory.Exists(Path.GetDirectoryName(full)))
        {
            throw new InputException($"--save: the folder of {path} does not exist; make it first or choose another.");
        }
    }

    internal static void Save(LanguageModel<float> model, string path) => Guard("--save", path, () =>
    {
        model.Save(path);
        return true;
    });

    private static TResult Guard<TResult>(string option, string path, Func<TResult> action)
    {
        try
        {
            return action();
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException($"{option}: there is no file {path}; check the name and the folder ({Environment.CurrentDirectory}).", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidDataException or ArgumentException)
        {
            throw new InputException($"{option}: {(Directory.Exists(path) ? $"expected a file but {path} is a folder." : error.Message)}", error);
        }
    }
}
