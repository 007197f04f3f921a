using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using Rnn.Cells;
using Rnn.Kernels;

namespace Rnn.Benchmarks;

/// <summary>The parts of a training step that are not matrix products: an LSTM's pointwise step, softmax, cross-entropy, layer normalisation.</summary>
public unsafe class PointwiseBenchmarks
{
    private const int Batch = 32;
    private const int Units = 256;
    private const int Rows = 2048;

    private float* _memory;
    private CellKernels<float>? _cell;
    private RowKernels<float>? _rows;
    private NormalizationKernels<float>? _normalization;
    private CellBlock<float> _block;

    [ParamsSource(nameof(Widths))]
    public int Bits { get; set; }

    [Params(65, 1000)]
    public int Columns { get; set; }

    public static IEnumerable<int> Widths => Simd.SupportedVectorBits;

    [GlobalSetup]
    public void Setup()
    {
        nint elements = (2 * Rows * Columns) + (2 * Rows) + (2 * Columns);
        elements = Math.Max(elements, 9 * Batch * Units);
        _memory = (float*)NativeMemory.AlignedAlloc((nuint)(elements * sizeof(float)), 64);
        var random = new Random(1);
        for (nint i = 0; i < elements; i++)
        {
            _memory[i] = (float)((random.NextDouble() * 4) - 2);
        }

        _rows = RowKernels<float>.For(Bits);
        _normalization = NormalizationKernels<float>.For(Bits);
        _cell = CellKernels<float>.Create<LstmCell<NoPeephole, SeparateForget>>(Bits);
        _block = new() { Rows = Batch, Units = Units, Gates = new(_memory, 4 * Units), Saved = new(_memory + (4 * Batch * Units), Units) };
        for (var state = 0; state < 2; state++)
        {
            _block.Previous[state] = new(_memory + ((5 + state) * Batch * Units), Units);
            _block.Next[state] = new(_memory + ((7 + state) * Batch * Units), Units);
        }
    }

    [GlobalCleanup]
    public void Cleanup() => NativeMemory.AlignedFree(_memory);

    /// <summary>[32, 256], every gate saved for the backward pass.</summary>
    [Benchmark]
    public void LstmStep() => _cell!.Forward(0, _block, saves: true);

    [Benchmark]
    public void Softmax() => _rows!.Softmax(X, Y, Rows, Columns);

    /// <summary>The work of a cross-entropy for every row, forward and backward.</summary>
    [Benchmark]
    public void CrossEntropy()
    {
        for (var row = 0; row < Rows; row++)
        {
            var (largest, sum) = _rows!.SoftmaxStatistics(X[row], Columns);
            _rows.SoftmaxGradient(X[row], null, largest, 1 / sum, 0, Y[row], Columns, accumulate: false);
        }
    }

    [Benchmark]
    public void LayerNorm()
    {
        var gain = _memory + (2 * Rows * Columns);
        _normalization!.Forward(new(X, gain + (2 * Columns), 2, gain), Rows, Columns, gain + Columns, Y, accumulate: false);
    }

    private Rows<float> X => new(_memory, Columns);

    private Rows<float> Y => new(_memory + (Rows * Columns), Columns);
}
