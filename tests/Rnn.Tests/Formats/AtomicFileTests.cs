using System.Diagnostics;
using System.Globalization;
using Rnn.Formats;
using Rnn.Layers;

namespace Rnn.Tests.Formats;

/// <summary>What a saved file takes over from the one that it replaces, and what is never replaced.</summary>
public sealed class AtomicFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("rnn-atomic-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute)]
    public void The_mode_of_a_replaced_file_stays(UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var path = PathOf("model.safetensors");
        File.WriteAllText(path, "old");
        File.SetUnixFileMode(path, mode);
        new Linear<float>(2, 3).Save(path);
        Assert.Equal(mode, File.GetUnixFileMode(path));
        Assert.Equal(2, SafeTensors.Read(path).Entries.Count);
    }

    [Fact]
    public void Nobody_else_reads_the_new_file_before_it_has_its_mode()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var path = PathOf("secret");
        File.WriteAllText(path, "old");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        AtomicFile.Write(path, stream =>
        {
            var temporary = Assert.Single(Directory.GetFiles(_folder, ".secret*"));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, new FileInfo(temporary).UnixFileMode);
            stream.Write("new"u8);
        });
        Assert.Equal("new", File.ReadAllText(path));
    }

    [Fact]
    public void A_new_file_has_the_mode_that_new_files_have()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        File.WriteAllText(PathOf("plain"), "new");
        AtomicFile.Write(PathOf("written"), stream => stream.Write("new"u8));
        Assert.Equal(File.GetUnixFileMode(PathOf("plain")), File.GetUnixFileMode(PathOf("written")));
    }

    // Only the administrator gives files away, so only there is something to see; elsewhere the owner is the same anyway.
    [Fact]
    public void The_owner_of_a_replaced_file_stays()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        var path = PathOf("model.safetensors");
        File.WriteAllText(path, "old");
        if (Environment.IsPrivilegedProcess)
        {
            Command("chown", "12345:23456", path);
        }

        var before = Command("stat", "-c", "%u:%g", path);
        new Linear<float>(2, 3).Save(path);
        Assert.Equal(before, Command("stat", "-c", "%u:%g", path));
    }

    [Fact]
    public void What_is_no_regular_file_is_refused()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        var pipe = PathOf("pipe");
        Command("mkfifo", pipe);
        File.CreateSymbolicLink(PathOf("link"), pipe);
        var folder = Directory.CreateDirectory(PathOf("folder")).FullName;
        var layer = new Linear<float>(2, 3);
        Assert.Contains("is a named pipe; only regular files are replaced", Refused(pipe), StringComparison.Ordinal);
        Assert.Contains("is a named pipe", Refused(PathOf("link")), StringComparison.Ordinal);
        Assert.Contains("is a folder", Refused(folder), StringComparison.Ordinal);
        Assert.Contains("is a device", Refused("/dev/null"), StringComparison.Ordinal);
        Assert.Equal("fifo", Command("stat", "-c", "%F", pipe));
        Assert.Equal(3, Directory.GetFileSystemEntries(_folder).Length);
        string Refused(string path) => Assert.Throws<IOException>(() => layer.Save(path)).Message;
    }

    [Fact]
    public void Links_of_links_lead_to_the_file_with_its_mode()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var target = PathOf("target");
        File.WriteAllText(target, "old");
        File.SetUnixFileMode(target, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.CreateSymbolicLink(PathOf("inner"), "target");
        File.CreateSymbolicLink(PathOf("outer"), PathOf("inner"));
        new Linear<float>(2, 3).Save(PathOf("outer"));
        Assert.Equal(2, SafeTensors.Read(target).Entries.Count);
        Assert.Equal("target", new FileInfo(PathOf("inner")).LinkTarget);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(target));

        // A link to a file that is still to be made.
        File.CreateSymbolicLink(PathOf("early"), "later");
        new Linear<float>(2, 3).Save(PathOf("early"));
        Assert.Equal(2, SafeTensors.Read(PathOf("later")).Entries.Count);
    }

    private static string Command(string name, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(name, arguments) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, string.Create(CultureInfo.InvariantCulture, $"{name} ended with {process.ExitCode}"));
        return output;
    }

    private string PathOf(string name) => Path.Combine(_folder, name);
}
