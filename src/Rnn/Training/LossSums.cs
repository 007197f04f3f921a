namespace Rnn.Training;

/// <summary>
/// Sums of losses over validation data that are shared out in parts, so that several processes measure them together, or one process adds them up in the same order.
/// </summary>
/// <seealso cref="TrainingTask{T}.ValidateParts"/>
public sealed class LossSums
{
    private readonly int _only;
    private readonly (double Sum, double Weight, long Count)[] _sums;

    internal LossSums(int parts, int only = -1) => (_sums, _only) = (new (double, double, long)[parts], only);

    /// <summary>The number of parts.</summary>
    public int Parts => _sums.Length;

    /// <summary>Whether a part is to be measured by this process.</summary>
    /// <param name="part">The part, from 0 to <see cref="Parts"/> − 1.</param>
    public bool Wants(int part) => _only < 0 || part == _only;

    /// <summary>Adds a mean loss to the sum of a part.</summary>
    /// <param name="part">The part, one that is wanted.</param>
    /// <param name="loss">The mean loss; where the weight is 0 it does not count.</param>
    /// <param name="weight">What it is the mean over.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such part, or it is not wanted.</exception>
    public void Add(int part, double loss, double weight)
    {
        if ((uint)part >= (uint)Parts || !Wants(part))
        {
            throw new ArgumentOutOfRangeException(nameof(part), part, $"part: expected one that is wanted here but got {part} of {Parts}.");
        }

        AddSum(part, weight == 0 ? 0 : loss * weight, weight);
    }

    /// <summary>Adds a sum of losses.</summary>
    internal void AddSum(int part, double sum, double weight)
    {
        ref var sums = ref _sums[part];
        sums = (sums.Sum + sum, sums.Weight + weight, sums.Count + 1);
    }

    /// <summary>What was added for a part.</summary>
    internal (double Sum, double Weight, long Count) this[int part]
    {
        get => _sums[part];
        set => _sums[part] = value;
    }

    /// <summary>The mean over all parts.</summary>
    /// <exception cref="InvalidOperationException">The weights add up to nothing.</exception>
    internal double Mean => Total is (var sum, > 0 and var weight, _) ? sum / weight : throw new InvalidOperationException(
        $"FitAsync: the validation batches count for {Total.Weight} rows or steps together; a mean needs one or more.");

    /// <summary>The sums of all parts in their order.</summary>
    internal (double Sum, double Weight, long Count) Total
    {
        get
        {
            var total = _sums[0];
            foreach (var (sum, weight, count) in _sums.AsSpan(1))
            {
                total = (total.Sum + sum, total.Weight + weight, total.Count + count);
            }

            return total;
        }
    }
}
