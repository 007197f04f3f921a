namespace Rnn.Mpi.Tests;

/// <summary>A test that starts processes with mpirun; skipped where there is none of MPICH.</summary>
public sealed class MpiFactAttribute : FactAttribute
{
    /// <inheritdoc cref="MpiFactAttribute"/>
    public MpiFactAttribute() => Skip = MpiRun.Missing;
}

/// <summary>Such a test with data.</summary>
public sealed class MpiTheoryAttribute : TheoryAttribute
{
    /// <inheritdoc cref="MpiTheoryAttribute"/>
    public MpiTheoryAttribute() => Skip = MpiRun.Missing;
}
