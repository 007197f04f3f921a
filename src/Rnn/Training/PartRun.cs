using System.Numerics;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>
/// Computes batches in parts: all of them one after another, or the one of this process. Each part's gradient is computed from zero and they are added up in order, so that many processes and one give the same bits.
/// </summary>
internal sealed unsafe class PartRun<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly TrainingTask<T> _task;
    private readonly ParameterBlock<T> _block;
    private readonly ProcessGroup? _group;
    private readonly RandomSource[] _randoms;
    private readonly RandomState[] _states;
    private readonly ulong[] _numbers;
    private readonly bool _accumulates;
    private readonly CompressedSum<T>? _compressed;

    // In one process: the sum over the parts so far, or over more than one batch the gradient of each part.
    private readonly T[][] _gradients;
    private readonly (double Loss, long Count)[] _totals;
    private int _batches;

    internal PartRun(Trainer<T> trainer, TrainingTask<T> task)
    {
        (_task, _block, _group) = (task, trainer.Optimizer.Block, trainer.Processes);
        _randoms = [.. trainer.Model.NamedRandomSources.Select(pair => pair.Value)];
        (_states, _numbers) = (new RandomState[_randoms.Length], new ulong[_randoms.Length]);
        _totals = new (double, long)[trainer.PartCount];
        _accumulates = trainer.AccumulationSteps > 1;
        _compressed = _group is not null && trainer.Communication.Gradients == GradientFormat.BFloat16 ? new(_group, _block.Length) : null;
        _gradients = _group is not null ? [] : [.. Enumerable.Range(0, _accumulates ? _totals.Length : 1).Select(_ => new T[_block.Length])];
    }

    private Span<T> Gradient => new(_block.Gradients, _block.Length);

    /// <summary>What the part of this process, of a group, has lost and counted since the last update.</summary>
    internal (double Loss, long Count) Own => _totals[_group!.Rank];

    /// <summary>The sum of gradients in fewer words; null where they are sent as they are.</summary>
    internal CompressedSum<T>? Compressed => _compressed;

    /// <summary>The next batch, forward and back; false at the end of the pass.</summary>
    internal bool Compute()
    {
        if (_task.NextParts(_totals.Length) is not { } shares)
        {
            return false;
        }

        if (shares.Length != _totals.Length)
        {
            throw new InvalidOperationException($"NextParts: expected {_totals.Length} numbers, one for each part, but {_task.GetType().Name.Split('`')[0]} gave {shares.Length}.");
        }

        for (var i = 0; i < _randoms.Length; i++)
        {
            _numbers[i] = _randoms[i].NextUInt64();
            _states[i] = _randoms[i].GetState();
        }

        try
        {
            for (var part = 0; part < shares.Length; part++)
            {
                if (_group is null)
                {
                    BeginPart(part);
                    ComputePart(part, shares[part]);
                    EndPart(part);
                }
                else if (part == _group.Rank)
                {
                    ComputePart(part, shares[part]);
                }
            }
        }
        finally
        {
            for (var i = 0; i < _randoms.Length; i++)
            {
                _randoms[i].Adopt(_states[i]);
            }
        }

        _batches++;
        return true;
    }

    /// <summary>Puts the sum over all parts into the gradients of the block; those of other processes come from them.</summary>
    internal void AddUp()
    {
        if (_group is not null)
        {
            if (_compressed is not null)
            {
                _compressed.AddUp(Gradient);
            }
            else
            {
                _group.AllSum(Gradient);
            }
        }
        else
        {
            _gradients[0].CopyTo(Gradient);
            for (var part = 1; part < _gradients.Length; part++)
            {
                SpanKernels<T>.Add(_gradients[part], Gradient);
            }
        }

        _block.MarkGradientsWritten();
    }

    /// <summary>The loss and the count of all parts in their order, of the batches since the last call.</summary>
    internal (double Loss, long Count) TakeTotals(ReadOnlySpan<SyncRecord> others)
    {
        var (loss, count) = (0.0, 0L);
        for (var part = 0; part < _totals.Length; part++)
        {
            var (ofPart, counted) = others.IsEmpty ? _totals[part] : (others[part].Loss, others[part].Count);
            loss = part == 0 ? ofPart : loss + ofPart;
            count += counted;
        }

        Array.Clear(_totals);
        _batches = 0;
        return (loss, count);
    }

    private void ComputePart(int part, double share)
    {
        using var scope = TensorScope.Enter();
        for (var i = 0; i < _randoms.Length; i++)
        {
            _randoms[i].Adopt(new RandomSource(_numbers[i]).Split((ulong)part).GetState());
        }

        if (_task.PartLoss(part) is not { } batch)
        {
            return;
        }

        // What does not count may be no number.
        ref var total = ref _totals[part];
        total.Count += batch.Count;
        if (share != 0)
        {
            total.Loss += double.CreateTruncating(batch.Loss.Item()) * share / batch.ReportDivisor;
            (share == 1 ? batch.Loss : batch.Loss * T.CreateTruncating(share)).Backward();
        }

        _task.EndPart(part);
    }

    private void BeginPart(int part)
    {
        if (_accumulates && _batches > 0)
        {
            _gradients[part].CopyTo(Gradient);
            _block.MarkGradientsWritten();
        }
    }

    private void EndPart(int part)
    {
        if (_accumulates || part == 0)
        {
            Gradient.CopyTo(_gradients[_accumulates ? part : 0]);
        }
        else
        {
            SpanKernels<T>.Add(Gradient, _gradients[0]);
        }

        Gradient.Clear();
        _block.MarkGradientsWritten();
    }
}
