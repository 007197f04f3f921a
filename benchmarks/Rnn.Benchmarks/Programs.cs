using System.Diagnostics;
using System.Text.Json;

namespace Rnn.Benchmarks;

/// <summary>Runs programs that measure something and print a JSON object a line.</summary>
internal static class Programs
{
    /// <summary>This program itself, with other arguments.</summary>
    public static ProcessStartInfo Self(params string[] arguments)
    {
        var self = new ProcessStartInfo(Environment.ProcessPath!);
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            self.ArgumentList.Add(typeof(Programs).Assembly.Location);
        }

        Array.ForEach(arguments, self.ArgumentList.Add);
        return self;
    }

    /// <summary>Runs a program to its end and gives the JSON objects among its lines.</summary>
    /// <param name="start">The program.</param>
    /// <param name="input">What it reads from its standard input.</param>
    /// <param name="stop">Ends the program early; the objects of a program that was ended are not to be trusted and are left out.</param>
    /// <exception cref="ProgramFailedException">The program does not start, or ends with another code than 0.</exception>
    public static List<JsonElement> Run(ProcessStartInfo start, string? input, CancellationToken stop)
    {
        start.RedirectStandardOutput = start.RedirectStandardInput = start.RedirectStandardError = true;
        var results = new List<JsonElement>();
        var errors = new List<string>();
        try
        {
            using var process = Process.Start(start)!;
            using var registration = stop.Register(() => process.Kill(entireProcessTree: true));
            process.ErrorDataReceived += (_, line) => errors.Add(line.Data ?? string.Empty);
            process.BeginErrorReadLine();
            process.StandardInput.Write(input);
            process.StandardInput.Close();
            while (process.StandardOutput.ReadLine() is { } line)
            {
                if (line.StartsWith('{'))
                {
                    using var json = JsonDocument.Parse(line);
                    results.Add(json.RootElement.Clone());
                }
            }

            process.WaitForExit();
            return stop.IsCancellationRequested
                ? []
                : process.ExitCode == 0 ? results : throw new ProgramFailedException(
                    $"{start.FileName} ended with code {process.ExitCode}: {errors.FirstOrDefault(line => line.Length > 0) ?? "no message"}");
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            throw new ProgramFailedException($"{start.FileName} does not run: {missing.Message}");
        }
        catch (Exception broken) when (stop.IsCancellationRequested && broken is IOException or JsonException)
        {
            return [];
        }
    }
}

/// <summary>A program that should have measured something did not.</summary>
internal sealed class ProgramFailedException(string message) : Exception(message);
