using System.Diagnostics;
using System.Globalization;
using Rnn.Measure;

namespace Rnn.Benchmarks;

/// <summary>A library that the speed is held against, and how its program is run.</summary>
/// <param name="Name">The name in arguments and measurements.</param>
/// <param name="Title">The name in tables.</param>
/// <param name="Trains">Whether it trains; else it only infers.</param>
internal sealed record Peer(string Name, string Title, bool Trains = true)
{
    /// <summary>The library itself among measurements.</summary>
    public const string Own = "rnn";

    /// <summary>All peers, the strongest first.</summary>
    public static IReadOnlyList<Peer> All { get; } =
    [
        new("onednn3", "oneDNN 3.7"),
        new("onednn", "oneDNN 2.6"),
        new("onnxruntime", "ONNX Runtime 1.30", Trains: false),
        new("torchsharp", "TorchSharp 0.107"),
        new("torch", "PyTorch 1.13"),
    ];

    /// <summary>Where the setup scripts install the peers.</summary>
    public static string Home { get; } = Environment.GetEnvironmentVariable("PEERS_HOME")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "rnn-peers");

    /// <summary>The peers of the names given, all that are installed where there are none.</summary>
    /// <exception cref="UsageException">A name is unknown, or such a peer is not installed.</exception>
    public static IReadOnlyList<Peer> Choose(string[] names)
    {
        foreach (var name in names)
        {
            var peer = All.FirstOrDefault(peer => peer.Name == name)
                ?? throw new UsageException($"--peer: expected {string.Join(", ", All.Select(peer => peer.Name))} but got '{name}'.");
            if (!peer.IsInstalled)
            {
                throw new UsageException($"--peer: {name} is not installed ({peer.Needs} is missing); run benchmarks/peers/setup.sh and setup_debian13.sh.");
            }
        }

        foreach (var peer in All.Where(peer => names.Length == 0 && !peer.IsInstalled))
        {
            Console.Error.WriteLine($"{peer.Title} is left out: {peer.Needs} is missing; benchmarks/peers/setup.sh and setup_debian13.sh install the peers.");
        }

        return names.Length == 0 ? [.. All.Where(peer => peer.IsInstalled)] : [.. All.Where(peer => names.Contains(peer.Name))];
    }

    private bool IsInstalled => File.Exists(Needs);

    private string Needs => Name switch
    {
        "onednn" => Path.Combine(Home, "dnnl_peer"),
        "onnxruntime" => Path.Combine(Home, "node_modules", "onnxruntime-node", "package.json"),
        "torch" => "/usr/bin/python3",
        _ => Path.Combine(Home, "peer13"),
    };

    /// <summary>The program that measures one shape, and what it reads; null where the peer has no such layer.</summary>
    /// <param name="folder">The folder of the peers' scripts.</param>
    /// <param name="file">The file of shapes.</param>
    /// <param name="shape">The shape.</param>
    /// <param name="threads">The number of threads.</param>
    public (ProcessStartInfo Start, string? Input)? Program(string folder, string file, RecurrentShape shape, int threads)
    {
        if (shape.Cell is not null || shape.Projection > 0 || shape.Ragged)
        {
            return null;
        }

        var count = threads.ToString(CultureInfo.InvariantCulture);
        var line = FormattableString.Invariant(
            $"{shape.Name} {shape.Kind} {shape.Layers} {shape.Steps} {shape.Batch} {shape.Input} {shape.Hidden} {(shape.Bidirectional ? 1 : 0)}\n");
        var models = Path.Combine(Home, "models");
        (ProcessStartInfo Start, string? Input)? program = Name switch
        {
            "onednn3" => (new(Needs, ["onednn3", count]), line),
            "onednn" => (new(Needs, [count]), line),
            "torchsharp" => (new(Needs, ["torchsharp", file, count, shape.Name]), null),
            "torch" => (new("/usr/bin/python3", [Path.Combine(folder, "torch_peer.py"), file, count, shape.Name]), null),
            _ when !File.Exists(Path.Combine(models, $"{shape.Name}.onnx")) => null,
            _ => (new("node", [Path.Combine(folder, "ort_peer.mjs"), file, models, count, shape.Name]), null),
        };
        if (program is { } found)
        {
            found.Start.Environment["OMP_NUM_THREADS"] = count;
        }

        return program;
    }
}
