using System.Collections;
using System.Runtime.InteropServices;

namespace Rnn.Mpi;

/// <summary>Finds the MPI of the machine. MPI.NET asks for that of Windows by name and has the constants of MPICH, which are the same.</summary>
internal static class MpiLibrary
{
    /// <summary>The environment variable with the path or name of the library to take.</summary>
    internal const string EnvironmentVariable = "RNN_MPI_LIBRARY";

    // MPICH and those with its binary interface: MVAPICH, Intel MPI, Cray MPICH.
    private static readonly string[] Names = OperatingSystem.IsWindows() ? ["msmpi.dll"]
        : OperatingSystem.IsMacOS() ? ["libmpich.12.dylib", "libmpi.12.dylib"]
        : ["libmpich.so.12", "libmpi.so.12", "libmpi_cray.so.12"];

    // What launchers tell the processes that they start.
    private static readonly string[] Launched = ["PMI_RANK", "PMI_FD", "PMI_PORT", "PMI_SIZE", "PMIX_RANK", "PMIX_NAMESPACE", "OMPI_COMM_WORLD_SIZE"];

    private static readonly Lazy<nint> Handle = new(Load);
    private static int _isResolved;

    /// <summary>Whether a launcher such as mpirun has started this process.</summary>
    internal static bool IsLaunched(IDictionary environment) => Array.Exists(Launched, environment.Contains);

    /// <summary>Loads the library, and lets MPI.NET have it under whatever name it asks for.</summary>
    /// <exception cref="DllNotFoundException">There is none that fits.</exception>
    internal static void Resolve()
    {
        _ = Handle.Value;
        if (Interlocked.Exchange(ref _isResolved, 1) == 0)
        {
            NativeLibrary.SetDllImportResolver(typeof(MPI.Environment).Assembly, static (name, _, _) =>
                name.Contains("mpi", StringComparison.OrdinalIgnoreCase) ? Handle.Value : IntPtr.Zero);
        }
    }

    private static nint Load()
    {
        var named = Environment.GetEnvironmentVariable(EnvironmentVariable);
        foreach (var name in string.IsNullOrEmpty(named) ? Names : [named])
        {
            if (NativeLibrary.TryLoad(name, out var handle))
            {
                return IsOpenMpi(handle) ? throw OpenMpi(name) : handle;
            }
        }

        if (!string.IsNullOrEmpty(named))
        {
            throw new DllNotFoundException($"{EnvironmentVariable}: the library '{named}' cannot be loaded.");
        }

        throw NativeLibrary.TryLoad("libmpi.so.40", out _) || NativeLibrary.TryLoad("libmpi.40.dylib", out _) ? OpenMpi("libmpi.so.40") : new DllNotFoundException(
            $"No MPI was found ({string.Join(", ", Names)}). Install {(OperatingSystem.IsWindows() ? "Microsoft MPI" : "MPICH, on Debian and Ubuntu 'apt-get install mpich'")}, or name its library in {EnvironmentVariable}.");
    }

    private static bool IsOpenMpi(nint handle) => NativeLibrary.TryGetExport(handle, "ompi_mpi_comm_world", out _);

    private static DllNotFoundException OpenMpi(string name) => new(
        $"{name} is Open MPI, which does not work here: Rnn.Mpi is built on MPI.NET, whose constants are MPICH's. Install MPICH (or MVAPICH, Intel MPI, Cray MPICH, which have its binary interface), start the program with its mpirun, "
        + $"and where several are installed name its library in {EnvironmentVariable}.");
}
