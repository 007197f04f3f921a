using Rnn.Models;
using Rnn.Sequences;
using Samples;

namespace CharRnn;

/// <summary>Texts and models from files, with messages that name the option.</summary>
internal static class Files
{
    internal static LanguageModel<float> LoadModel(string path, bool mayBeFrozen)
    {
        var model = InputFiles.Guard("--load", path, () => LanguageModel<float>.Open(path));
        if (model.Vocabulary is null)
        {
            throw new InputException($"--load: the model {path} has no vocabulary and cannot read text; give one that this program saved.");
        }

        return mayBeFrozen || !model.Parameters.Any(parameter => parameter.Frozen)
            ? model
            : throw new InputException($"--load: the weights of {path} are compressed or frozen and cannot be trained; give --prompt alone, or the model as it was before.");
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

    internal static void Save(LanguageModel<float> model, string path) => InputFiles.Guard("--save", path, () =>
    {
        model.Save(path);
        return true;
    });
}
