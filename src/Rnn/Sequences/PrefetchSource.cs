using System.Runtime.ExceptionServices;

namespace Rnn.Sequences;

/// <summary>
/// The batches of another source, made ahead of time on a thread of the pool: see <see cref="BatchSource{TBatch}.Prefetch"/>. What goes wrong there is thrown by <see cref="BatchSource{TBatch}.MoveNext"/> where
/// the batch would have come.
/// </summary>
/// <remarks>
/// No thread waits: one makes batches until as many are ready as there may be, and the next that is taken calls it again. So a source that is left in the middle of a pass holds those batches and nothing else;
/// <see cref="Dispose"/> waits for one that is being made and lets go of all. It does not dispose the other source.
/// </remarks>
/// <example>
/// <code>
/// using var batches = FeatureBatch&lt;float&gt;.Bucket(lengths, LoadRecording, batchSize: 32, random: new RandomSource(1)).Prefetch();
/// await trainer.FitAsync(batches, Loss, epochs: 10);
/// </code>
/// </example>
/// <typeparam name="TBatch">What a batch is.</typeparam>
public sealed class PrefetchSource<TBatch> : BatchSource<TBatch>, IDisposable
{
    private readonly BatchSource<TBatch> _source;
    private readonly int _count;

    // What follows is read and written under this lock alone; the source belongs to who makes batches, and to the reader while nobody does.
    private readonly object _gate = new();
    private readonly Queue<TBatch> _ready = new();
    private bool _isMaking;
    private bool _isStopping;
    private bool _hasBegun;
    private bool _hasEnded;
    private bool _isDisposed;
    private ExceptionDispatchInfo? _error;
    private (TBatch Batch, bool IsSet) _current;

    internal PrefetchSource(BatchSource<TBatch> source, int count)
        : base(source.Random) => (_source, _count) = (source, count);

    /// <inheritdoc/>
    public override TBatch Current => _current.IsSet ? _current.Batch : throw new InvalidOperationException("Current: there is no batch before the first MoveNext().");

    /// <summary>That of the other source.</summary>
    public override string Identity => _source.Identity;

    /// <inheritdoc/>
    internal override BatchSource<TBatch> Root => _source.Root;

    /// <inheritdoc/>
    internal override bool IsEndless => _source.IsEndless;

    /// <summary>Ends the making of batches; what was made ahead is gone, and this source gives no more.</summary>
    public void Dispose()
    {
        OnLeavePlace();
        lock (_gate)
        {
            _isDisposed = true;
            _ready.Clear();
        }
    }

    /// <inheritdoc/>
    private protected override void OnLeavePlace()
    {
        lock (_gate)
        {
            _isStopping = true;
            while (_isMaking)
            {
                Monitor.Wait(_gate);
            }

            _isStopping = false;
        }
    }

    /// <inheritdoc/>
    protected override void OnBeginPass()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        _ready.Clear();
        (_hasBegun, _hasEnded, _error) = (false, false, null);
        _source.BeginPass(Pass);
    }

    /// <inheritdoc/>
    protected override bool OnSkip() => _hasBegun ? OnMoveNext() : _source.Skip();

    /// <inheritdoc/>
    protected override bool OnMoveNext()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _hasBegun = true;
            while (_ready.Count == 0)
            {
                _error?.Throw();
                if (_hasEnded)
                {
                    return false;
                }

                MakeMore();
                Monitor.Wait(_gate);
            }

            _current = (_ready.Dequeue(), true);
            MakeMore();
            return true;
        }
    }

    private void MakeMore()
    {
        if (!_isMaking && !_hasEnded && _error is null)
        {
            _isMaking = true;

            // Without the flow of the reader, whose scope of tensors would take back what is made here.
            ThreadPool.UnsafeQueueUserWorkItem(static source => source.Make(), this, preferLocal: false);
        }
    }

    private void Make()
    {
        while (true)
        {
            TBatch? batch = default;
            var any = false;
            ExceptionDispatchInfo? error = null;
            try
            {
                any = _source.MoveNext();
                batch = any ? _source.CopyCurrent() : default;
            }
            catch (Exception exception)
            {
                // Whatever it is, it belongs to the reader.
                error = ExceptionDispatchInfo.Capture(exception);
            }

            lock (_gate)
            {
                if (error is null && any)
                {
                    _ready.Enqueue(batch!);
                }

                (_error, _hasEnded) = (error, error is null && !any);
                _isMaking = error is null && any && !_isStopping && _ready.Count < _count;
                Monitor.PulseAll(_gate);
                if (!_isMaking)
                {
                    return;
                }
            }
        }
    }
}
