using Rnn.Layers;

namespace Rnn.Onnx.Tests.Export;

/// <summary>Compares an exported sequence layer with itself.</summary>
internal static class SequenceExport
{
    internal static readonly (int Rows, int Steps)[] Shapes = [(1, 1), (3, 6), (2, 4)];

    /// <summary>One file, three shapes: outputs and final states agree, from states and lengths that are given or not.</summary>
    internal static void Agrees(SequenceLayer<float> layer, bool lengths, bool states, int opset = 17)
    {
        Numbers.Fill(layer);
        using var file = new RuntimeModel(layer, new() { Lengths = lengths, States = states, Opset = opset });
        foreach (var (rows, steps) in Shapes)
        {
            var what = $"{layer.ToString()!.Split('\n')[0]}, [{rows}, {steps}], lengths {lengths}, states {states}, opset {opset}";
            var x = Numbers.Random(7, rows, steps, layer.InputSize);
            var ends = lengths ? Numbers.Lengths(rows, steps) : [];
            var start = states ? Numbers.State(layer, rows, 11) : null;
            if (lengths)
            {
                file.With("lengths", ends, rows);
            }

            var found = file.With("input", x).WithState(start).Run();
            var expected = layer.Forward(x, ends, start);
            Numbers.Agree(expected.Output, found["output"], what);
            for (var i = 0; states && i < start!.Names.Count; i++)
            {
                Numbers.Agree(expected.FinalState.Tensors[i], found[$"{start.Names[i]}_next"], $"{what}, {start.Names[i]}");
            }
        }
    }

    /// <summary>The last output of each row, as a chain reads it.</summary>
    internal static void LastAgrees(SequenceLayer<float> layer, bool lengths)
    {
        var chain = Numbers.Fill(new Sequential<float>(layer, new LastStep<float>()));
        using var file = new RuntimeModel(chain, new() { Lengths = lengths });
        foreach (var (rows, steps) in Shapes)
        {
            var x = Numbers.Random(5, rows, steps, layer.InputSize);
            var ends = lengths ? Numbers.Lengths(rows, steps) : [];
            if (lengths)
            {
                file.With("lengths", ends, rows);
            }

            Numbers.Agree(chain.Forward(x, ends), file.With("input", x).Run()["output"], $"last of {layer}, [{rows}, {steps}], lengths {lengths}");
        }
    }
}
