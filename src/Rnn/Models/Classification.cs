using System.Globalization;

namespace Rnn.Models;

/// <summary>What a classifier says of one sequence.</summary>
public sealed class Classification
{
    internal Classification(int @class, string name, double[] probabilities) => (Class, Name, Probabilities) = (@class, name, probabilities);

    /// <summary>The likeliest class.</summary>
    public int Class { get; }

    /// <summary>Its name; its number where classes have no names.</summary>
    public string Name { get; }

    /// <summary>The probability of each class; they add to 1.</summary>
    public IReadOnlyList<double> Probabilities { get; }

    /// <summary>The probability of the likeliest class.</summary>
    public double Probability => Probabilities[Class];

    /// <summary>The name and the probability: <c>Greek (97.1 %)</c>, with a point in every culture.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name} ({100 * Probability:F1} %)");
}
