using System.CommandLine;
using System.Diagnostics;
using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Onnx;
using Rnn.Tensors;
using Samples;

namespace RnnTool;

/// <summary><c>rnn bench MODEL</c>: how long a forward pass takes and, of a model that can be given one step at a time, a step.</summary>
internal static class BenchCommand
{
    internal static Command Create()
    {
        var model = new Argument<string>("MODEL") { Description = "the model" };
        var batch = InputOptions.Whole<int>("--batch", "N", "rows of a batch, where the model does not fix them; 1");
        var steps = InputOptions.Whole<int>("--steps", "T", "time steps, where the model does not fix them; 100");
        var threads = InputOptions.Whole<int>("--threads", "N", "threads to use; 1");
        var seconds = InputOptions.Positive("--seconds", "S", "time for each measurement; 2");
        var command = new Command("bench", "Measures how fast a model runs.") { model, batch, steps, threads, seconds };
        LayerOptions.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            Workers.MaxThreads = parsed.GetValue(threads) ?? 1;
            return Task.FromResult(Run(
                parsed.GetRequiredValue(model), parsed.GetValue(batch) ?? 1, parsed.GetValue(steps) ?? 100, TimeSpan.FromSeconds(parsed.GetValue(seconds) ?? 2), LayerOptions.Read(parsed), cancellation));
        });
        return command;
    }

    private static int Run(string path, int batch, int steps, TimeSpan time, LayerOptions options, CancellationToken cancellation)
    {
        using var file = ModelFile.Open(path);
        var module = file.RequireModule(path, options);
        module.Evaluate();
        using var off = NoGradient.Enter();
        try
        {
            if (module is SequenceLayer<float> layer)
            {
                var input = Tensor<float>.RandomNormal(new RandomSource(0), 0, 1, batch, steps, layer.InputSize);
                Show($"forward pass {input.Shape}", () => layer.Forward(input), time, cancellation);
                if (layer.IsCausal)
                {
                    var stepper = layer.CreateStepper(batch);
                    var (frame, output) = (input.ToArray()[..(batch * layer.InputSize)], new float[batch * layer.OutputSize]);
                    Show($"step of a stream, {batch} rows", () => stepper.Step(frame, output), time, cancellation);
                }

                return 0;
            }

            // Whatever else it is, it is measured as the operators that it is exported as.
            var model = module as OnnxModel<float> ?? OnnxModel.Load<float>(module.ToOnnx());
            var session = model.CreateSession([.. model.Inputs.Where(input => input.Dimensions?.All(dimension => dimension is not null) != true).Select(input => (input.Name, Shape(input, batch, steps)))]);
            foreach (var input in model.Inputs)
            {
                Fill(session, input);
            }

            var shapes = string.Join(", ", model.Inputs.Select(input => $"{input.Name} {session.InputShape(input.Name)}"));
            Show($"run of {(module is OnnxModel<float> ? "the model" : "its operators")} for {shapes}", session.Run, time, cancellation);
            return 0;
        }
        catch (Exception error) when (error is ArgumentException or InvalidDataException or NotSupportedException or InvalidOperationException)
        {
            throw ToolErrors.Input(error);
        }
    }

    private static void Show(string name, Action action, TimeSpan time, CancellationToken cancellation)
    {
        // The runtime compiles what runs often a second time, within the first half second.
        Repeat(action, TimeSpan.FromSeconds(0.7), cancellation);
        var bytes = GC.GetAllocatedBytesForCurrentThread();
        action();
        bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;
        var times = Repeat(action, time, cancellation);
        times.Sort();
        Console.WriteLine($"{name}: {Format(times[times.Count / 2])} (median of {times.Count:N0}; fastest {Format(times[0])}), {bytes:N0} bytes allocated");
    }

    private static List<double> Repeat(Action action, TimeSpan time, CancellationToken cancellation)
    {
        var times = new List<double>();
        var clock = Stopwatch.StartNew();
        do
        {
            cancellation.ThrowIfCancellationRequested();
            var begin = Stopwatch.GetTimestamp();
            action();
            times.Add(Stopwatch.GetElapsedTime(begin).TotalMicroseconds);
        }
        while (clock.Elapsed < time);

        return times;
    }

    private static string Format(double microseconds) => microseconds < 1000 ? $"{microseconds:G4} µs" : $"{microseconds / 1000:G4} ms";

    // The first dimension that is not fixed is the batch, the others are time.
    private static Shape Shape(OnnxValueInfo input, int batch, int steps)
    {
        if (input.Dimensions is null)
        {
            throw new InputException($"MODEL: the input {input.Name} has no fixed number of dimensions, so that no shape can be chosen for it.");
        }

        var open = 0;
        return new([.. input.Dimensions.Select(dimension => dimension ?? (open++ == 0 ? batch : steps))]);
    }

    private static void Fill(OnnxSession<float> session, OnnxValueInfo input)
    {
        var shape = session.InputShape(input.Name);
        if (input.ElementType is OnnxElementType.Float or OnnxElementType.Double or OnnxElementType.Float16 or OnnxElementType.BFloat16)
        {
            session.SetInput(input.Name, Tensor<float>.RandomNormal(new RandomSource(0), 0, 1, shape).ToArray());
        }
        else
        {
            session.SetIntegers(input.Name, new long[shape.ElementCount]);
        }
    }
}
