using System.Diagnostics;

namespace Rnn.Mpi.Tests;

/// <summary>Starts <see cref="RankProgram"/> in several processes.</summary>
internal static class MpiRun
{
    private static readonly string? Launcher = new[] { "mpirun.mpich", "mpiexec.hydra", "mpirun" }
        .SelectMany(name => (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(Path.PathSeparator).Select(folder => Path.Combine(folder, name)))
        .FirstOrDefault(File.Exists);

    /// <summary>Why it cannot be done here; null where it can.</summary>
    internal static string? Missing { get; } = Find();

    /// <summary>Runs the program and waits for its end.</summary>
    /// <param name="processes">How many; 0 for one without mpirun.</param>
    /// <param name="arguments">Its arguments.</param>
    internal static (int Code, string Output, string Error) Start(int processes, string arguments)
    {
        var program = $"\"{typeof(MpiRun).Assembly.Location}\" {arguments}";
        var start = processes == 0
            ? new ProcessStartInfo("dotnet", program)
            : new ProcessStartInfo(Launcher!, $"-n {processes} dotnet {program}");
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        if (!process.WaitForExit(TimeSpan.FromMinutes(3)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"The processes have not ended: {arguments}");
        }

        return (process.ExitCode, output.Result, error.Result);
    }

    private static string? Find()
    {
        try
        {
            MpiLibrary.Resolve();
        }
        catch (DllNotFoundException exception)
        {
            return exception.Message;
        }

        return Launcher is null ? "There is no mpirun." : null;
    }
}
