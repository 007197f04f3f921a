namespace Rnn.Formats;

/// <summary>Replaces files so that nobody ever sees half of one.</summary>
internal static class AtomicFile
{
    /// <summary>
    /// Writes into a temporary file beside the target, flushes it to the disk and renames it. On any failure or cancellation the
    /// target is as it was and the temporary file is gone.
    /// </summary>
    internal static void Write(string path, Action<Stream> write, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var target = Target(path);
        var temporary = Path.Combine(Path.GetDirectoryName(target)!, $".{Path.GetFileName(target)}.{Guid.NewGuid():N}.tmp");
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            cancellationToken.ThrowIfCancellationRequested();
            File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            // Also when the folder does not exist or the disk is full: the first error is the one to report.
            TryDelete(temporary);
            throw;
        }
    }

    // A rename would replace a symbolic link, not the file that it points to.
    private static string Target(string path)
    {
        var file = new FileInfo(path);
        var target = file.LinkTarget is null ? file.FullName : file.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
        return Directory.Exists(Path.GetDirectoryName(target))
            ? target
            : throw new DirectoryNotFoundException($"path: the folder of '{path}' does not exist; make it first.");
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
        }
    }
}
