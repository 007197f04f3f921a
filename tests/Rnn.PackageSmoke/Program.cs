using Rnn.AotSmoke;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Training;

// Trains a small model with the packed package, as a user's first program would, and checks what comes of it; under the JIT and compiled ahead of
// time. Exit code 1 where it is wrong.
var text = string.Concat(Enumerable.Repeat("to be or not to be, ", 40));
var vocabulary = CharVocabulary.FromText(text);
var model = new LanguageModel<float>(vocabulary, new Lstm<float>(inputSize: 12, hiddenSize: 32, new() { Seed = 1 }), new() { Seed = 1 });
var trainer = new Trainer<float>(model, new Adam<float> { LearningRate = 2e-2 }) { BatchSize = 4, SequenceLength = 20, MaxGradientNorm = 1 };
await trainer.FitAsync(vocabulary.Encode(text), epochs: 15);

var path = Path.Combine(Path.GetTempPath(), $"rnn-package-smoke-{Environment.ProcessId}.safetensors");
try
{
    model.Save(path);
    var loaded = LanguageModel<float>.Open(path);
    var score = loaded.Score(text);
    var written = vocabulary.Decode([.. loaded.Generate(vocabulary.Encode("or not"), 14, new() { Temperature = 0 })]);
    Console.WriteLine($"Rnn {typeof(LanguageModel<>).Assembly.GetName().Version}: loss {score.Loss:f3}, wrote '{written}'");
    StepTime.Print();
    return score.Loss < 0.2 && written == " to be, to be " ? 0 : 1;
}
finally
{
    File.Delete(path);
}
