using Samples;

namespace RnnTool;

/// <summary>Errors of the libraries as what the user gave wrong.</summary>
internal static class ToolErrors
{
    /// <summary>The error for the user, without the name of a parameter of the method that found it.</summary>
    internal static InputException Input(Exception error)
    {
        var text = error.Message;
        if (error is ArgumentException { ParamName: { } parameter })
        {
            var end = text.IndexOf($" (Parameter '{parameter}')", StringComparison.Ordinal);
            text = end < 0 ? text : text[..end];
        }

        return new(text, error);
    }
}
