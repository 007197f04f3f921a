using System.Globalization;
using Samples;

namespace Gradients;

/// <summary>A file of numbers from 0 to 1, one on each line.</summary>
internal static class NumberFile
{
    internal static double[]? Read(string? path) => path is null ? null : InputFiles.Guard("--data", path, () => ReadLines(path));

    private static double[] ReadLines(string path)
    {
        double[] read = [.. File.ReadLines(path).Where(line => line.Length > 0).Select(line => double.Parse(line, CultureInfo.InvariantCulture))];
        return read.Length > 0 && Array.TrueForAll(read, number => number is >= 0 and <= 1) ? read : throw new FormatException($"{path}: expected numbers from 0 to 1, one on each line.");
    }
}
