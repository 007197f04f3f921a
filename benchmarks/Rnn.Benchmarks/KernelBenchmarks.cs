using System.Globalization;
using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using Rnn.Kernels;

namespace Rnn.Benchmarks;

/// <summary>
/// The gate products, with GFLOP/s beside the machine's FMA peak, which is measured when the table is written. The command
/// <c>kernels</c> shows more shapes in less time.
/// </summary>
[Config(typeof(Configuration))]
public unsafe class KernelBenchmarks
{
    private readonly MatrixKernels<float> _kernels = MatrixKernels<float>.Current;
    private float* _a;
    private float* _b;
    private float* _c;
    private float* _packed;
    private float* _scratch;

    /// <summary>Rows × outputs, summed dimension.</summary>
    [Params("48x512x256", "24x800x400", "96x2048x1024", "1x1024x256", "10x512x128")]
    public string Shape { get; set; } = string.Empty;

    private (int Rows, int Outputs, int Inner) Size => Parse(Shape);

    [GlobalSetup]
    public void Setup()
    {
        var (rows, outputs, inner) = Size;
        _a = Allocate((nint)rows * inner);
        _b = Allocate((nint)outputs * inner);
        _c = Allocate((nint)rows * outputs);
        _packed = Allocate(_kernels.PackedLength(inner, outputs));
        _scratch = Allocate(_kernels.MultiplyScratch(rows, inner));
        Pack();
    }

    [Benchmark]
    public void Multiply()
    {
        var (rows, outputs, inner) = Size;
        _kernels.Multiply(
            new(_a, inner), rows, _packed, inner, outputs, new(_c, outputs), false, null, 0, _kernels.PanelCount(outputs), _scratch);
    }

    [Benchmark]
    public void Pack()
    {
        var (_, outputs, inner) = Size;
        _kernels.Pack(_b, inner, false, inner, outputs, _packed, 0, _kernels.PanelCount(outputs));
    }

    private static (int Rows, int Outputs, int Inner) Parse(string shape)
    {
        var sizes = shape.Split('x');
        return (int.Parse(sizes[0], CultureInfo.InvariantCulture), int.Parse(sizes[1], CultureInfo.InvariantCulture), int.Parse(sizes[2], CultureInfo.InvariantCulture));
    }

    private static float* Allocate(nint length)
    {
        var memory = (float*)NativeMemory.AlignedAlloc((nuint)(length * sizeof(float)), 64);
        new Span<float>(memory, checked((int)length)).Fill(0.5f);
        return memory;
    }

    private sealed class Configuration : ManualConfig
    {
        public Configuration()
        {
            AddColumn(new RateColumn());
            AddColumn(new PeakColumn());
        }
    }

    /// <summary>GFLOP/s of the products.</summary>
    private class RateColumn : IColumn
    {
        public virtual string Id => nameof(RateColumn);

        public virtual string ColumnName => "GFLOP/s";

        public bool AlwaysShow => true;

        public ColumnCategory Category => ColumnCategory.Custom;

        public int PriorityInCategory => 0;

        public bool IsNumeric => true;

        public UnitType UnitType => UnitType.Dimensionless;

        public virtual string Legend => "multiply-adds count two operations";

        public string GetValue(Summary summary, BenchmarkCase benchmarkCase) => GetValue(summary, benchmarkCase, SummaryStyle.Default);

        public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style)
        {
            var nanoseconds = summary[benchmarkCase]?.ResultStatistics?.Median;
            if (nanoseconds is null || benchmarkCase.Descriptor.WorkloadMethod.Name != nameof(Multiply))
            {
                return "-";
            }

            var (rows, outputs, inner) = Parse((string)benchmarkCase.Parameters[nameof(Shape)]);
            return Format(2.0 * rows * outputs * inner / nanoseconds.Value);
        }

        public bool IsAvailable(Summary summary) => true;

        public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

        protected virtual string Format(double rate) => rate.ToString("F0", CultureInfo.InvariantCulture);
    }

    /// <summary>The share of the machine's own peak.</summary>
    private sealed class PeakColumn : RateColumn
    {
        private readonly Lazy<double> _peak = new(() => Roofline.MeasureFlops<float>() / 1e9);

        public override string Id => nameof(PeakColumn);

        public override string ColumnName => "of peak";

        public override string Legend => "of the FMA peak of one core at the vector width in use, measured now";

        protected override string Format(double rate) =>
            string.Create(CultureInfo.InvariantCulture, $"{rate / _peak.Value:P0} of {_peak.Value:F0}");
    }
}
