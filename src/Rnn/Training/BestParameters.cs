using System.Numerics;
using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>Remembers the parameters of the smallest validation loss, in memory or in a file as the trainer's options say.</summary>
internal sealed unsafe class BestParameters<T>(Trainer<T> trainer)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private T[]? _values;
    private double _reference = double.PositiveInfinity;
    private int _bad;

    /// <summary>The smallest loss, null before the first.</summary>
    internal double? Loss { get; private set; }

    /// <summary>The update after which it was measured.</summary>
    internal long? Update { get; private set; }

    /// <summary>Whether more validations in a row than the trainer's patience have failed to improve.</summary>
    internal bool IsPatienceOver => _bad > trainer.Patience;

    /// <summary>Takes a validation loss, and the parameters where it is the best so far.</summary>
    internal void Observe(double loss, long update)
    {
        // Patience waits for an improvement that counts; the smallest loss is kept in any case. NaN is neither.
        if (double.IsInfinity(_reference) ? loss < _reference : loss < _reference - trainer.MinImprovement)
        {
            (_reference, _bad) = (loss, 0);
        }
        else
        {
            _bad++;
        }

        if (!(Loss is null ? !double.IsNaN(loss) : loss < Loss))
        {
            return;
        }

        (Loss, Update) = (loss, update);
        if (trainer.RestoreBest)
        {
            var block = trainer.Optimizer.Block;
            _values ??= new T[block.Length];
            new ReadOnlySpan<T>(block.Values, block.Length).CopyTo(_values);
        }

        SaveLast();
    }

    /// <summary>Saves the parameters as they are, where the trainer has a path for them.</summary>
    internal void SaveLast()
    {
        if (trainer.ModelPath is { } path && trainer.Processes is null or { Rank: 0 })
        {
            trainer.Model.Save(path);
        }
    }

    /// <summary>Puts the best parameters back, if that is wanted and there were any.</summary>
    internal void Restore()
    {
        if (_values is not null)
        {
            var block = trainer.Optimizer.Block;
            _values.CopyTo(new Span<T>(block.Values, block.Length));
            block.MarkChanged();
        }
    }

    /// <summary>Saves what is remembered of earlier validations, the best parameters too.</summary>
    internal void SaveState(StateTree<T> state)
    {
        state.Set("reference", _reference);
        state.Set("bad", _bad);
        state.Set("loss", Loss);
        state.Set("update", Update ?? 0);
        if (_values is not null)
        {
            state.Add("parameters", new(new Storage<T>(_values), [_values.Length]));
        }
    }

    /// <summary>Takes back what <see cref="SaveState"/> saved.</summary>
    internal void RestoreState(StateTree<T> state)
    {
        (_reference, _bad, Loss) = (state.GetDouble("reference"), (int)state.GetInt64("bad"), state.FindDouble("loss"));
        Update = Loss is null ? null : state.GetInt64("update");
        _values = trainer.RestoreBest && Loss is not null ? state.GetTensor("parameters", [trainer.Optimizer.Block.Length]).ToArray() : null;
    }
}
