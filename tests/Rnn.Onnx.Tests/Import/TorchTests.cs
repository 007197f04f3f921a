using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Formats;
using Rnn.Onnx.Tests.Support;
using Rnn.Tensors;

namespace Rnn.Onnx.Tests.Import;

/// <summary>Models that PyTorch itself exports where the tests run, with several sizes of every dynamic axis: as a model and in a session.</summary>
public class TorchTests
{
    private const string Python = "/usr/bin/python3";

    [TorchFact]
    public void Models_that_PyTorch_exports_agree_with_it()
    {
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            var output = Run(Script(), folder.FullName);
            var files = Directory.GetFiles(folder.FullName, "*.onnx").Order().ToArray();
            Assert.True(files.Length > 100, output);
            foreach (var file in files)
            {
                if (file.Contains("_double", StringComparison.Ordinal))
                {
                    Agrees<double>(file, 1e-9);
                }
                else
                {
                    Agrees<float>(file, 1e-5);
                }
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Agrees<T>(string path, double tolerance)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var model = OnnxModel.Load<T>(path);
        foreach (var data in Directory.GetFiles(Path.GetDirectoryName(path)!, $"{Path.GetFileNameWithoutExtension(path)}.?.npz").Order())
        {
            using var file = WeightFile.Open(data);
            var what = Path.GetFileName(data);

            // An exporter leaves out inputs that nothing depends on.
            var inputs = model.Inputs.Select(input => (input.Name, Value<T>(file, $"in.{input.Name}"))).ToArray();
            var outputs = model.Run(inputs);
            var session = model.CreateSession(Array.ConvertAll(inputs, input => (input.Name, input.Item2.Shape)));
            foreach (var (name, value) in inputs)
            {
                if (value.IsFloatingPoint)
                {
                    session.SetInput(name, value.Tensor.AsReadOnlySpan());
                }
                else
                {
                    session.SetIntegers(name, value.Integers);
                }
            }

            session.Run();
            foreach (var output in model.Outputs)
            {
                var expected = Value<T>(file, $"out.{output.Name}");
                Compare.Same(expected, Typed(outputs[output.Name], expected), tolerance, $"{what}: {output.Name}");
                OnnxValue<T> again = expected.IsFloatingPoint
                    ? Tensor<T>.From(session.GetOutput(output.Name), session.OutputShape(output.Name))
                    : new OnnxValue<T>(session.GetIntegers(output.Name).ToArray(), session.OutputShape(output.Name), expected.ElementType);
                Compare.Same(expected, again, tolerance, $"{what}: {output.Name} of a session");
            }
        }
    }

    private static OnnxValue<T> Value<T>(WeightFile file, string name)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var entry = file[name];
        return entry.Type.IsFloatingPoint ? file.Get<T>(name)
            : new OnnxValue<T>(Array.ConvertAll(file.Get<double>(name).ToArray(), number => (long)number), entry.Shape, entry.Type.Name switch
            {
                "BOOL" => OnnxElementType.Boolean,
                "I32" => OnnxElementType.Int32,
                _ => OnnxElementType.Int64,
            });
    }

    // Comparing numbers: how wide whole numbers are is the exporter's matter.
    private static OnnxValue<T> Typed<T>(OnnxValue<T> value, OnnxValue<T> like)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        value.IsFloatingPoint || like.IsFloatingPoint ? value : new OnnxValue<T>(value.Integers.ToArray(), value.Shape, like.ElementType);

    private static string Script([CallerFilePath] string path = "") => Path.Combine(Path.GetDirectoryName(path)!, "..", "torch_models.py");

    private static string Run(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Python, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output + errors.GetAwaiter().GetResult();
    }

    private sealed class TorchFactAttribute : FactAttribute
    {
        public TorchFactAttribute()
        {
            if (!File.Exists(Python) || Run("-c", "import torch, onnx, numpy; print('ready')") is var found && !found.Contains("ready", StringComparison.Ordinal))
            {
                Skip = "PyTorch and the onnx package are not installed (Debian: python3-torch, python3-onnx).";
            }
        }
    }
}
