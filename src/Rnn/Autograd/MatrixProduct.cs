using System.Numerics;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Autograd;

/// <summary>
/// The matrix products of operations and layers: the one place that packs, shares the work among threads and calls the kernels. Work
/// is split over rows or columns of results only, so the number of threads does not change a bit.
/// </summary>
internal sealed unsafe class MatrixProduct<T> : WorkItem
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Less work than this is done sooner by one thread than another wakes up.
    private const double OperationsPerPart = 2e6;

    // Up to so many rows simple loops are quickest: dot products, and sums of rows.
    private const int FewRowsTransposed = 3;
    private const int FewRows = 1;

    [ThreadStatic]
    private static MatrixProduct<T>? _own;

    private readonly MatrixKernels<T> _kernels = MatrixKernels<T>.Current;
    private Kind _kind;
    private Rows<T> _a;
    private Rows<T> _b;
    private Rows<T> _c;
    private PackedPanels<T> _packed;
    private T* _bias;
    private int _rows;
    private int _inner;
    private int _outputs;
    private int _parts;
    private bool _accumulate;
    private bool _transposeB;
    private bool _splitRows;

    private enum Kind
    {
        Unpacked,
        Packed,
        Transposed,
        ColumnSums,
    }

    /// <summary>
    /// C = A·op(B), or C += A·op(B) where <paramref name="accumulate"/>; row-major and dense: C [m, n], A [m, k], B [k, n] or, transposed,
    /// [n, k].
    /// </summary>
    internal static void Multiply(T* a, T* b, bool transposeB, T* c, int m, int n, int k, bool accumulate)
    {
        if (m == 0 || n == 0)
        {
            return;
        }

        if (m <= (transposeB ? FewRowsTransposed : FewRows))
        {
            for (var i = 0; i < m; i++)
            {
                if (transposeB)
                {
                    SpanKernels<T>.RowTimesTransposed(a + ((nint)i * k), b, c + ((nint)i * n), n, k, accumulate);
                }
                else
                {
                    SpanKernels<T>.RowTimesMatrix(a + ((nint)i * k), b, c + ((nint)i * n), n, k, accumulate);
                }
            }

            return;
        }

        var own = Begin(Kind.Unpacked, m, k, n);
        own._a = new(a, k);
        own._b = new(b, transposeB ? k : n);
        own._c = new(c, n);
        own._transposeB = transposeB;
        own._accumulate = accumulate;
        own.Share(m, own._kernels.PanelCount(n));
    }

    /// <summary>C = A·B (+ bias in every row), or C += A·B, with C [rows, outputs], A [rows, inner] and B packed.</summary>
    internal static void MultiplyPacked(T* a, int rows, PackedPanels<T> packed, int inner, int outputs, T* c, bool accumulate, T* bias) =>
        MultiplyPacked(new Rows<T>(a, inner), rows, packed, inner, outputs, new(c, outputs), accumulate, bias);

    /// <summary>The same of rows that lie within longer ones.</summary>
    internal static void MultiplyPacked(Rows<T> a, int rows, PackedPanels<T> packed, int inner, int outputs, Rows<T> c, bool accumulate, T* bias)
    {
        var own = Begin(Kind.Packed, rows, inner, outputs);
        own._a = a;
        own._packed = packed;
        own._c = c;
        own._bias = bias;
        own._accumulate = accumulate;
        own.Share(rows, own._kernels.PanelCount(outputs));
    }

    /// <summary>C += Aᵀ·B with C [m, n], A [count, m] and B [count, n].</summary>
    internal static void AddTransposed(T* a, T* b, T* c, int count, int m, int n) => AddTransposed(new Rows<T>(a, m), new Rows<T>(b, n), c, count, m, n);

    /// <summary>The same of rows that lie within longer ones.</summary>
    internal static void AddTransposed(Rows<T> a, Rows<T> b, T* c, int count, int m, int n)
    {
        var own = Begin(Kind.Transposed, m, count, n);
        (own._a, own._b, own._c) = (a, b, new(c, n));
        own.Share(m, 1);
    }

    /// <summary>sums += the sums of the columns of A [rows, columns].</summary>
    internal static void AddColumnSums(T* a, int rows, int columns, T* sums)
    {
        var own = Begin(Kind.ColumnSums, rows, 1, columns);
        (own._a, own._c) = (new(a, columns), new(sums, columns));
        own._parts = 1;
        own.Execute(0);
    }

    internal override void Execute(int part)
    {
        if (_kind == Kind.ColumnSums)
        {
            ColumnKernels<T>.Current.AddSums(_a, _rows, _c.Start, 0, _outputs);
            return;
        }

        var panels = _kernels.PanelCount(_outputs);
        var (firstRow, endRow) = _splitRows ? Range(_rows, part) : (0, _rows);
        var (firstPanel, endPanel) = _splitRows ? (0, panels) : Range(panels, part);
        var (firstColumn, endColumn) = (firstPanel * _kernels.PanelWidth, Math.Min(endPanel * _kernels.PanelWidth, _outputs));
        var length = _kind switch
        {
            Kind.Unpacked => _kernels.ProductScratch(endColumn - firstColumn, _inner),
            Kind.Packed => _kernels.MultiplyScratch(endRow - firstRow, _inner),
            _ => _kernels.TransposedScratch(_inner, _rows, _outputs),
        };
        var scratch = TensorPool<T>.Rent(checked((int)length));
        try
        {
            fixed (T* memory = scratch)
            {
                switch (_kind)
                {
                    case Kind.Unpacked:
                        _kernels.Product(
                            false, _transposeB, endRow - firstRow, endColumn - firstColumn, _inner, _a[firstRow], _a.Stride,
                            _b.Start + (_transposeB ? firstColumn * _b.Stride : firstColumn), _b.Stride,
                            _c[firstRow] + firstColumn, _c.Stride, _accumulate, null, memory);
                        break;
                    case Kind.Packed:
                        _kernels.Multiply(
                            _a.Skip(firstRow), endRow - firstRow, _packed, _inner, _outputs, _c.Skip(firstRow), _accumulate, _bias, firstPanel, endPanel, memory);
                        break;
                    default:
                        _kernels.MultiplyTransposedA(_a, _b, _inner, _rows, _outputs, _c.Start, _outputs, firstRow, endRow, memory);
                        break;
                }
            }
        }
        finally
        {
            TensorPool<T>.Return(scratch);
        }
    }

    private static MatrixProduct<T> Begin(Kind kind, int rows, int inner, int outputs)
    {
        var own = _own ??= new();
        (own._kind, own._rows, own._inner, own._outputs, own._splitRows) = (kind, rows, inner, outputs, true);
        return own;
    }

    private void Share(int rows, int panels)
    {
        var parts = Math.Clamp((int)Math.Min(2.0 * _rows * _inner * _outputs / OperationsPerPart, int.MaxValue), 1, Workers.MaxThreads);

        // Threads with few rows each would go over the whole of B for little: they share its columns then.
        _splitRows = rows >= 24 * parts || panels < parts;
        _parts = _splitRows ? Math.Min(parts, Math.Max(1, rows)) : parts;
        Workers.Run(this, _parts);
    }

    private (int First, int End) Range(int count, int part) => ((int)((long)count * part / _parts), (int)((long)count * (part + 1) / _parts));
}
