using System.Globalization;
using System.Numerics;
using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>Batches of the rows of two tensors, such as features and targets, shuffled anew for each pass where there is a random source.</summary>
/// <example>
/// <code>
/// var batches = new RowSource&lt;float&gt;(features, targets, batchSize: 32, new RandomSource(1));
/// await trainer.FitAsync(batches, batch => Loss.MeanSquaredError(model.Forward(batch.Inputs), batch.Targets), epochs: 10);
/// </code>
/// </example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class RowSource<T> : BatchSource<(Tensor<T> Inputs, Tensor<T> Targets)>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Tensor<T> _inputs;
    private readonly Tensor<T> _targets;
    private readonly int _batchSize;
    private readonly RowOrder _order;
    private (Tensor<T>, Tensor<T>)? _current;

    /// <summary>Batches of rows.</summary>
    /// <param name="inputs">[L, …], row by row.</param>
    /// <param name="targets">[L, …], one row for each of the inputs.</param>
    /// <param name="batchSize">N, the rows of a batch; the last one of a pass may have fewer.</param>
    /// <param name="random">Where the order of each pass comes from; null for the order given.</param>
    /// <exception cref="ArgumentException">The tensors have not as many rows as each other, or the batch size is not positive.</exception>
    public RowSource(Tensor<T> inputs, Tensor<T> targets, int batchSize, RandomSource? random = null)
        : base(random)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(targets);
        OptionRange.AtLeast(1, batchSize, nameof(batchSize));
        if (inputs.Rank == 0 || targets.Rank == 0 || inputs.Shape[0] != targets.Shape[0])
        {
            throw new ArgumentException($"targets: expected as many rows as the inputs {inputs.Shape} but got {targets.Shape}.", nameof(targets));
        }

        (_inputs, _targets, _batchSize) = (inputs, targets, batchSize);
        _order = new(inputs.Shape[0], batchSize);
    }

    /// <inheritdoc/>
    public override (Tensor<T> Inputs, Tensor<T> Targets) Current => _current ?? throw new InvalidOperationException("Current: there is no batch before the first MoveNext().");

    /// <inheritdoc/>
    public override string Identity
    {
        get
        {
            var hash = new Fingerprint();
            hash.Add(_inputs.AsReadOnlySpan());
            hash.Add(_targets.AsReadOnlySpan());
            return string.Create(CultureInfo.InvariantCulture, $"rows {_inputs.Shape} with targets {_targets.Shape} ({hash}), batches of {_batchSize}{(Random is null ? string.Empty : ", shuffled")}");
        }
    }

    /// <inheritdoc/>
    protected override void OnBeginPass() => _order.Begin(Random);

    /// <inheritdoc/>
    protected override bool OnSkip() => _order.Skip();

    /// <inheritdoc/>
    protected override bool OnMoveNext()
    {
        var rows = _order.Take();
        if (rows.IsEmpty)
        {
            return false;
        }

        _current = (Select(_inputs, rows), Select(_targets, rows));
        return true;
    }

    private static Tensor<T> Select(Tensor<T> from, ReadOnlySpan<int> rows)
    {
        var width = from.Length / from.Shape[0];
        var selected = Tensor<T>.Uninitialized([rows.Length, .. from.Shape.Dimensions[1..]]);
        for (var i = 0; i < rows.Length; i++)
        {
            from.AsReadOnlySpan().Slice(rows[i] * width, width).CopyTo(selected.AsSpan()[(i * width)..]);
        }

        return selected;
    }
}
