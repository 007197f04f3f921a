using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Formats;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>
/// Adds up gradients over the processes of a group in 16 bits. Each process rounds its gradient and keeps the error for the next time; the owner of a slice rounds its sum for the others and keeps that error.
/// </summary>
internal sealed class CompressedSum<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const string ErrorName = "error";
    private const string SumErrorName = "sum_error";

    private readonly ProcessGroup _group;
    private readonly int _slice;
    private readonly T[] _error;
    private readonly T[] _sum;
    private readonly T[] _sumError;
    private readonly ushort[] _sent;
    private readonly ushort[] _received;

    /// <summary>A sum over so many elements.</summary>
    internal CompressedSum(ProcessGroup group, int length)
    {
        // Slices of whole cache lines, of 16 bits each.
        const int Line = 32;
        (_group, _slice) = (group, (((length + group.Size - 1) / group.Size) + Line - 1) / Line * Line);
        (_error, _sum, _sumError) = (new T[length], new T[_slice], new T[_slice]);
        (_sent, _received) = (new ushort[checked(_slice * group.Size)], new ushort[_slice * group.Size]);
    }

    /// <summary>Puts the sums over all processes, rounded, in the place of the own gradients: the same on all.</summary>
    internal void AddUp(Span<T> gradients)
    {
        Round(gradients, _error, _sent);
        _group.AllToAll(_sent, _received);
        for (var rank = 0; rank < _group.Size; rank++)
        {
            Add(_received.AsSpan(rank * _slice, _slice), _sum, overwrite: rank == 0);
        }

        var own = _received.AsSpan(0, _slice);
        Round(_sum, _sumError, own);
        _group.AllGather<ushort>(own, _sent);
        Add(_sent.AsSpan(0, gradients.Length), gradients, overwrite: true);
    }

    /// <summary>Saves the errors of this process.</summary>
    internal void SaveState(StateTree<T> state)
    {
        state.Add(ErrorName, new(new Storage<T>(_error), [_error.Length]));
        state.Add(SumErrorName, new(new Storage<T>(_sumError), [_sumError.Length]));
    }

    /// <summary>Takes back the errors of all processes: the own ones, or where there were more or fewer processes, or none that rounded, their sum on rank 0.</summary>
    internal void RestoreState(StateTree<T> state, int processes)
    {
        Array.Clear(_error);
        Array.Clear(_sumError);
        for (var rank = 0; rank < processes; rank++)
        {
            var branch = state.Branch(Name(rank));
            if (branch.FindTensor(ErrorName) is not { } error || branch.FindTensor(SumErrorName) is not { } sumError)
            {
                throw new InvalidDataException($"The saved state lacks the rounding errors of rank {rank}.");
            }

            if (processes == _group.Size ? rank == _group.Rank : _group.Rank == 0)
            {
                SpanKernels<T>.Add(branch.GetTensor(ErrorName, [_error.Length]).AsReadOnlySpan(), _error);
            }

            if (processes == _group.Size)
            {
                if (rank == _group.Rank)
                {
                    branch.GetTensor(SumErrorName, [_slice]).AsReadOnlySpan().CopyTo(_sumError);
                }
            }
            else if (_group.Rank == 0)
            {
                // Slices lay one behind the other.
                var start = rank * sumError.Length;
                var count = Math.Clamp(_error.Length - start, 0, sumError.Length);
                SpanKernels<T>.Add(sumError.AsReadOnlySpan()[..count], _error.AsSpan(Math.Min(start, _error.Length), count));
            }
        }
    }

    /// <summary>The name of the branch of a process.</summary>
    internal static string Name(int rank) => $"rank{rank}";

    // What is not finite stays so, and leaves no error behind.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Round(ReadOnlySpan<T> values, Span<T> errors, Span<ushort> rounded)
    {
        for (var i = 0; i < values.Length; i++)
        {
            var value = values[i] + errors[i];
            rounded[i] = WeightRounding.ToBFloat16(float.CreateTruncating(value));
            var error = value - T.CreateTruncating(WeightRounding.FromBFloat16(rounded[i]));
            errors[i] = T.IsFinite(error) ? error : T.Zero;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Add(ReadOnlySpan<ushort> rounded, Span<T> sums, bool overwrite)
    {
        for (var i = 0; i < rounded.Length; i++)
        {
            var value = T.CreateTruncating(WeightRounding.FromBFloat16(rounded[i]));
            sums[i] = overwrite ? value : sums[i] + value;
        }
    }
}
