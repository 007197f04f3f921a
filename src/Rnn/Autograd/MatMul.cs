using System.Numerics;
using Rnn.Autograd;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>
    /// The matrix product of the last two dimensions: [m, k] · [k, n] = [m, n]. Dimensions before them are batches and broadcast as in
    /// NumPy. A vector stands for a row on the left and for a column on the right, and the result has no such dimension.
    /// </summary>
    /// <param name="left">[…, m, k] or [k].</param>
    /// <param name="right">[…, k, n] or [k].</param>
    /// <exception cref="ArgumentException">An operand is a scalar, or the shapes do not fit together.</exception>
    public static unsafe Tensor<T> MatMul<T>(this Tensor<T> left, Tensor<T> right)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        var plan = new MatMulPlan(left.Shape, right.Shape);
        var output = Tensor<T>.Uninitialized(plan.Output);
        var (m, n, k) = (plan.M, plan.N, plan.K);
        fixed (T* a = left.AsReadOnlySpan())
        fixed (T* b = right.AsReadOnlySpan())
        fixed (T* c = output.AsSpan())
        {
            for (var i = 0; i < plan.Batches; i++)
            {
                var at = plan.Start(i);
                MatrixProduct<T>.Multiply(a + at.Left, b + at.Right, false, c + at.Output, m, n, k, accumulate: false);
            }
        }

        return Graph.Records(left, right) ? new MatMulNode<T>(left, right).Attach(output) : output;
    }

    /// <summary>How the batches of a matrix product step through both operands.</summary>
    private readonly ref struct MatMulPlan
    {
        private readonly LoopNest _loops;

        internal MatMulPlan(Shape left, Shape right)
        {
            if (left.Rank == 0 || right.Rank == 0)
            {
                throw new ArgumentException($"MatMul: expected vectors or matrices but got {left} and {right}; use Multiply for scalars.");
            }

            M = left.Rank == 1 ? 1 : left[^2];
            K = left[^1];
            N = right.Rank == 1 ? 1 : right[^1];
            var rows = right.Rank == 1 ? right[0] : right[^2];
            if (rows != K)
            {
                throw new ArgumentException(
                    $"MatMul: the shapes {left} and {right} do not fit together; the last dimension of the left ({K}) must equal the rows of the right ({rows}).");
            }

            Shape leftBatch = new(left.Dimensions[..Math.Max(0, left.Rank - 2)]);
            Shape rightBatch = new(right.Dimensions[..Math.Max(0, right.Rank - 2)]);
            var batch = Broadcasting.Result(leftBatch, rightBatch, "MatMul");
            _loops = Broadcasting.Loops(batch, leftBatch, rightBatch);

            // One matrix on the right serves all batches on the left: they are the rows of one tall matrix.
            if (rightBatch.ElementCount == 1 && left.Rank > 1 && leftBatch.ElementCount > 0)
            {
                M *= leftBatch.ElementCount;
                _loops = Broadcasting.Loops([], [], []);
            }

            Batches = _loops.Outer * _loops.Inner;
            Span<int> dimensions = stackalloc int[batch.Rank + 2];
            batch.Dimensions.CopyTo(dimensions);
            var rank = batch.Rank;
            if (left.Rank > 1)
            {
                dimensions[rank++] = left[^2];
            }

            if (right.Rank > 1)
            {
                dimensions[rank++] = N;
            }

            Output = new(dimensions[..rank]);
        }

        internal int M { get; }

        internal int N { get; }

        internal int K { get; }

        internal int Batches { get; }

        internal Shape Output { get; }

        internal (int Left, int Right, int Output) Start(int batch)
        {
            var (outer, inner) = Math.DivRem(batch, _loops.Inner);
            var at = _loops.Start(outer);
            return ((at.Left + (inner * _loops.LeftStep)) * M * K, (at.Right + (inner * _loops.RightStep)) * K * N, batch * M * N);
        }
    }

    private sealed unsafe class MatMulNode<T>(Tensor<T> left, Tensor<T> right) : GraphNode<T>([left, right])
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        internal override void Backward()
        {
            var (left, right) = (Inputs[0]!, Inputs[1]!);
            var plan = new MatMulPlan(left.Shape, right.Shape);
            var (m, n, k) = (plan.M, plan.N, plan.K);
            fixed (T* a = left.AsReadOnlySpan())
            fixed (T* b = right.AsReadOnlySpan())
            fixed (T* dc = OutputGradient())
            {
                if (Needs(0))
                {
                    // dA = dC · Bᵀ
                    fixed (T* da = Gradient(0, (long)plan.Batches * m * k, out var accumulate))
                    {
                        for (var i = 0; i < plan.Batches; i++)
                        {
                            var at = plan.Start(i);
                            MatrixProduct<T>.Multiply(dc + at.Output, b + at.Right, true, da + at.Left, m, k, n, accumulate);
                        }
                    }
                }

                if (Needs(1))
                {
                    // dB += Aᵀ · dC
                    fixed (T* db = InputGradient(1))
                    {
                        for (var i = 0; i < plan.Batches; i++)
                        {
                            var at = plan.Start(i);
                            MatrixProduct<T>.AddTransposed(a + at.Left, dc + at.Output, db + at.Right, m, k, n);
                        }
                    }
                }
            }
        }

        // A gradient that every batch writes once may be overwritten; one that batches share is a sum.
        private Span<T> Gradient(int input, long written, out bool accumulate)
        {
            var gradient = InputGradient(input, out var overwrite);
            accumulate = !overwrite;
            if (overwrite && written != gradient.Length)
            {
                gradient.Clear();
                accumulate = true;
            }

            return gradient;
        }
    }
}
