using System.Numerics;
using Rnn.Cells;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Tests.Kernels;

/// <summary>Scan kernels of every width, whole and in pieces, give the same bits and touch nothing else.</summary>
public sealed unsafe class ScanKernelsTests
{
    [Fact]
    public void Every_width_and_every_cut_gives_the_same_bits()
    {
        Check<MinGruCell<PositiveCandidate>>(2);
        Check<MinLstmCell<Tanh>>(3);
        Check<RgLruCell>(2);
    }

    private static void Check<TCell>(int gates)
        where TCell : struct, IScanCell
    {
        foreach (var units in new[] { 1, 3, 17, 37, 129 })
        {
            Check<TCell, float>(gates, units);
            Check<TCell, double>(gates, units);
        }
    }

    private static void Check<TCell, T>(int gates, int units)
        where TCell : struct, IScanCell
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var expected = Run<T>(ScanKernels<T>.Create<TCell>(0), gates, units, [0, units]);
        foreach (var bits in Simd.SupportedVectorBits)
        {
            var kernels = ScanKernels<T>.Create<TCell>(bits);
            Assert.Equal(expected, Run(kernels, gates, units, [0, units]));
            Assert.Equal(expected, Run(kernels, gates, units, [0, units / 3, (2 * units) / 3, units]));
        }
    }

    private static T[] Run<T>(ScanKernels<T> kernels, int gates, int units, int[] cuts)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        const int Steps = 5;
        var random = new RandomSource(3);
        var (a, x, decay, h, dy) = (Normal(Steps * gates * units), Normal(Steps * units), Normal(units), Normal(units), Normal(Steps * units));
        var (y, carry, da, dx, sums) = (new T[Steps * units], new T[units], new T[Steps * gates * units], new T[Steps * units], new T[units]);
        for (var j = 0; j < units; j++)
        {
            decay[j] = -T.Abs(decay[j]);
        }

        fixed (T* pa = a, px = x, pd = decay, ph = h, pdy = dy, py = y, pc = carry, pda = da, pdx = dx, ps = sums)
        {
            for (var part = 1; part < cuts.Length; part++)
            {
                var step = new ScanStep<T>
                {
                    Gates = pa,
                    Units = units,
                    Input = px,
                    PerUnit = pd,
                    Previous = ph,
                    Output = py,
                    GateStep = gates * units,
                    InputStep = units,
                    OutputStep = units,
                };
                kernels.Forward(step, Steps, cuts[part - 1], cuts[part]);
                const int Last = Steps - 1;
                step.Gates += Last * step.GateStep;
                step.Input += Last * units;
                step.Output += Last * units;
                step.OutputGradient = pdy + (Last * units);
                step.Carried = pc;
                step.GateGradients = pda + (Last * step.GateStep);
                step.InputGradient = pdx + (Last * units);
                step.PerUnitSums = ps;
                kernels.Backward(step, Steps, cuts[part - 1], cuts[part], ph);
            }
        }

        return [.. y, .. carry, .. da, .. dx, .. sums];

        T[] Normal(int length)
        {
            var values = new T[length];
            random.FillNormal(values.AsSpan());
            return values;
        }
    }
}
