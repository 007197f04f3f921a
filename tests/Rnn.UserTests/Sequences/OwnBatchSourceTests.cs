using Rnn.Sequences;

namespace Rnn.UserTests.Sequences;

/// <summary>A source of the user's that fills one array again and again, made ahead.</summary>
public sealed class OwnBatchSourceTests
{
    private sealed class Counter(int batches) : BatchSource<int[]>
    {
        private readonly int[] _batch = new int[2];
        private int _next;

        public override int[] Current => _batch;

        protected override int[] CopyCurrent() => [.. _batch];

        protected override void OnBeginPass() => _next = 0;

        protected override bool OnMoveNext()
        {
            (_batch[0], _batch[1]) = (Pass, _next);
            return _next++ < batches;
        }
    }

    [Fact]
    public void What_it_gives_ahead_stays_as_it_is()
    {
        using var source = new Counter(5).Prefetch(4);
        for (var pass = 1; pass < 4; pass++)
        {
            Assert.Equal(Enumerable.Range(0, 5).Select(i => new[] { pass, i }), source.ToList());
        }
    }
}
