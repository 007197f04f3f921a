using System.Numerics;
using Rnn.Cells;
using Rnn.Layers.Engine;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>The first values of a recurrent layer's parameters, gate by gate, as <see cref="RecurrentInitialization"/> says.</summary>
internal sealed class RecurrentInitializer<T>(RecurrentOptions options, RandomSource random)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The first values of one parameter.</summary>
    internal Tensor<T> Create(CellShape shape, WeightSlot slot)
    {
        var values = Tensor<T>.Zeros(slot.Shape);
        var span = values.AsSpan();
        switch (slot.Kind)
        {
            case WeightKind.Gain:
                span.Fill(T.One);
                break;
            case WeightKind.GainAndBias:
                span[..shape.HiddenSize].Fill(T.One);
                break;
            case var _ when options.Initialization == RecurrentInitialization.Uniform:
                var limit = 1 / Math.Sqrt(shape.HiddenSize);
                random.FillUniform(span, -limit, limit);
                break;
            case WeightKind.Bias:
                FillBias(shape, span);
                break;
            case WeightKind.UnitWeights:
                FillUnitWeights(shape, span);
                break;
            default:
                var columns = slot.Shape[1];
                var rows = slot.Shape[0] / slot.Blocks;
                for (var block = 0; block < slot.Blocks; block++)
                {
                    Matrix(slot.Kind).Fill(span.Slice(block * rows * columns, rows * columns), rows, columns, random);
                }

                break;
        }

        return values;
    }

    private Initializer Matrix(WeightKind kind) => (options.Initialization, kind) switch
    {
        (RecurrentInitialization.Identity, WeightKind.Input) => Initializer.Normal(0, 0.001),
        (RecurrentInitialization.Identity, _) => Initializer.Identity,
        (RecurrentInitialization.Glorot, _) or (_, WeightKind.Input) => Initializer.GlorotUniform,
        _ => Initializer.Orthogonal,
    };

    private void FillBias(CellShape shape, Span<T> bias)
    {
        var hidden = shape.HiddenSize;
        var chrono = options.Initialization == RecurrentInitialization.Chrono;

        // How many steps each unit shall remember, the same in all its gates.
        var spans = new double[hidden];
        if (chrono)
        {
            random.FillUniform<double>(spans, 1, options.ChronoSteps - 1);
        }

        for (var gate = 0; gate < shape.Layout.Gates.Count; gate++)
        {
            var block = bias.Slice(gate * hidden, hidden);
            var (role, initial) = (shape.Layout.Gates[gate].Role, shape.Layout.Gates[gate].InitialBias * options.ForgetBias);
            for (var unit = 0; unit < hidden; unit++)
            {
                block[unit] = T.CreateTruncating(chrono && role != GateRole.Other
                    ? Math.Log(spans[unit]) * (role == GateRole.Forget ? 1 : -1)
                    : initial);
            }
        }
    }

    private void FillUnitWeights(CellShape shape, Span<T> values)
    {
        for (var i = 0; i < shape.Layout.UnitWeights.Count; i++)
        {
            var vector = values.Slice(i * shape.HiddenSize, shape.HiddenSize);
            if (shape.Layout.UnitWeights[i].Initial == UnitWeightInitial.Uniform)
            {
                var limit = 1 / Math.Sqrt(shape.HiddenSize);
                random.FillUniform(vector, -limit, limit);
            }
            else if (options.Initialization == RecurrentInitialization.Identity)
            {
                vector.Fill(T.One);
            }
            else
            {
                random.FillUniform(vector);
            }
        }
    }
}
