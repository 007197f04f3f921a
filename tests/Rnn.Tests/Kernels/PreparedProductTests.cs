using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Tests.Kernels;

/// <summary>Prepared products of few rows against the same products one by one, bit by bit, at every width.</summary>
public unsafe class PreparedProductTests
{
    private static readonly int[] Outputs = [1, 8, 12, 16, 37, 100, 300];
    private static readonly int[] Inner = [1, 3, 17, 129];

    public static TheoryData<int> Widths => new(Simd.SupportedVectorBits);

    [Theory]
    [MemberData(nameof(Widths))]
    public void A_product_has_the_bits_of_multiply(int bits)
    {
        One<float>(bits);
        One<double>(bits);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Two_products_into_the_same_columns_go_on_from_each_other(int bits)
    {
        Two<float>(bits);
        Two<double>(bits);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Many_products_keep_their_order(int bits)
    {
        var kernels = MatrixKernels<float>.For(bits);
        for (var rows = 1; rows <= kernels.MostPreparedRows; rows++)
        {
            foreach (var descending in new[] { false, true })
            {
                // Three into the same columns; then parts of them, as the gates of a cell have them, and a product that starts anew.
                Check<float>(bits, rows, descending, new(9, 100, 0, Start.Bias), new(17, 100, 0, Start.C), new(5, 100, 0, Start.C));
                Check<float>(bits, rows, descending, new(9, 100, 0, Start.Bias), new(17, 66, 0, Start.C), new(4, 34, 66, Start.C));
                Check<float>(bits, rows, descending, new(9, 100, 0, Start.Bias), new(3, 25, 0, Start.C), new(3, 25, 25, Start.C), new(3, 25, 50, Start.C), new(3, 25, 75, Start.C));
                Check<float>(bits, rows, descending, new(9, 66, 0, Start.Bias), new(17, 34, 66, Start.Zero), new(17, 100, 0, Start.C));
                Check<float>(bits, rows, descending, new(9, 100, 0, Start.Zero), new(3, 100, 0, Start.Bias), new(3, 20, 0, Start.C), new(7, 100, 0, Start.C));
            }
        }
    }

    [Fact]
    public void A_list_runs_again_from_what_its_operands_hold_then()
    {
        var kernels = MatrixKernels<double>.Current;
        using var test = new Lists<double>(kernels, 1, new Random(1), new(17, 37, 0, Start.Bias), new(5, 37, 0, Start.C));
        var prepared = test.Prepare(descending: false);
        prepared.Run();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
        test.ChangeOperands(new Random(2));
        test.Multiply();
        prepared.Run();
        test.Check("again");
    }

    private static void One<T>(int bits)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var kernels = MatrixKernels<T>.For(bits);
        for (var rows = 1; rows <= kernels.MostPreparedRows; rows++)
        {
            foreach (var outputs in Outputs)
            {
                foreach (var inner in Inner)
                {
                    var start = (Start)((rows + outputs + inner) % 3);
                    Check<T>(bits, rows, descending: false, new Product(inner, outputs, 0, start));
                    Check<T>(bits, rows, descending: true, new Product(inner, outputs, 0, start));
                }
            }
        }
    }

    private static void Two<T>(int bits)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var kernels = MatrixKernels<T>.For(bits);
        for (var rows = 1; rows <= kernels.MostPreparedRows; rows++)
        {
            foreach (var first in Outputs)
            {
                foreach (var second in Outputs)
                {
                    var turn = rows + first + second;
                    Check<T>(bits, rows, turn % 2 == 0, new(Inner[turn % 4], first, 0, (Start)(turn % 3)), new(Inner[(turn + rows) % 4], second, 0, Start.C));
                }
            }
        }
    }

    private static void Check<T>(int bits, int rows, bool descending, params Product[] products)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var test = new Lists<T>(MatrixKernels<T>.For(bits), rows, new Random(rows), products);
        var prepared = test.Prepare(descending);
        test.Multiply();
        prepared.Run();
        test.Check($"{typeof(T).Name} {bits}, {rows} rows, {(descending ? "descending" : "ascending")}: {string.Join(", then ", products)}");
    }

    private enum Start
    {
        Zero,
        Bias,
        C,
    }

    private readonly record struct Product(int Inner, int Outputs, int Column, Start Start);

    /// <summary>The operands of some products into parts of one C, and two C for the two ways to compute them.</summary>
    private sealed class Lists<T> : IDisposable
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly MatrixKernels<T> _kernels;
        private readonly int _rows;
        private readonly Product[] _products;
        private readonly GuardedMatrix<T>[] _a;
        private readonly GuardedMemory<T>[] _packed;
        private readonly GuardedMatrix<T> _bias;
        private readonly GuardedMatrix<T> _expected;
        private readonly GuardedMatrix<T> _actual;

        internal Lists(MatrixKernels<T> kernels, int rows, Random random, params Product[] products)
        {
            var columns = products.Max(product => product.Column + product.Outputs);
            (_kernels, _rows, _products) = (kernels, rows, products);
            _a = Array.ConvertAll(products, product => new GuardedMatrix<T>(rows, product.Inner, random, offsets: false));
            _packed = Array.ConvertAll(products, product => Packed(product, random));
            _bias = new(1, columns, random, offsets: false);
            _expected = new(rows, columns, random, offsets: false);
            _actual = new(rows, columns, random, offsets: false);
            _actual.CopyFrom(_expected);
        }

        public void Dispose()
        {
            Array.ForEach(_a, a => a.Dispose());
            Array.ForEach(_packed, packed => packed.Dispose());
            _bias.Dispose();
            _expected.Dispose();
            _actual.Dispose();
        }

        internal PreparedProducts<T> Prepare(bool descending)
        {
            var products = new RowProduct<T>[_products.Length];
            for (var i = 0; i < products.Length; i++)
            {
                var product = _products[i];
                products[i] = new()
                {
                    A = _a[i].Rows,
                    Packed = _packed[i].Start,
                    Inner = product.Inner,
                    Outputs = product.Outputs,
                    C = _actual.Rows.SkipColumns(product.Column),
                    Accumulate = product.Start == Start.C,
                    Bias = Bias(product),
                };
            }

            return _kernels.Prepare(products, _rows, descending);
        }

        internal void Multiply()
        {
            for (var i = 0; i < _products.Length; i++)
            {
                var product = _products[i];
                using var scratch = new GuardedMemory<T>(_kernels.MultiplyScratch(_rows, product.Inner));
                _kernels.Multiply(
                    _a[i].Rows, _rows, _packed[i].Start, product.Inner, product.Outputs, _expected.Rows.SkipColumns(product.Column), product.Start == Start.C, Bias(product), 0,
                    _kernels.PanelCount(product.Outputs), scratch.Start);
                scratch.Check();
            }
        }

        internal void ChangeOperands(Random random)
        {
            for (var i = 0; i < _products.Length; i++)
            {
                using var other = new GuardedMatrix<T>(_rows, _products[i].Inner, random, offsets: false);
                _a[i].CopyFrom(other);
            }
        }

        internal void Check(string what)
        {
            _actual.CheckSame(_expected, what);
            Array.ForEach(_packed, packed => packed.Check());
        }

        private T* Bias(Product product) => product.Start == Start.Bias ? _bias.Rows.Start + product.Column : null;

        private GuardedMemory<T> Packed(Product product, Random random)
        {
            using var b = new GuardedMatrix<T>(product.Outputs, product.Inner, random, offsets: false);
            var packed = new GuardedMemory<T>(_kernels.PackedLength(product.Inner, product.Outputs));
            _kernels.Pack(b.Rows.Start, b.Rows.Stride, false, product.Inner, product.Outputs, packed.Start, 0, _kernels.PanelCount(product.Outputs));
            return packed;
        }
    }
}
