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
/// The command <c>model</c>: a training step of language models of several sizes, whole and part by part, which shows what takes the time. A part is the same call as
/// in the step, on a graph of its own. With <c>--whole</c> a line of JSON for each model's whole step alone, with <c>--peers</c> beside the same models in TorchSharp.
/// </summary>
internal static class ModelCommand
{
    public const string Usage = "model [--names A,B] [--threads N] [--whole] [--peers FOLDER [--threads 1,2] [--rounds 7] [--out FILE.md]]";

    private const int Rounds = 21;

    public static int Run(string[] arguments)
    {
        var parsed = Arguments.Parse(Usage, arguments, ["--names", "--threads", "--peers", "--rounds", "--out"], ["--whole"]);
        var models = ModelSizes.Read(parsed.List("--names"));
        if (parsed.Text("--peers") is not null)
        {
            return ModelPeers.Run(
                $"model {string.Join(' ', arguments)}", models, parsed.Numbers("--threads", 1), parsed.Number("--rounds", 7), Reports.Target(parsed, "models"));
        }

        Workers.MaxThreads = parsed.Number("--threads", Environment.ProcessorCount);
        if (parsed.Has("--whole"))
        {
            foreach (var model in models)
            {
                var (ms, bytes) = new Measured(model).Time();
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $$"""{"peer": "rnn", "model": "{{model.Name}}", "threads": {{Workers.MaxThreads}}, "ms": {{ms:F4}}, "bytes": {{bytes}}}"""));
            }

            return 0;
        }

        Console.WriteLine(Roofline.Measure());
        foreach (var model in models)
        {
            Console.WriteLine();
            Console.WriteLine(
                $"{model.Name}: {model.Vocabulary} tokens, embedding of {model.Embedding}, LSTM of {model.Layers} × {model.Hidden}, {model.Rows} × {model.Steps} tokens a step, Adam, {Workers.MaxThreads} thread(s)");
            var measured = new Measured(model);
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

        public Measured(ModelSizes sizes)
        {
            var lstm = new Lstm<float>(sizes.Embedding, sizes.Hidden, new() { Layers = sizes.Layers, Seed = 1 });
            var (model, rows, steps) = (new LanguageModel<float>(sizes.Vocabulary, lstm), sizes.Rows, sizes.Steps);
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

        /// <summary>Milliseconds and allocated bytes of a whole step, as the peers are timed.</summary>
        public (double Ms, long Bytes) Time() => Repetition.Measure(calls =>
        {
            for (var i = 0; i < calls; i++)
            {
                Whole();
            }
        });

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
