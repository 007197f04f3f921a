using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

/// <summary>Recurrent layers: "infer" is a forward pass without gradients, "train" a forward and backward pass of sum(output) with all gradients.</summary>
internal static class Layers
{
    public static void Run(string json, int threads, HashSet<string> names)
    {
        using var shapes = JsonDocument.Parse(json);
        foreach (var shape in shapes.RootElement.EnumerateArray())
        {
            if (names.Count == 0 || names.Contains(shape.GetProperty("name").GetString()!)) Run(shape, threads);
        }
    }

    private static void Run(JsonElement shape, int threads)
    {
        long Size(string name) => shape.GetProperty(name).GetInt64();
        var kind = shape.GetProperty("kind").GetString()!;
        long layers = Size("layers"), steps = Size("steps"), batch = Size("batch"), input = Size("input"), hidden = Size("hidden");
        var two = shape.TryGetProperty("bidirectional", out var both) && both.GetBoolean();
        long directions = two ? 2 : 1, gates = kind == "LSTM" ? 4 : kind == "GRU" ? 3 : 1;
        double flop = 0;
        for (var layer = 0; layer < layers; layer++)
        {
            flop += 2.0 * steps * batch * gates * hidden * directions * ((layer == 0 ? input : hidden * directions) + hidden);
        }

        nn.Module module = kind switch
        {
            "LSTM" => nn.LSTM(input, hidden, layers, bidirectional: two),
            "GRU" => nn.GRU(input, hidden, layers, bidirectional: two),
            _ => nn.RNN(input, hidden, layers, bidirectional: two),
        };
        var x = randn(steps, batch, input).requires_grad_();
        Tensor Forward() => module switch
        {
            TorchSharp.Modules.LSTM lstm => lstm.forward(x).Item1,
            TorchSharp.Modules.GRU gru => gru.forward(x).Item1,
            TorchSharp.Modules.RNN rnn => rnn.forward(x, null).Item1,
            _ => throw new NotSupportedException(),
        };
        void Infer()
        {
            using var scope = NewDisposeScope();
            using var off = no_grad();
            Forward();
        }

        void Train()
        {
            using var scope = NewDisposeScope();
            module.zero_grad();
            x.grad = null;
            Forward().sum().backward();
        }

        Print(shape, threads, "infer", Repetition.MedianMs(Infer), flop);
        if (steps * batch == 1) return; // streams are not trained
        Print(shape, threads, "train", Repetition.MedianMs(Train), 3 * flop);
    }

    private static void Print(JsonElement shape, int threads, string phase, double ms, double flop) => Console.WriteLine(
        JsonSerializer.Serialize(new { peer = "torchsharp", shape = shape.GetProperty("name").GetString(), threads, phase, ms, flop }));
}
