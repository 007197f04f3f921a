using Rnn.Cells;
using Rnn.Measure;

namespace Rnn.Benchmarks;

/// <summary>The command <c>shapes FILE</c>: one JSON object a line for each shape and phase.</summary>
internal static class ShapesCommand
{
    public const string Usage = "shapes FILE [--threads N] [--names A,B] [--phase infer|train]";

    public static int Run(string[] arguments)
    {
        var parsed = Arguments.Parse(Usage, arguments, ["--threads", "--names", "--phase"], free: 1);
        var (threads, phase) = (parsed.Number("--threads", 1), parsed.Choice("--phase", ["infer", "train"]));
        foreach (var shape in RecurrentShape.Read(parsed.Free[0], parsed.List("--names")))
        {
            foreach (var timing in LayerTiming.Run(shape, threads, phase))
            {
                Console.WriteLine(timing.ToJson());
            }
        }

        return 0;
    }
}

/// <summary>The arithmetic of a shape.</summary>
internal static class ShapeFlop
{
    /// <summary>Multiplications and additions of the gate products: of a forward pass, or three times as many for a training step.</summary>
    public static double Flop(this RecurrentShape shape, string phase) => shape.ForwardFlop() * (phase == "train" ? 3 : 1);

    private static double ForwardFlop(this RecurrentShape shape)
    {
        var layout = CellCatalog.Layout(shape.CellName);
        var output = shape.Projection > 0 ? shape.Projection : shape.Hidden;
        var directions = shape.Bidirectional ? 2 : 1;
        var flop = 0.0;
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            var width = layer == 0 ? shape.Input : output * directions;
            var row = (double)layout.InputGates * shape.Hidden * width;
            foreach (var product in layout.Products)
            {
                row += (double)product.GateCount * shape.Hidden * (product.Source == Operand.Previous(0) ? output : shape.Hidden);
            }

            flop += 2 * directions * (row + (shape.Projection * (double)shape.Hidden));
        }

        var lengths = shape.Lengths;
        return flop * (lengths.Length > 0 ? lengths.Sum() : (double)shape.Steps * shape.Batch);
    }
}
