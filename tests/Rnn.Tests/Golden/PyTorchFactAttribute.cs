using System.Diagnostics;

namespace Rnn.Tests.Golden;

/// <summary>A test that runs Python with PyTorch and NumPy (Debian: <c>apt-get install python3-torch</c>), which <c>RNN_PYTHON</c> names. <c>dotnet test</c> shows it as skipped where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PyTorchFactAttribute : FactAttribute
{
    private static readonly Lazy<string?> Found = new(Find);

    public PyTorchFactAttribute()
    {
        if (Python is null)
        {
            Skip = "There is no Python with PyTorch and NumPy here; RNN_PYTHON may name one.";
        }
    }

    /// <summary>The path of the interpreter, or null.</summary>
    internal static string? Python => Found.Value;

    /// <summary>Runs a script and gives what it prints.</summary>
    internal static string Run(string script, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Python!, [script, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{error.Result}\n{output}");
        return output;
    }

    private static string? Find() =>
        new[] { Environment.GetEnvironmentVariable("RNN_PYTHON"), "python3", "/usr/bin/python3" }.FirstOrDefault(python => !string.IsNullOrEmpty(python) && HasPyTorch(python));

    private static bool HasPyTorch(string python)
    {
        const string Question = "import importlib.util, sys; sys.exit(0 if importlib.util.find_spec('torch') and importlib.util.find_spec('numpy') else 1)";
        try
        {
            using var process = Process.Start(new ProcessStartInfo(python, ["-c", Question]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
