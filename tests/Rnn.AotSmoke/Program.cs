using Rnn.AotSmoke;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

// Trains, saves, loads and generates with two cells in a program that was compiled ahead of time. Prints what it has checked; exit code 1 where
// a value is not what it should be.
var failures = 0;
CheckAgainstScalarLoops();
CheckLearning("lstm", new Lstm<float>(inputSize: 8, hiddenSize: 24, new() { Seed = 1 }));
CheckLearning("gru", new Gru<float>(inputSize: 8, hiddenSize: 24, new() { Seed = 1 }));
StepTime.Print();
Console.WriteLine($"vectors of {Rnn.Kernels.Simd.VectorBits} bits");
Console.WriteLine(failures == 0 ? "smoke ok" : $"smoke failed: {failures}");
return failures == 0 ? 0 : 1;

// i, f, o = σ(·), g = tanh(·), c = f⊙c₋ + i⊙g, h = o⊙tanh c, written out for one unit at a time in double.
void CheckAgainstScalarLoops()
{
    const int Inputs = 3, Units = 5, Steps = 7;
    var lstm = new Lstm<float>(Inputs, Units, new() { Seed = 3 });
    var input = Tensor<float>.From([.. Enumerable.Range(0, Steps * Inputs).Select(i => MathF.Sin(i))], 1, Steps, Inputs);
    var parameters = lstm.NamedParameters.ToDictionary(pair => pair.Key, pair => pair.Value.Value.ToArray());
    double[] h = new double[Units], c = new double[Units];
    for (var step = 0; step < Steps; step++)
    {
        var before = (double[])h.Clone();
        for (var unit = 0; unit < Units; unit++)
        {
            var gates = new double[4];
            for (var gate = 0; gate < 4; gate++)
            {
                var row = (gate * Units) + unit;
                gates[gate] = parameters["bias_l0"][row];
                for (var k = 0; k < Inputs; k++)
                {
                    gates[gate] += parameters["weight_ih_l0"][(row * Inputs) + k] * MathF.Sin((step * Inputs) + k);
                }

                for (var k = 0; k < Units; k++)
                {
                    gates[gate] += parameters["weight_hh_l0"][(row * Units) + k] * before[k];
                }
            }

            c[unit] = (Logistic(gates[1]) * c[unit]) + (Logistic(gates[0]) * Math.Tanh(gates[2]));
            h[unit] = Logistic(gates[3]) * Math.Tanh(c[unit]);
        }
    }

    var last = lstm.Forward(input, default).Last.ToArray();
    var error = last.Zip(h, (a, b) => Math.Abs(a - b)).Max();
    Check("lstm forward against scalar loops", error < 1e-6, $"largest difference {error:g3}");
}

void CheckLearning(string name, RecurrentLayer<float> layer)
{
    var vocabulary = CharVocabulary.FromText("abcd");
    var model = new LanguageModel<float>(vocabulary, layer, new() { Seed = 2 });
    var optimizer = new Adam<float> { LearningRate = 0.02 };
    optimizer.Attach(model);
    var tokens = vocabulary.Encode(string.Concat(Enumerable.Repeat("abcdabdc", 4))).ToArray();
    float first = 0, loss = 0;
    for (var step = 0; step < 60; step++)
    {
        using (TensorScope.Enter())
        {
            var error = Loss.CrossEntropy(model.Forward(tokens.AsSpan(0, tokens.Length - 1), rows: 1).Logits, tokens.AsSpan(1));
            error.Backward();
            _ = GradientClipping.ByGlobalNorm(model, 1);
            optimizer.Step();
            optimizer.ZeroGradients();
            loss = error.Item();
            first = step == 0 ? loss : first;
        }
    }

    Check($"{name} learns", first > 1 && loss < 0.2, $"loss {first:f3} → {loss:f3}");
    model.Evaluate();
    var written = vocabulary.Decode([.. model.Generate(vocabulary.Encode("abcdabdcab"), 12, new() { Temperature = 0 })]);
    Check($"{name} writes on", written == "cdabdcabcdab", written);

    var path = Path.Combine(Path.GetTempPath(), $"rnn-aot-smoke-{Environment.ProcessId}-{name}.safetensors");
    try
    {
        model.Save(path);
        var loaded = LanguageModel<float>.Open(path);
        loaded.Evaluate();
        var same = loaded.Forward(tokens, rows: 1).Logits.AsReadOnlySpan().SequenceEqual(model.Forward(tokens, rows: 1).Logits.AsReadOnlySpan());
        Check($"{name} loads what it saved", same, $"{loaded.ParameterCount} parameters, {((RecurrentLayer<float>)loaded.SequenceLayer).Layout.Name}");
    }
    finally
    {
        File.Delete(path);
    }
}

void Check(string what, bool holds, string detail)
{
    failures += holds ? 0 : 1;
    Console.WriteLine($"{(holds ? "ok" : "FAILED")}: {what} ({detail})");
}

static double Logistic(double x) => 1 / (1 + Math.Exp(-x));
