using System.Globalization;

// Times TorchSharp (libtorch) on the CPU; one JSON object a line, as the other peers. A file named - is standard input.
//   torchsharp_peer layers SHAPES.json THREADS [NAME …]         recurrent layers: inference and a training step
//   torchsharp_peer models MODELS.json THREADS [NAME …]   whole training steps of language models
CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var text = args[1] == "-" ? Console.In.ReadToEnd() : File.ReadAllText(args[1]);
var threads = int.Parse(args[2]);
TorchSharp.torch.set_num_threads(threads);
var names = args.Skip(3).ToHashSet();
if (args[0] == "layers")
{
    Layers.Run(text, threads, names);
}
else
{
    LanguageModels.Run(text, threads, names);
}
