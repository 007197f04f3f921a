using Rnn.Kernels;

namespace Rnn.Tests.Kernels;

/// <summary>Fork, run, join: every part once, whoever comes late.</summary>
public class WorkersTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(16)]
    public void Runs_every_part_once(int parts)
    {
        // With pauses now and then, so that helpers are found awake, asleep and late for the run before.
        var random = new Random(parts);
        var item = new Counting(new int[parts]);
        for (var run = 1; run <= 3_000; run++)
        {
            Workers.Run(item, parts);
            Assert.All(item.Counts, count => Assert.Equal(run, count));
            if (random.Next(50) == 0)
            {
                Thread.Sleep(random.Next(2));
            }
        }
    }

    [Fact]
    public void Runs_of_different_numbers_of_parts_do_not_mix()
    {
        var (one, other) = (new Counting(new int[2]), new Counting(new int[7]));
        for (var run = 1; run <= 5_000; run++)
        {
            Workers.Run(one, 2);
            Workers.Run(other, 7);
            Assert.Equal([run, run], one.Counts);
            Assert.All(other.Counts, count => Assert.Equal(run, count));
        }
    }

    [Fact]
    public void A_run_from_inside_a_part_and_from_a_second_thread_runs_on_its_caller()
    {
        var item = new Nested(new int[4]);
        Parallel.For(0, 4, _ =>
        {
            for (var run = 0; run < 500; run++)
            {
                Workers.Run(item, 4);
            }
        });
        Assert.All(item.Counts, count => Assert.Equal(4 * 500 * 4, count));
    }

    [Fact]
    public void A_failure_reaches_the_caller_and_the_next_run_is_whole()
    {
        var item = new Counting(new int[8]);
        for (var run = 1; run <= 200; run++)
        {
            var failure = Assert.Throws<InvalidOperationException>(() => Workers.Run(new Failing(run % 8), 8));
            Assert.Equal("part", failure.Message);
            Workers.Run(item, 8);
            Assert.All(item.Counts, count => Assert.Equal(run, count));
        }
    }

    private sealed class Counting(int[] counts) : WorkItem
    {
        public int[] Counts => counts;

        internal override void Execute(int part) => Interlocked.Increment(ref counts[part]);
    }

    private sealed class Nested(int[] counts) : WorkItem
    {
        public int[] Counts => counts;

        internal override void Execute(int part) => Workers.Run(new Counting(counts), counts.Length);
    }

    private sealed class Failing(int failing) : WorkItem
    {
        internal override void Execute(int part)
        {
            if (part == failing)
            {
                throw new InvalidOperationException("part");
            }
        }
    }
}
