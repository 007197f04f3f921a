using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Rnn.Kernels;

/// <summary>
/// Products with packed weights. Many rows take a panel block by block along k, so that a block stays in the first-level cache while all rows
/// pass; few rows stream through several panels at once.
/// </summary>
internal sealed unsafe class PackedGemm<TSimd, TVector, T>(SumStart<T> start)
    where TSimd : struct, ITileRegisters<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private static readonly int LargestBlock = TileShape.LargestBlock(Width * sizeof(T));

    /// <summary>Bytes of A that one pass over the panels works on.</summary>
    private static readonly int BytesOfRows = CacheSizes.Second / 2;

    /// <summary>A multiple of it lies in the same set of every first-level cache.</summary>
    private const int PageBytes = 4096;

    /// <summary>Rows that pass all panels together however long they are: weights beyond the caches are read once for so many.</summary>
    private const int LeastRows = 96;

    private readonly SumStart<T> _start = start;

    private static int Width => PanelLayout<TSimd, TVector, T>.Width;

    /// <summary>See <see cref="MatrixKernels{T}.MultiplyScratch"/>.</summary>
    internal static nint MultiplyScratch(int rows, int inner)
    {
        // The rows of one pass, at most: a bound that grows with both sizes, so that one scratch serves all products up to them.
        var row = CacheLine<T>.OddStride(inner);
        return Math.Min(rows * row, Math.Max(BytesOfRows / sizeof(T), LeastRows * row)) + CacheLine<T>.Length;
    }

    /// <summary>See <see cref="MatrixKernels{T}.Multiply"/>.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal void Multiply(
        Rows<T> a, int rows, T* packed, int inner, int outputs, Rows<T> c, bool accumulate, T* bias, int firstPanel, int endPanel, T* scratch)
    {
        if (rows <= 0 || firstPanel >= endPanel)
        {
            return;
        }

        if (inner == 0)
        {
            SumStart<T>.Write(rows, c, accumulate, bias, firstPanel * Width, Math.Min(outputs, endPanel * Width));
            return;
        }

        var strides = stackalloc nint[TileShape.MostRows];
        TileShape.FillStrides(strides, TileShape.MostRows, c.Stride);
        var product = new PackedProduct
        {
            Packed = CacheLine<T>.Align(packed),
            Inner = inner,
            Outputs = outputs,
            FirstPanel = firstPanel,
            EndPanel = endPanel,
            Accumulate = accumulate,
            Bias = bias,
            Strides = strides,
        };
        scratch = CacheLine<T>.Align(scratch);
        if (rows <= FewRowsKernel<TSimd, TVector, T>.MostRows)
        {
            MultiplyFewRows(in product, Direct(a, rows, inner, scratch), rows, c);
            return;
        }

        // All tiles have the same number of rows or one more.
        var tiles = (rows + TileShape.MostRows - 1) / TileShape.MostRows;
        var (height, taller) = Math.DivRem(rows, tiles);
        var tilesOfPass = RowsOfPass(inner) / TileShape.MostRows;
        for (var tile = 0; tile < tiles; tile += tilesOfPass)
        {
            var count = Math.Min(tilesOfPass, tiles - tile);
            var tallerOfPass = Math.Clamp(taller - tile, 0, count);
            var rowsOfPass = (count * height) + tallerOfPass;
            MultiplyTiles(in product, Direct(a, rowsOfPass, inner, scratch), c, count, height, tallerOfPass);
            a = a.Skip(rowsOfPass);
            c = c.Skip(rowsOfPass);
        }
    }

    /// <summary>See <see cref="MatrixKernels{T}.Prepare"/>.</summary>
    internal PreparedProducts<T> Prepare(MatrixKernels<T> kernels, ReadOnlySpan<RowProduct<T>> products, int rows, bool descending)
    {
        var calls = new List<FewRowsCall<T>>();
        var strides = new List<nint>();
        var memory = new List<T[]>();
        for (var i = 0; i < products.Length; i++)
        {
            ref readonly var product = ref products[i];
            Debug.Assert(product.Inner > 0 && product.A.Offsets == null && product.C.Offsets == null, "Rows lie at equal distances and have something to sum.");
            var panels = PanelLayout<TSimd, TVector, T>.PanelCount(product.Outputs);
            if (i + 1 == products.Length || !GoesOn(product, products[i + 1]))
            {
                Append(product, null, 0, panels);
                continue;
            }

            // The next product adds to the same columns: where both have whole panels, or end together, one call computes both sums.
            var next = products[++i];
            var nextPanels = PanelLayout<TSimd, TVector, T>.PanelCount(next.Outputs);
            var both = product.Outputs == next.Outputs ? panels : Math.Min(product.Outputs, next.Outputs) / Width;
            Append(product, next, 0, both);
            Append(product, null, both, panels);
            Append(next, null, both, nextPanels);
        }

        return new(kernels, CollectionsMarshal.AsSpan(calls), CollectionsMarshal.AsSpan(strides), [.. memory]);

        static bool GoesOn(in RowProduct<T> product, in RowProduct<T> next) =>
            next.Accumulate && next.C.Start == product.C.Start && next.C.Stride == product.C.Stride;

        void Append(RowProduct<T> product, RowProduct<T>? second, int first, int end)
        {
            var call = new FewRowsCall<T> { A = (byte*)product.A.Start, ARow = product.A.Stride * sizeof(T), Count = product.Inner, Rows = rows };
            if (second is { } other)
            {
                call.A2 = (byte*)other.A.Start;
                call.ARow2 = other.A.Stride * sizeof(T);
                call.Count2 = other.Inner;
            }

            var groups = new PanelGroups(rows, first, end);
            var from = calls.Count;
            while (groups.Next())
            {
                var column = groups.First * Width;
                call.B = CacheLine<T>.Align(product.Packed.Pointer) + ((nint)groups.First * product.Inner * Width);
                call.B2 = second is { } more ? CacheLine<T>.Align(more.Packed.Pointer) + ((nint)groups.First * more.Inner * Width) : null;
                call.Panels = groups.Count;
                call.Columns = product.Outputs - column;
                call.C = product.C.Start + column;
                call.Start = product.Accumulate ? call.C : product.Bias == null ? _start.Zeros : product.Bias + column;
                call.StartRows = _start.SameRow;
                call.Target = null;
                var width = groups.Count * Width;
                if (call.Columns < width)
                {
                    Complete(ref call, product, width, product.Room - column >= width);
                }

                calls.Add(call);
                strides.Add(call.Target == null ? product.C.Stride : width);
            }

            if (descending)
            {
                calls.Reverse(from, calls.Count - from);
                strides.Reverse(from, strides.Count - from);
            }
        }

        // Columns that do not fill their panels: the rest goes to the right of C where there is room, else all is computed in memory of its own.
        void Complete(ref FewRowsCall<T> call, in RowProduct<T> product, int width, bool hasRoom)
        {
            if (!product.Accumulate && product.Bias != null)
            {
                var start = Allocate(width);
                TileShape.CopyRow(call.Start, start, call.Columns);
                call.Start = start;
            }

            if (hasRoom)
            {
                call.Columns = width;
                return;
            }

            call.Target = call.C;
            call.TargetStride = product.C.Stride;
            call.StartsFromTarget = product.Accumulate;
            call.C = Allocate(rows * width);
            call.Start = product.Accumulate ? call.C : call.Start;
        }

        // Zeros, pinned.
        T* Allocate(int length)
        {
            var array = GC.AllocateArray<T>(length + CacheLine<T>.Length, pinned: true);
            memory.Add(array);
            return CacheLine<T>.Align((T*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(array)));
        }
    }

    /// <summary>All panels for some tiles of rows; the first <paramref name="taller"/> tiles are one row higher.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void MultiplyTiles(in PackedProduct product, Rows<T> a, Rows<T> c, int tiles, int height, int taller)
    {
        // Long rows in stretches, so that those of all tiles stay in the second-level cache while all panels pass.
        var blockLength = TileShape.BlockLength(product.Inner, LargestBlock);
        var rowsBytes = ((tiles * height) + taller) * sizeof(T);
        var stretch = blockLength * Math.Max(1, (int)(BytesOfRows / ((long)rowsBytes * blockLength)));
        for (var k = 0; k < product.Inner; k += stretch)
        {
            var end = Math.Min(k + stretch, product.Inner);
            for (var panel = product.FirstPanel; panel < product.EndPanel; panel++)
            {
                MultiplyPanel(in product, a, c, tiles, height, taller, panel, k, end, blockLength);
            }
        }
    }

    /// <summary>One panel for some tiles of rows and a stretch of k, block by block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void MultiplyPanel(
        in PackedProduct product, Rows<T> a, Rows<T> c, int tiles, int height, int taller, int panel, int start, int end, int blockLength)
    {
        var column = panel * Width;
        var columns = Math.Min(Width, product.Outputs - column);
        var panelLength = (nint)product.Inner * Width;
        var b = product.Packed + (panel * panelLength);
        for (var k = start; k < end; k += blockLength)
        {
            var length = Math.Min(blockLength, end - k);
            var isLast = k + length == end;
            var next = isLast ? b + panelLength + ((nint)start * Width) : b + ((nint)(k + length) * Width);
            var call = new TileCall<T>
            {
                ARow = a.Stride * sizeof(T),
                AStep = sizeof(T),
                B = b + ((nint)k * Width),
                BStep = Width,
                Count = length,

                // Tiles share the work of bringing the panel block that comes next. A single tile has no time for it: it reads what memory gives.
                Prefetch = (byte*)(tiles > 1 ? next : b + ((nint)k * Width)),
                PrefetchStep = tiles > 1 ? Width * sizeof(T) / tiles : 0,
            };

            // The taller tiles, then the others.
            for (int row = 0, done = 0; done < tiles; done += call.Tiles)
            {
                var rows = done < taller ? height + 1 : height;
                call.Tiles = done < taller ? taller : tiles - taller;
                call.A = (byte*)(a.Start + (row * a.Stride) + k);
                call.ATile = rows * call.ARow;
                SetTarget(ref call, in product, c.Skip(row), column, rows, k == 0);
                row += call.Tiles * rows;
                call.Next = done + call.Tiles < tiles ? c[row] + column : c[0] + column + (isLast ? Width : 0);
                TileKernel<TSimd, TVector, T>.Run(rows, columns, &call);
                call.Prefetch += call.PrefetchStep * length * call.Tiles;
            }
        }
    }

    /// <summary>Where sums of some tiles come from and go to.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void SetTarget(ref TileCall<T> call, in PackedProduct product, Rows<T> c, int column, int rows, bool first)
    {
        var listed = c.Offsets != null;
        call.CRows = listed ? c.Offsets : product.Strides;
        call.C = c.Start + column;
        call.CTile = listed ? 0 : rows * c.Stride;
        call.CRowsTile = listed ? rows : 0;
        if (!first || product.Accumulate)
        {
            call.Start = call.C;
            call.StartRows = call.CRows;
            call.StartTile = call.CTile;
            call.StartRowsTile = call.CRowsTile;
        }
        else
        {
            call.Start = product.Bias == null ? _start.Zeros : product.Bias + column;
            call.StartRows = _start.SameRow;
            call.StartTile = 0;
            call.StartRowsTile = 0;
        }
    }

    /// <summary>Rows that the micro-kernel may read where they lie, else a copy of them: where their distances differ, or are such that they would push each other out of the caches.</summary>
    internal static Rows<T> Direct(Rows<T> a, int rows, int inner, T* scratch)
    {
        if (a.Offsets == null && (rows == 1 || !Collide(a.Stride * sizeof(T), inner * sizeof(T))))
        {
            return a;
        }

        if (rows == 1)
        {
            return new(a[0], 0);
        }

        var stride = CacheLine<T>.OddStride(inner);
        for (var r = 0; r < rows; r++)
        {
            TileShape.CopyRow(a[r], scratch + (r * stride), inner);
        }

        return new(scratch, stride);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void MultiplyFewRows(in PackedProduct product, Rows<T> a, int rows, Rows<T> c)
    {
        var isFromC = product.Accumulate;
        var cRows = c.Offsets == null ? product.Strides : c.Offsets;
        var call = new FewRowsCall<T>
        {
            A = (byte*)a.Start,
            ARow = a.Stride * sizeof(T),
            Count = product.Inner,
            StartRows = isFromC ? cRows : _start.SameRow,
            CRows = cRows,
            Rows = rows,
        };
        var panels = new PanelGroups(rows, product.FirstPanel, product.EndPanel);
        while (panels.Next())
        {
            var column = panels.First * Width;
            call.B = product.Packed + ((nint)panels.First * product.Inner * Width);
            call.Panels = panels.Count;
            call.Columns = product.Outputs - column;
            call.C = c.Start + column;
            call.Start = isFromC ? call.C : product.Bias == null ? _start.Zeros : product.Bias + column;
            FewRowsKernel<TSimd, TVector, T>.Run(&call, 1);
        }
    }

    /// <summary>Whether rows of this length at this distance fall into less than half of the sets of a cache, or all into the same place of a page, as those of one step of a batch-first tensor do.</summary>
    private static bool Collide(nint stride, nint bytes)
    {
        var period = stride & -stride;
        return period >= PageBytes || period >= 2 * bytes;
    }

    /// <summary>Rows that pass all panels together.</summary>
    internal static int RowsOfPass(int inner)
    {
        var tile = CacheLine<T>.OddStride(inner) * sizeof(T) * TileShape.MostRows;
        return TileShape.MostRows * Math.Max(LeastRows / TileShape.MostRows, (int)(BytesOfRows / tile));
    }

    /// <summary>The panels of a product of few rows, some at once: groups of the same number of panels or one more.</summary>
    private struct PanelGroups
    {
        private readonly int _end;
        private readonly int _size;
        private int _larger;

        internal PanelGroups(int rows, int first, int end)
        {
            var panels = end - first;
            var most = FewRowsKernel<TSimd, TVector, T>.PanelsAtOnce(rows);

            // A lone panel of a lone row would be the slowest: it makes three of two.
            var groups = rows == 1 && most == 2 ? Math.Max(1, panels / 2) : (panels + most - 1) / most;
            (_size, _larger) = Math.DivRem(panels, Math.Max(1, groups));
            _end = end;
            First = first;
        }

        internal int First { get; private set; }

        internal int Count { get; private set; }

        internal bool Next()
        {
            First += Count;
            Count = _larger-- > 0 ? _size + 1 : _size;
            return First < _end;
        }
    }

    /// <summary>What the loops of one product share.</summary>
    private struct PackedProduct
    {
        public T* Packed;
        public int Inner;
        public int Outputs;
        public int FirstPanel;
        public int EndPanel;
        public bool Accumulate;
        public T* Bias;
        public nint* Strides;
    }
}
