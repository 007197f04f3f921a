using System.Numerics;
using Rnn.Cells;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>The spectral radius and the norm of the recurrent matrix of one gate, see <see cref="GradientFlowReport.Spectra"/>.</summary>
public sealed class RecurrentSpectrum
{
    private RecurrentSpectrum(string parameter, string gate, double? spectralRadius, double norm) =>
        (Parameter, Gate, SpectralRadius, Norm) = (parameter, gate, spectralRadius, norm);

    /// <summary>The path of the parameter in the layer, such as <c>weight_hh_l0</c>.</summary>
    public string Parameter { get; }

    /// <summary>The gate's letter, see <see cref="CellLayout.GateOrder"/>.</summary>
    public string Gate { get; }

    /// <summary>The largest absolute eigenvalue; null where the matrix is not square, as with a projection. NaN where a weight is not finite.</summary>
    public double? SpectralRadius { get; }

    /// <summary>The largest singular value. NaN where a weight is not finite.</summary>
    public double Norm { get; }

    /// <summary>The recurrent matrices of all recurrent layers of a module, gate by gate; of a cell without matrices (IndRNN) the recurrent weights, which are a diagonal one.</summary>
    internal static RecurrentSpectrum[] Of<T>(Module<T> module, bool wanted)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var found = new List<RecurrentSpectrum>();
        if (wanted)
        {
            Add(module, string.Empty, found);
        }

        return [.. found];
    }

    private static void Add<T>(Module<T> module, string path, List<RecurrentSpectrum> found)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var layer = 0; module is RecurrentLayer<T> recurrent && layer < recurrent.LayerCount; layer++)
        {
            var shape = recurrent.ShapeOf(layer);
            for (var product = 0; product < shape.Layout.Products.Count; product++)
            {
                AddProduct(recurrent, layer, product, path, found);
            }

            if (shape.Layout.Products.Count == 0 && shape.UnitWeightsSlot >= 0)
            {
                var weights = recurrent.Weight(layer, shape.UnitWeightsSlot).Value.AsReadOnlySpan();
                for (var i = 0; i < shape.Layout.UnitWeights.Count; i++)
                {
                    var largest = 0.0;
                    foreach (var weight in weights.Slice(i * shape.HiddenSize, shape.HiddenSize))
                    {
                        largest = Math.Max(largest, Math.Abs(Element.ToDouble(weight)));
                    }

                    found.Add(new($"{path}{shape.Layout.UnitWeightName}_l{layer}", shape.Layout.Gates[shape.Layout.UnitWeights[i].Gate].Letter, largest, largest));
                }
            }
        }

        foreach (var (name, child) in module.Children)
        {
            Add(child, $"{path}{name}.", found);
        }
    }

    // Of a block-diagonal matrix the largest of its heads: radius and norm are those of the whole.
    private static void AddProduct<T>(RecurrentLayer<T> recurrent, int layer, int product, string path, List<RecurrentSpectrum> found)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var shape = recurrent.ShapeOf(layer);
        var of = shape.Layout.Products[product];
        var first = shape.Blocks[Array.FindIndex(shape.Blocks.ToArray(), block => block.Product == product)];
        var weights = recurrent.Weight(layer, first.Slot).Value.AsReadOnlySpan();
        var (rows, columns) = (shape.HiddenSize / shape.Heads, first.SourceSize);
        var matrix = new double[rows * columns];
        for (var gate = 0; gate < of.GateCount; gate++)
        {
            double? radius = rows == columns ? 0 : null;
            var norm = 0.0;
            for (var head = 0; head < shape.Heads; head++)
            {
                var row = first.FirstRow + (((gate * shape.Heads) + head) * rows);
                for (var i = 0; i < matrix.Length; i++)
                {
                    matrix[i] = Element.ToDouble(weights[(row * columns) + i]);
                }

                radius = radius is { } largest ? Math.Max(largest, SpectralValues.Radius(matrix, rows)) : null;
                norm = Math.Max(norm, SpectralValues.Norm(matrix, rows, columns));
            }

            found.Add(new($"{path}{of.Weight}_l{layer}", shape.Layout.Gates[of.FirstGate + gate].Letter, radius, norm));
        }
    }
}
