using System.Diagnostics;
using System.Globalization;
using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Measure;
using Rnn.Models;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Benchmarks;

/// <summary>
/// The command <c>model [--threads N]</c>: a training step of language models of several sizes, whole and part by part, which shows what takes the
/// time. A part is the same call as in the step, on a graph of its own.
/// </summary>
internal static class ModelCommand
{
    private const int Rounds = 21;

    private static readonly (string Name, int Vocabulary, int Embedding, int Hidden, int Layers, int Rows, int Steps)[] Models =
    [
        ("characters", 65, 64, 512, 1, 32, 128),
        ("ptb-small", 10_000, 200, 200, 2, 20, 20),
        ("ptb-medium", 10_000, 650, 650, 2, 20, 35),
        ("large vocabulary", 50_000, 256, 256, 1, 32, 35),
    ];

    public static int Run(string[] arguments)
    {
        var parsed = Arguments.Parse("model [--threads N]", arguments, ["--threads"]);
        Workers.MaxThreads = parsed.Number("--threads", Environment.ProcessorCount);
        Console.WriteLine(Roofline.Measure());
        foreach (var (name, vocabulary, embedding, hidden, layers, rows, steps) in Models)
        {
            var lstm = new Lstm<float>(embedding, hidden, new() { Layers = layers, Seed = 1 });
            Console.WriteLine();
            Console.WriteLine(
                $"{name}: {vocabulary} tokens, embedding of {embedding}, LSTM of {layers} × {hidden}, {rows} × {steps} tokens a step, Adam, {Workers.MaxThreads} thread(s)");
            var measured = new Measured(new(vocabulary, lstm), rows, steps);
            Print(measured.Run());
            Console.WriteLine();
            Console.WriteLine($"The whole step allocates {measured.Allocated} bytes.");
        }

        return 0;
    }

    private static void Print(List<(string Part, double Ms)> parts)
    {
        var whole = parts[^1].Ms;
        Console.WriteLine();
        Console.WriteLine("| part | ms | of the step |");
        Console.WriteLine("|---|---|---|");
        foreach (var (part, ms) in parts)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {part} | {ms:F3} | {100 * ms / whole:F1} % |"));
        }
    }

    private sealed class Measured
    {
        private readonly LanguageModel<float> _model;
        private readonly int _rows;
        private readonly int[] _tokens;
        private readonly int[] _targets;
        private readonly Adam<float> _optimizer = new() { LearningRate = 1e-3 };
        private readonly List<(string Part, List<double> Times)> _parts = [];
        private readonly Tensor<float> _input;
        private readonly Tensor<float> _features;

        public Measured(LanguageModel<float> model, int rows, int steps)
        {
            _model = model;
            _rows = rows;
            var random = new Random(1);
            _tokens = [.. Enumerable.Range(0, rows * steps).Select(_ => random.Next(model.VocabularySize))];
            _targets = [.. Enumerable.Range(0, rows * steps).Select(_ => random.Next(model.VocabularySize))];
            _input = Leaf(rows, steps, model.SequenceLayer.InputSize);
            _features = Leaf(rows, steps, model.SequenceLayer.OutputSize);
            model.Train();
            _optimizer.Attach(model);
        }

        /// <summary>Bytes that the last step allocated.</summary>
        public long Allocated { get; private set; }

        public List<(string Part, double Ms)> Run()
        {
            // A second of warm-up lets the runtime finish its optimised code.
            var warm = Stopwatch.StartNew();
            while (warm.ElapsedMilliseconds < 1000)
            {
                Parts();
                Whole();
            }

            _parts.Clear();
            for (var round = 0; round < Rounds; round++)
            {
                Parts();
                Time("the whole step", Whole);
            }

            return [.. _parts.Select(part => (part.Part, Median(part.Times)))];
        }

        private void Parts()
        {
            using var scope = TensorScope.Enter();
            Tensor<float> embedded = null!, hidden = null!, loss = null!;
            Time("embedding", () => embedded = _model.Embedding.Forward(_tokens, [_rows, _tokens.Length / _rows]));
            Fill(_input, embedded);
            Time("recurrent layer", () => hidden = _model.SequenceLayer.Forward(_input));
            Fill(_features, hidden);
            Time("output and loss", () => loss = Loss.LinearCrossEntropy(_features, (Linear<float>)_model.Output, _targets));
            Time("output and loss, back", () => loss.Backward());
            Time("recurrent layer, back", () => hidden.Backward(_features.Gradient!));
            Time("embedding, back", () => embedded.Backward(_input.Gradient!));
            Time("norm of the gradients", () => GradientClipping.GlobalNorm(_optimizer));
            Time("optimiser", () => _optimizer.Step(0.5, clearGradients: true));
        }

        private void Whole()
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            using var scope = TensorScope.Enter();
            _model.ForwardLoss(_tokens, _rows, default, null, _targets).Loss.Backward();
            var norm = GradientClipping.GlobalNorm(_optimizer);
            _optimizer.Step(GradientClipping.ScaleFor(norm, 1), clearGradients: true);
            Allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        }

        private void Time(string part, Action action)
        {
            var start = Stopwatch.GetTimestamp();
            action();
            var ms = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            var known = _parts.FindIndex(p => p.Part == part);
            if (known < 0)
            {
                _parts.Add((part, [ms]));
            }
            else
            {
                _parts[known].Times.Add(ms);
            }
        }

        // The border between two parts: a leaf whose memory and gradient are reused at every step.
        private static Tensor<float> Leaf(int rows, int steps, int size)
        {
            var leaf = Tensor<float>.Zeros(rows, steps, size);
            leaf.RequiresGradient = true;
            return leaf;
        }

        private static void Fill(Tensor<float> leaf, Tensor<float> values)
        {
            values.AsReadOnlySpan().CopyTo(leaf.AsSpan());
            leaf.ZeroGradient();
        }

        private static double Median(List<double> times)
        {
            times.Sort();
            return times[times.Count / 2];
        }
    }
}
