namespace Rnn.Onnx.Import;

/// <summary>A run would pass one of its limits; users see it as an <see cref="InvalidDataException"/> that names the node.</summary>
internal sealed class SizeLimitException(string message) : InvalidOperationException(message)
{
    /// <summary>Whether an exception was caused by a limit.</summary>
    internal static bool Caused(Exception? exception)
    {
        while (exception is not null and not SizeLimitException)
        {
            exception = exception.InnerException;
        }

        return exception is not null;
    }
}
