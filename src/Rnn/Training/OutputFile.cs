namespace Rnn.Training;

/// <summary>Checks before a training whether its files can be written.</summary>
internal static class OutputFile
{
    /// <summary>Throws if a path cannot be written to; leaves nothing behind.</summary>
    /// <exception cref="ArgumentException">The path is empty or no path.</exception>
    /// <exception cref="IOException">The folder does not exist or cannot be written to, or the path is a folder or a read-only file.</exception>
    internal static void Check(string path, string option)
    {
        if (string.IsNullOrWhiteSpace(path))
        {
            throw new ArgumentException($"{option}: expected the path of a file but it is empty; leave it null for no file.", nameof(path));
        }

        var target = Path.GetFullPath(path);
        var file = new FileInfo(target);
        target = file.LinkTarget is null ? target : file.ResolveLinkTarget(returnFinalTarget: true)!.FullName;

        if (Directory.Exists(target) || Path.EndsInDirectorySeparator(path))
        {
            throw new IOException($"{option}: '{path}' is a folder; expected the path of a file.");
        }

        var folder = Path.GetDirectoryName(target)!;
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException($"{option}: the folder of '{path}' does not exist; make it first.");
        }

        if (File.Exists(target) && (File.GetAttributes(target) & FileAttributes.ReadOnly) != 0)
        {
            throw new IOException($"{option}: '{path}' is read-only; choose another file, or make it writable.");
        }

        // A file is written beside its place and moved there, so the folder must take a new file.
        try
        {
            using var probe = new FileStream(
                Path.Combine(folder, $".{Path.GetFileName(target)}.{Guid.NewGuid():N}.tmp"), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{option}: no file can be made in the folder of '{path}': {exception.Message}", exception);
        }
    }
}
