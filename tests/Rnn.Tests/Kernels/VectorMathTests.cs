using System.Numerics;
using Rnn.Kernels;
using Xunit.Abstractions;

namespace Rnn.Tests.Kernels;

/// <summary>
/// The functions of <see cref="VectorMath"/> against a reference of twice the digits, over the whole range of the arguments.
/// With <c>RNN_EXHAUSTIVE=1</c> in the environment every one of the 2^32 floats and some million doubles are measured (a quarter of an
/// hour in a release build); that is how the errors in the documentation were found.
/// </summary>
public unsafe class VectorMathTests(ITestOutputHelper output)
{
    private const int Block = 4096;

    private static readonly bool Exhaustive = Environment.GetEnvironmentVariable("RNN_EXHAUSTIVE") == "1";

    public static TheoryData<string> Functions => ["Exp", "ExpM1", "Sigmoid", "Tanh", "Log", "Softplus", "NormalCdf"];

    [Theory]
    [MemberData(nameof(Functions))]
    public void Error_is_as_stated_in_double(string name) => Run(name, new ErrorInDouble(this));

    [Theory]
    [MemberData(nameof(Functions))]
    public void Error_is_as_stated_in_single(string name) => Run(name, new ErrorInSingle(this));

    [Theory]
    [MemberData(nameof(Functions))]
    public void All_widths_give_the_same_bits(string name) => Run(name, new SameBits());

    private static void Run<TTask>(string name, TTask task)
        where TTask : IFunctionTask
    {
        switch (name)
        {
            case "Exp": task.Run<ExpFunction>(); break;
            case "ExpM1": task.Run<ExpM1Function>(); break;
            case "Sigmoid": task.Run<SigmoidFunction>(); break;
            case "Tanh": task.Run<TanhFunction>(); break;
            case "Log": task.Run<LogFunction>(); break;
            case "Softplus": task.Run<SoftplusFunction>(); break;
            case "NormalCdf": task.Run<NormalCdfFunction>(); break;
            default: throw new ArgumentException(name);
        }
    }

    /// <summary>Every exponent of either sign with a dozen mantissas, and the range where the functions bend in even steps.</summary>
    internal static List<double> DoubleSample()
    {
        var sample = new List<double>();
        var random = new Random(1);
        for (long exponent = 0; exponent <= 2047; exponent++)
        {
            for (var i = 0; i < 6; i++)
            {
                var mantissa = i switch { 0 => 0L, 1 => 1L, 2 => (1L << 52) - 1, _ => random.NextInt64(1L << 52) };
                var value = BitConverter.Int64BitsToDouble((exponent << 52) | mantissa);
                sample.Add(value);
                sample.Add(-value);
            }
        }

        for (var i = 0; i < (Exhaustive ? 800_000 : 8000); i++)
        {
            sample.Add((random.NextDouble() - 0.5) * 6);
            sample.Add((random.NextDouble() - 0.5) * 90);
            sample.Add((random.NextDouble() - 0.5) * 1520);
        }

        return sample;
    }

    private static void Map<TFunction, V, T>(T* x, T* y, int count)
        where TFunction : ITestedFunction
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var i = 0; i < count; i += V.Count)
        {
            TFunction.Apply<V, T>(V.Load(x + i)).Store(y + i);
        }
    }

    private static void MapWidest<TFunction, T>(T* x, T* y, int count)
        where TFunction : ITestedFunction
        where T : unmanaged, IFloatingPointIeee754<T> => MapWidth<TFunction, T>(Simd.SupportedVectorBits[0], x, y, count);

    private static void MapWidth<TFunction, T>(int bits, T* x, T* y, int count)
        where TFunction : ITestedFunction
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        switch (bits)
        {
            case 512: Map<TFunction, Vec512<T>, T>(x, y, count); break;
            case 256: Map<TFunction, Vec256<T>, T>(x, y, count); break;
            case 128: Map<TFunction, Vec128<T>, T>(x, y, count); break;
            default: Map<TFunction, Vec1<T>, T>(x, y, count); break;
        }
    }

    private interface IFunctionTask
    {
        void Run<TFunction>()
            where TFunction : ITestedFunction;
    }

    private readonly struct ErrorInDouble(VectorMathTests owner) : IFunctionTask
    {
        public void Run<TFunction>()
            where TFunction : ITestedFunction
        {
            var x = DoubleSample().ToArray();
            Array.Resize(ref x, (x.Length + 7) / 8 * 8);
            var y = new double[x.Length];
            fixed (double* px = x, py = y)
            {
                MapWidest<TFunction, double>(px, py, x.Length);
            }

            var worst = 0.0;
            var where = 0.0;
            for (var i = 0; i < x.Length; i++)
            {
                var error = Ulp.OfDouble(y[i], TFunction.Reference(x[i]));
                if (!(error <= worst))
                {
                    (worst, where) = (error, x[i]);
                }
            }

            owner.Report<TFunction>(worst, where, TFunction.MaxUlpDouble);
        }
    }

    private readonly struct ErrorInSingle(VectorMathTests owner) : IFunctionTask
    {
        public void Run<TFunction>()
            where TFunction : ITestedFunction
        {
            // The reference is the same function in double, which the other test holds to a few ulp of double.
            var step = Exhaustive ? 1u : 16381u;
            float* x = stackalloc float[Block];
            float* y = stackalloc float[Block];
            double* exact = stackalloc double[Block];
            double* wide = stackalloc double[Block];
            var worst = 0.0;
            var where = 0f;
            for (ulong bits = 0; bits <= uint.MaxValue;)
            {
                for (var i = 0; i < Block; i++, bits += step)
                {
                    x[i] = BitConverter.UInt32BitsToSingle((uint)bits);
                    wide[i] = x[i];
                }

                MapWidest<TFunction, float>(x, y, Block);
                MapWidest<TFunction, double>(wide, exact, Block);
                for (var i = 0; i < Block; i++)
                {
                    var error = Ulp.OfSingle(y[i], exact[i]);
                    if (!(error <= worst))
                    {
                        (worst, where) = (error, x[i]);
                    }
                }
            }

            owner.Report<TFunction>(worst, where, TFunction.MaxUlpSingle);
        }
    }

    private readonly struct SameBits : IFunctionTask
    {
        public void Run<TFunction>()
            where TFunction : ITestedFunction
        {
            var sample = DoubleSample();
            Compare<TFunction, double>(sample);
            for (uint i = 0; i < 30000; i++)
            {
                sample.Add(BitConverter.UInt32BitsToSingle(i * 143165u));
            }

            Compare<TFunction, float>(sample);
        }

        private static void Compare<TFunction, T>(List<double> sample)
            where TFunction : ITestedFunction
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            var x = new T[(sample.Count + 15) / 16 * 16];
            for (var i = 0; i < sample.Count; i++)
            {
                x[i] = T.CreateTruncating(sample[i]);
            }

            var expected = new T[x.Length];
            var actual = new T[x.Length];
            fixed (T* px = x, pe = expected, pa = actual)
            {
                MapWidth<TFunction, T>(0, px, pe, x.Length);
                foreach (var bits in Simd.SupportedVectorBits)
                {
                    MapWidth<TFunction, T>(bits, px, pa, x.Length);
                    for (var i = 0; i < x.Length; i++)
                    {
                        Assert.True(
                            (T.IsNaN(pe[i]) && T.IsNaN(pa[i])) || (pe[i] == pa[i] && T.IsNegative(pe[i]) == T.IsNegative(pa[i])),
                            $"{typeof(TFunction).Name}({px[i]}): {pa[i]} at {bits} bits but {pe[i]} at one lane");
                    }
                }
            }
        }
    }

    private void Report<TFunction>(double worst, double where, double allowed)
    {
        output.WriteLine($"{typeof(TFunction).Name}: largest error {worst:F3} ulp at {where:R}");

        // Where products are rounded before they are added, as the documentation says, a little more.
        allowed += Simd.HasFusedMultiplyAdd ? 0 : 2;
        Assert.True(worst <= allowed, $"{typeof(TFunction).Name}: error {worst:F3} ulp at {where:R}, documented {allowed}");
    }
}
