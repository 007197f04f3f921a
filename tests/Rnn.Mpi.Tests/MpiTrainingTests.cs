namespace Rnn.Mpi.Tests;

/// <summary>Trainings in processes of their own, started by mpirun.</summary>
public sealed class MpiTrainingTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("rnn-mpi-");

    private string FilePath => Path.Combine(_folder.FullName, "training.safetensors");

    public void Dispose() => _folder.Delete(recursive: true);

    [MpiTheory]
    [InlineData(2)]
    [InlineData(5)]
    public void Operations_give_the_same_on_all_processes(int size)
    {
        var (code, output, error) = MpiRun.Start(size, "sums");
        Assert.True(code == 0, error);
        Assert.Equal(Enumerable.Range(0, size), Lines(output).Select(line => line[1] - '0'));
        var threads = Math.Max(1, Environment.ProcessorCount / size);
        Assert.All(Lines(output), line => Assert.EndsWith($"right, {threads} threads", line, StringComparison.Ordinal));
    }

    [MpiTheory]
    [InlineData(2, "accumulation")]
    [InlineData(3, "stream")]
    [InlineData(3, "buckets")]
    public void Processes_give_the_bits_of_one_with_as_many_parts(int size, string name)
    {
        var one = Trained(MpiRun.Start(0, $"train {name} 22 parts={size}"));
        var all = Trained(MpiRun.Start(size, $"train {name} 22"));
        Assert.Equal(size, all.Length);
        Assert.Equal(one[0], all[0]);
        Assert.All(all[1..], line => Assert.Equal(Bits(one[0]), Bits(line)));
    }

    [MpiFact]
    public void A_process_that_throws_ends_all_with_its_message()
    {
        var (code, _, error) = MpiRun.Start(3, "train stream 50 throw=4");
        Assert.Equal(3, code);
        Assert.Contains("[1] ArithmeticException: That was rank 1.", error, StringComparison.Ordinal);
        Assert.Contains("[0] ProcessGroupException: rank 1: ArithmeticException: That was rank 1.", error, StringComparison.Ordinal);
        Assert.Contains("[2] ProcessGroupException: rank 1: ArithmeticException: That was rank 1.", error, StringComparison.Ordinal);
    }

    [MpiFact]
    public void Processes_that_differ_are_refused()
    {
        var (code, _, error) = MpiRun.Start(2, "train stream 50 differ");
        Assert.Equal(3, code);
        Assert.Contains("[0] ProcessGroupException: rank 1: InvalidOperationException: This process does not train what rank 0 trains", error, StringComparison.Ordinal);
        Assert.Contains("Optimizer is 'Adam, LearningRate 0.01, ", error, StringComparison.Ordinal);
    }

    // Killed, mpirun ends the others; stopped, as on a machine that has lost its power, they find out themselves. The training goes on from its last checkpoint.
    [MpiFact]
    public void A_process_that_is_gone_ends_all_and_the_training_goes_on()
    {
        var whole = Trained(MpiRun.Start(2, "train stream 22"));
        Assert.NotEqual(0, MpiRun.Start(2, $"train stream 22 checkpoint={FilePath} kill=8").Code);
        var (code, _, error) = MpiRun.Start(2, $"train stream 22 checkpoint={FilePath} freeze=13");
        Assert.NotEqual(0, code);
        Assert.Contains("[0] ProcessGroupException: nothing has been heard from rank 1 for 5 s", error, StringComparison.Ordinal);
        var rest = Trained(MpiRun.Start(2, $"train stream 22 checkpoint={FilePath}"));
        Assert.Equal(Bits(whole[0]), Bits(rest[0]));
        Assert.Equal(Bits(whole[0]), Bits(rest[1]));
    }

    [MpiFact]
    public void A_process_that_leaves_early_is_not_waited_for()
    {
        var (code, _, error) = MpiRun.Start(2, "leave");
        Assert.NotEqual(0, code);
        Assert.Contains("rank 1 has left the group while rank 0 waits for it", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_launcher_a_group_is_one_process()
    {
        using var mpi = MpiProcessGroup.Start();
        Assert.Equal((0, 1, 1), (mpi.Rank, mpi.Size, mpi.SizeOnThisMachine));
        float[] values = [1, 2];
        mpi.AllSum(values.AsSpan());
        mpi.Broadcast(values.AsSpan());
        Assert.Equal([1, 2], values);
        Assert.Equal("rank 0 of 1", mpi.ToString());
        mpi.Dispose();
    }

    [Fact]
    public void A_launcher_is_known_by_what_it_tells()
    {
        Assert.False(MpiLibrary.IsLaunched(new Dictionary<string, string> { ["PATH"] = "/bin" }));
        Assert.True(MpiLibrary.IsLaunched(new Dictionary<string, string> { ["PMI_RANK"] = "0" }));
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new MpiOptions { Timeout = TimeSpan.FromSeconds(4) });
        Assert.Throws<ArgumentOutOfRangeException>(() => new MpiOptions { Timeout = TimeSpan.FromDays(2) });
        Assert.Throws<ArgumentOutOfRangeException>(() => new MpiOptions { Threads = -1 });
    }

    // Of each rank in their order.
    private static string[] Trained((int Code, string Output, string Error) run)
    {
        Assert.True(run.Code == 0, run.Error);
        return [.. Lines(run.Output)];
    }

    private static string Bits(string line) => line.Split(' ')[2];

    private static List<string> Lines(string output) => [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];
}
