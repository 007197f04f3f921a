using System.Runtime.CompilerServices;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Training;

public sealed class AsyncBatchesTests
{
    private readonly TestModule<double> _model = new([1]);
    private int _open;
    private int _opened;
    private bool _wasCancelled;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Each_epoch_enumerates_anew_and_gives_what_an_enumerable_gives(bool waits)
    {
        var expected = new Reports();
        await new Trainer<double>(_model, new Sgd<double>()).FitAsync([1, 2, 3], Loss, [7, 8], epochs: 4, progress: expected);
        var reports = new Reports();
        var result = await new Trainer<double>(_model, new Sgd<double>()).FitAsync(Numbers(1, 3, waits), Loss, Numbers(7, 2, waits), epochs: 4, progress: reports);
        Assert.Equal((12, 7.5), (result.Updates, result.ValidationLoss));
        Assert.Equal(expected.Select(report => (report.Update, report.Epoch, report.ValidationLoss)), reports.Select(report => (report.Update, report.Epoch, report.ValidationLoss)));
        Assert.Equal((0, 8), (_open, _opened));
    }

    [Fact]
    public async Task What_enumerates_gets_the_cancellation()
    {
        using var source = new CancellationTokenSource();
        var training = new Trainer<double>(_model, new Sgd<double>()).FitAsync(Endless(), Loss, epochs: 1, cancellationToken: source.Token);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => training);
        Assert.True(training.IsCanceled);
        Assert.True(_wasCancelled || _opened == 0);

        async IAsyncEnumerable<int> Endless([EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            _opened++;
            try
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }
            finally
            {
                _wasCancelled = cancellationToken.IsCancellationRequested;
            }

            yield return 0;
        }
    }

    [Fact]
    public async Task An_error_ends_the_training_and_disposes_what_enumerates()
    {
        var training = new Trainer<double>(_model, new Sgd<double>()).FitAsync(Numbers(1, 3, waits: true), batch => batch == 2 ? throw new InvalidDataException("bad") : Loss(batch), epochs: 1);
        Assert.Equal("bad", (await Assert.ThrowsAsync<InvalidDataException>(() => training)).Message);
        Assert.Equal((0, 1), (_open, _opened));
        await Assert.ThrowsAsync<ArgumentNullException>(() => new Trainer<double>(_model, new Sgd<double>()).FitAsync((IAsyncEnumerable<int>)null!, Loss, epochs: 1));
    }

    private Tensor<double> Loss(int batch) => (_model.Parameters.Single().Value * 0).Sum() + Tensor<double>.Scalar(batch);

    private async IAsyncEnumerable<int> Numbers(int first, int count, bool waits)
    {
        (_open, _opened) = (_open + 1, _opened + 1);
        try
        {
            for (var i = 0; i < count; i++)
            {
                if (waits)
                {
                    await Task.Delay(1);
                }

                yield return first + i;
            }
        }
        finally
        {
            if (waits)
            {
                await Task.Yield();
            }

            _open--;
        }
    }
}
