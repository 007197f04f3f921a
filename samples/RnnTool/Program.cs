using System.CommandLine;
using RnnTool;
using Samples;

// Looks into models and files of weights, whoever wrote them, converts them, runs them and measures their speed.
return await Sample.RunAsync(
    new RootCommand("Looks into models and files of weights (safetensors, NumPy, PyTorch, Keras, ONNX), converts, runs and measures them.")
    {
        InspectCommand.Create(), ConvertCommand.Create(), RunCommand.Create(), BenchCommand.Create(),
    },
    args);
