using Rnn.Cells;
using Rnn.Kernels;

namespace Rnn.Tests.Architecture;

/// <summary>
/// The JIT inlines every cell's step whole into its kernel. Where it does not (it stops at 512 local variables), the step is several times
/// slower and every result is still right: nothing else would notice.
/// </summary>
public class InliningTests
{
    [Fact]
    public void Cells_inline_whole()
    {
        var lines = RunProbe();
        Assert.Contains(lines, line => line.StartsWith($"failed {OversizeCell.Name} Single ForwardUnits", StringComparison.Ordinal) && line.Contains("too many locals", StringComparison.Ordinal));

        // What is marked not to be inlined stands outside the loop over units.
        var failures = lines.Where(line => line.StartsWith("failed", StringComparison.Ordinal)
            && !line.StartsWith($"failed {OversizeCell.Name}", StringComparison.Ordinal) && !line.Contains("noinline per IL", StringComparison.Ordinal)).ToList();
        Assert.True(failures.Count == 0, $"Not inlined into the pointwise sweeps ({failures.Count}):\n{string.Join('\n', failures.Take(20))}");
        Assert.DoesNotContain(lines, line => line.StartsWith("lost", StringComparison.Ordinal));
        Assert.Equal(1 + (2 * CellCatalog.Names.Count), lines.Count(line => line.StartsWith("whole", StringComparison.Ordinal)));
    }

    private static List<string> RunProbe()
    {
        // One lane is there to check the others, not for speed, and calls functions of the runtime.
        Dictionary<string, string?> environment = Simd.VectorBits == 0 ? new() { [Simd.EnvironmentVariable] = null } : [];
        return ProbeProcess.Run(InliningProbe.Word, environment);
    }
}
