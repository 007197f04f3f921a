using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Rnn.Formats;

/// <summary>
/// What the base library does not tell or do about files on Unix: their kind and owner, and flushing a folder. Where the system's C library
/// cannot be asked, files count as regular ones of our own, and a folder is not flushed.
/// </summary>
[UnsupportedOSPlatform("windows")]
internal static unsafe partial class UnixFile
{
    private const int WorkingFolder = -100;
    private const uint KindOwnerAndMode = 0x1B;
    private const uint Unchanged = uint.MaxValue;
    private const int KindMask = 0xF000;
    private const UnixFileMode SpecialBits = UnixFileMode.SetUser | UnixFileMode.SetGroup;

    /// <summary>Kind, mode and owner of the file that a path leads to, or null where there is none.</summary>
    internal static FileStatus? Status(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        var mode = File.GetUnixFileMode(path);
        try
        {
            // The layout of statx is the same on every Linux; that of stat is not.
            var buffer = stackalloc uint[64];
            if (OperatingSystem.IsLinux() && StatX(WorkingFolder, path, 0, KindOwnerAndMode, buffer) == 0)
            {
                return new(((ushort*)buffer)[14] & KindMask, mode, buffer[5], buffer[6]);
            }
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException)
        {
        }

        return new(FileStatus.Regular, mode, Unchanged, Unchanged);
    }

    /// <summary>Gives a new file the owner and the mode of the one that it will replace, as far as the system permits.</summary>
    internal static void TakeOver(SafeFileHandle file, string path, FileStatus status)
    {
        var isOwned = status.Owner == Unchanged;
        try
        {
            if (!isOwned)
            {
                // Only the administrator gives files away; the owner may choose among the groups it belongs to.
                isOwned = ChangeOwner(path, status.Owner, status.Group) == 0;
                _ = isOwned ? 0 : ChangeOwner(path, Unchanged, status.Group);
            }
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException)
        {
        }

        // After the owner, whose change takes these bits away. A file that runs as its owner must not come to run as another.
        File.SetUnixFileMode(file, isOwned ? status.Mode : status.Mode & ~SpecialBits);
    }

    /// <summary>Waits until the entries of a folder are on the disk.</summary>
    internal static void FlushFolder(string path)
    {
        try
        {
            var folder = Open(path, 0);
            if (folder >= 0)
            {
                // Some file systems cannot; the file itself is flushed in any case.
                _ = Flush(folder);
                _ = Close(folder);
            }
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException)
        {
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, uint* status);

    [LibraryImport("libc", EntryPoint = "chown", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint owner, uint group);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Flush(int file);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);
}

/// <summary>Kind, mode and owner of a file on Unix.</summary>
internal readonly struct FileStatus(int kind, UnixFileMode mode, uint owner, uint group)
{
    internal const int Regular = 0x8000;

    internal readonly UnixFileMode Mode = mode;
    internal readonly uint Owner = owner;
    internal readonly uint Group = group;

    internal bool IsRegular => kind == Regular;

    /// <summary>The kind in words.</summary>
    internal string Kind => kind switch
    {
        0x1000 => "a named pipe",
        0x2000 or 0x6000 => "a device",
        0x4000 => "a folder",
        0xC000 => "a socket",
        _ => "no regular file",
    };
}
