namespace Rnn.Formats;

/// <summary>Replaces files so that nobody ever sees half of one.</summary>
internal static class AtomicFile
{
    /// <summary>
    /// Writes into a temporary file beside the target, flushes it to the disk and renames it. On any failure or cancellation the
    /// target is as it was and the temporary file is gone. A file that is replaced keeps its mode, and its owner where the system permits;
    /// a symbolic link goes on to point to the file; what is not a regular file is refused.
    /// </summary>
    internal static void Write(string path, Action<Stream> write, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var target = Target(path);
        var folder = Path.GetDirectoryName(target)!;
        var replaced = OperatingSystem.IsWindows() ? null : UnixFile.Status(target);
        if (replaced is { IsRegular: false })
        {
            throw new IOException($"path: expected a file or a new name but '{path}' is {replaced.Value.Kind}; only regular files are replaced.");
        }

        var temporary = Path.Combine(folder, $".{Path.GetFileName(target)}.{Guid.NewGuid():N}.tmp");
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0 };
            if (!OperatingSystem.IsWindows() && replaced is not null)
            {
                // Until it has the mode of the file that it replaces nobody else may read it.
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            using (var stream = new FileStream(temporary, options))
            {
                write(stream);
                if (!OperatingSystem.IsWindows() && replaced is { } status)
                {
                    UnixFile.TakeOver(stream.SafeFileHandle, temporary, status);
                }

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

        if (!OperatingSystem.IsWindows())
        {
            // The rename is an entry of the folder: without this a loss of power may undo it.
            UnixFile.FlushFolder(folder);
        }
    }

    // A rename would replace a symbolic link, not the file that it points to.
    private static string Target(string path)
    {
        var file = new FileInfo(path);
        var target = file.LinkTarget is null ? file.FullName : file.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
        if (Directory.Exists(target))
        {
            throw new IOException($"path: expected a file or a new name but '{path}' is a folder; only regular files are replaced.");
        }

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
