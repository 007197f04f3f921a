using System.Globalization;
using Rnn.Sequences;

namespace Rnn.Training;

/// <summary>
/// Falls along a sigmoid: k / (k + e^(step/k)), from about 1 through 1/2 at k·ln k steps towards 0. Made for the probability of teacher forcing in scheduled sampling ("inverse sigmoid decay"; Bengio et al.
/// 2015, arXiv:1506.03099), as in the example; <see cref="LinearSchedule"/> and <see cref="ExponentialSchedule"/> are the other two of that paper.
/// </summary>
/// <example>
/// <code>
/// var (forcing, probability) = (new InverseSigmoidSchedule(1000), 1.0);
/// var trainer = new Trainer&lt;float&gt;(model, new Adam&lt;float&gt;()) { AfterUpdate = update =&gt; probability = forcing.Factor(update.Number) };
/// await trainer.FitAsync(batches, batch =&gt; model.Loss(batch, teacherForcing: probability), epochs: 10);
/// </code>
/// </example>
/// <param name="k">How slowly it falls, 1 or more.</param>
public sealed class InverseSigmoidSchedule(double k) : Schedule
{
    /// <summary>How slowly it falls, 1 or more.</summary>
    public double K
    {
        get;
        init => field = OneOrMore(value);
    } = OneOrMore(k);

    /// <inheritdoc/>
    public override double Factor(double step) => K / (K + Math.Exp(Step(step) / K));

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{nameof(InverseSigmoidSchedule)} {{ K = {K} }}");

    private static double OneOrMore(double value) => value >= 1 && double.IsFinite(value) ? value : throw OptionRange.OutOfRange(nameof(K), value, "1 or more");
}
