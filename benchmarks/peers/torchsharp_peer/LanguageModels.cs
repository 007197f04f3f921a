using System.Text.Json;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

/// <summary>
/// Whole training steps of language models: embedding, LSTM layers, linear layer, cross-entropy, backward pass, clipping of the global norm to 1, Adam.
/// </summary>
internal static class LanguageModels
{
    public static void Run(string json, int threads, HashSet<string> names)
    {
        using var models = JsonDocument.Parse(json);
        foreach (var model in models.RootElement.EnumerateArray())
        {
            if (names.Count == 0 || names.Contains(model.GetProperty("name").GetString()!)) Run(model, threads);
        }
    }

    private static void Run(JsonElement sizes, int threads)
    {
        long Size(string name) => sizes.GetProperty(name).GetInt64();
        var name = sizes.GetProperty("name").GetString()!;
        long vocabulary = Size("vocabulary"), rows = Size("rows"), steps = Size("steps");
        using var outer = NewDisposeScope();
        random.manual_seed(1);
        var model = new LanguageModel(name, vocabulary, Size("embedding"), Size("hidden"), Size("layers"));
        model.train();
        var optimizer = optim.Adam(model.parameters(), lr: 1e-3);
        var tokens = randint(vocabulary, [rows, steps], dtype: ScalarType.Int64);
        var targets = randint(vocabulary, [rows * steps], dtype: ScalarType.Int64);
        var ms = Repetition.MedianMs(() =>
        {
            using var scope = NewDisposeScope();
            optimizer.zero_grad();
            var loss = nn.functional.cross_entropy(model.forward(tokens).view(rows * steps, vocabulary), targets);
            loss.backward();
            nn.utils.clip_grad_norm_(model.parameters(), 1);
            optimizer.step();
        });
        Console.WriteLine(JsonSerializer.Serialize(new { peer = "torchsharp", model = name, threads, ms }));
    }

    private sealed class LanguageModel : nn.Module<Tensor, Tensor>
    {
        private readonly Embedding _embedding;
        private readonly LSTM _lstm;
        private readonly Linear _output;

        public LanguageModel(string name, long vocabulary, long embedding, long hidden, long layers)
            : base(name)
        {
            _embedding = nn.Embedding(vocabulary, embedding);
            _lstm = nn.LSTM(embedding, hidden, layers, batchFirst: true);
            _output = nn.Linear(hidden, vocabulary);
            RegisterComponents();
        }

        public override Tensor forward(Tensor tokens) => _output.forward(_lstm.forward(_embedding.forward(tokens)).Item1);
    }
}
