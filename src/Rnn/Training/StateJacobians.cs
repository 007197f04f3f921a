using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>The norms of ∂s_t/∂s_k for one t and all k up to it.</summary>
internal static class StateJacobians
{
    /// <summary>Measures them: the rows of the Jacobian are taken back step by step.</summary>
    internal static double[] Norms<T>(StateTrack<T> track, int[] lengths, GradientFlowOptions<T> options)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var row = options.JacobianRow ?? Array.FindIndex(lengths, length => length > 0);
        if (row >= lengths.Length || lengths[row] == 0)
        {
            throw new ArgumentException($"JacobianRow: expected a row with a step but row {row} of {lengths.Length} has {(row < lengths.Length ? "none" : "no place")}.", nameof(options));
        }

        var t = options.JacobianStep ?? lengths[row];
        if (t > lengths[row])
        {
            throw new ArgumentException($"JacobianStep: expected at most the length of row {row}, {lengths[row]}, but got {t}.", nameof(options));
        }

        var (start, end) = (0, track.Size);
        if (options.JacobianState is { } name)
        {
            var index = Array.IndexOf([.. track.Names], name);
            (start, end) = index >= 0
                ? (track.Offsets[index], track.Offsets[index + 1])
                : throw new ArgumentException($"JacobianState: the state has no '{name}'; it has {string.Join(", ", track.Names)}.", nameof(options));
        }

        // Rows of the identity, of the whole state or of one tensor of it.
        var count = end - start;
        var jacobian = new T[count * track.Size];
        for (var i = 0; i < count; i++)
        {
            jacobian[(i * track.Size) + start + i] = T.One;
        }

        var rows = new int[count];
        Array.Fill(rows, row);
        var norms = new double[t + 1];
        var exponent = 0;
        var block = new double[count * count];
        for (var k = t; k >= 0; k--)
        {
            for (var i = 0; i < block.Length; i++)
            {
                block[i] = Element.ToDouble(jacobian[(i / count * track.Size) + start + (i % count)]);
            }

            norms[k] = Math.ScaleB(SpectralValues.Norm(block, count, count), exponent);
            if (k > 0)
            {
                track.Back(k - 1, rows, jacobian, default);
                exponent += StateTrack<T>.Normalize(jacobian);
            }
        }

        return norms;
    }
}
