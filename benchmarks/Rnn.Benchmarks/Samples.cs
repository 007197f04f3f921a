using System.Text.Json;
using System.Text.Json.Serialization;

namespace Rnn.Benchmarks;

/// <summary>One measurement of one program in one round.</summary>
/// <param name="Round">The round, from 1; programs are compared within a round.</param>
/// <param name="Program">The library (rnn), a peer, or a commit.</param>
/// <param name="Shape">The name of the shape or model.</param>
/// <param name="Threads">The number of threads.</param>
/// <param name="Phase">infer, train or step.</param>
/// <param name="Ms">Milliseconds of a call.</param>
/// <param name="Bytes">Bytes that a call allocates, where the program says.</param>
internal sealed record Sample(int Round, string Program, string Shape, int Threads, string Phase, double Ms, long Bytes = 0);

/// <summary>The measurements of a run, and the ratios between programs.</summary>
internal sealed class Samples
{
    /// <summary>The phases of a recurrent layer.</summary>
    public static readonly string[] Phases = ["infer", "train"];

    private readonly List<Sample> _samples = [];

    /// <summary>All measurements in the order in which they were made.</summary>
    public IReadOnlyList<Sample> All => _samples;

    /// <summary>The number of rounds of which there is anything.</summary>
    public int Rounds => _samples.Select(sample => sample.Round).Distinct().Count();

    /// <summary>Adds measurements.</summary>
    public void Add(IEnumerable<Sample> samples) => _samples.AddRange(samples);

    /// <summary>The median time of a program over its rounds, or null.</summary>
    public double? Ms(string program, string shape, string phase, int threads) => Median(Times(program, shape, phase, threads).Values);

    /// <summary>The bytes that a call of a program allocates, or null: the median over its rounds.</summary>
    public long? Bytes(string program, string shape, string phase, int threads) => (long?)Median(
        Of(program, shape, phase, threads).Select(sample => (double)sample.Bytes));

    /// <summary>For each round that measured both: the time of <paramref name="other"/> over that of <paramref name="own"/>.</summary>
    public IReadOnlyList<double> Ratios(string other, string own, string shape, string phase, int threads) =>
        Ratios([other], own, shape, phase, threads);

    /// <summary>For each round that measured all of them: the shortest time of the <paramref name="others"/> over that of <paramref name="own"/>.</summary>
    public IReadOnlyList<double> Ratios(IReadOnlyCollection<string> others, string own, string shape, string phase, int threads)
    {
        // A peer that cannot do this phase is no reason to leave the others out.
        var times = others.Select(other => Times(other, shape, phase, threads)).Where(found => found.Count > 0).ToArray();
        return times.Length == 0
            ? []
            : [.. Times(own, shape, phase, threads).Where(round => times.All(found => found.ContainsKey(round.Key)))
                .Select(round => times.Min(found => found[round.Key]) / round.Value)];
    }

    /// <summary>For each round that measured both: the time of one program and shape over that of another.</summary>
    public IReadOnlyList<double> Ratios(string other, string otherShape, string own, string ownShape, string phase, int threads)
    {
        var times = Times(other, otherShape, phase, threads);
        return [.. Times(own, ownShape, phase, threads).Where(round => times.ContainsKey(round.Key)).Select(round => times[round.Key] / round.Value)];
    }

    /// <summary>The median, the mean of two in the middle; null where there are no values.</summary>
    public static double? Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? null : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>The geometric mean.</summary>
    public static double GeometricMean(IEnumerable<double> values) => Math.Exp(values.Average(Math.Log));

    private Dictionary<int, double> Times(string program, string shape, string phase, int threads) =>
        Of(program, shape, phase, threads).GroupBy(sample => sample.Round).ToDictionary(round => round.Key, round => round.Last().Ms);

    private IEnumerable<Sample> Of(string program, string shape, string phase, int threads) => _samples.Where(
        sample => sample.Program == program && sample.Shape == shape && sample.Phase == phase && sample.Threads == threads);
}

/// <summary>
/// A file of raw measurements, a JSON object a line: first the run (machine, command), then each measurement, written as soon as it is made.
/// </summary>
internal sealed class SampleFile : IDisposable
{
    /// <summary>How the lines are written.</summary>
    public static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly StreamWriter _writer;

    /// <summary>Opens a file and writes what the run is.</summary>
    /// <param name="path">The file; what it held is kept only with <paramref name="append"/>.</param>
    /// <param name="run">The facts of the run.</param>
    /// <param name="append">Whether to write behind what earlier runs have measured.</param>
    public SampleFile(string path, RunFacts run, bool append = false)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!);
        Path = System.IO.Path.GetFullPath(path);
        _writer = new(path, append) { AutoFlush = true };
        _writer.WriteLine(JsonSerializer.Serialize(run, Json));
    }

    /// <summary>The full path of the file.</summary>
    public string Path { get; }

    /// <summary>Writes measurements.</summary>
    public void Add(IEnumerable<Sample> samples)
    {
        foreach (var sample in samples)
        {
            _writer.WriteLine(JsonSerializer.Serialize(sample, Json));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _writer.Dispose();
}
