using System.Globalization;
using System.Text;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>What <see cref="GradientCheck"/> found for one tensor.</summary>
public sealed class GradientCheckEntry
{
    internal GradientCheckEntry(string name, Shape shape, int worstIndex, double analytic, double numeric, double relativeError, double uncertainty, int @checked)
    {
        (Name, Shape, WorstIndex, Checked) = (name, shape, worstIndex, @checked);
        (Analytic, Numeric, RelativeError, NumericUncertainty) = (analytic, numeric, relativeError, uncertainty);
    }

    /// <summary>The tensor's name.</summary>
    public string Name { get; }

    /// <summary>Its shape.</summary>
    public Shape Shape { get; }

    /// <summary>The row-major index of the worst entry; −1 for an empty tensor.</summary>
    public int WorstIndex { get; }

    /// <summary>What <c>Backward</c> gave there.</summary>
    public double Analytic { get; }

    /// <summary>What the differences gave there.</summary>
    public double Numeric { get; }

    /// <summary>|analytic − numeric| of the worst entry over the largest entry of the whole gradient.</summary>
    public double RelativeError { get; }

    /// <summary>
    /// How far the differences themselves are to be trusted where the check failed, over the same largest entry: what half the step changes in them. Where it is not far below
    /// <see cref="RelativeError"/>, the function is not smooth enough there, and a smaller <see cref="GradientCheckOptions.Step"/> or another point tells more. 0 where the check passed.
    /// </summary>
    public double NumericUncertainty { get; }

    /// <summary>How many entries were tried.</summary>
    public int Checked { get; }

    /// <summary>The worst entry's name and index, such as <c>weight[3, 1]</c>.</summary>
    public string WorstEntry
    {
        get
        {
            if (WorstIndex < 0)
            {
                return Name;
            }

            var index = new int[Shape.Rank];
            var rest = WorstIndex;
            for (var i = index.Length - 1; i >= 0; i--)
            {
                (rest, index[i]) = Math.DivRem(rest, Shape[i]);
            }

            return $"{Name}[{string.Join(", ", index)}]";
        }
    }

    /// <summary>One line: the worst entry, both derivatives and the error.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{WorstEntry} of {Shape}: analytic {Analytic:g9}, numeric {Numeric:g9}, relative error {RelativeError:e2} ({Checked} checked){(NumericUncertainty > RelativeError / 10 ? $"; the numeric derivative itself is uncertain by {NumericUncertainty:e2}: try a smaller Step, or a point where the function is smoother" : string.Empty)}");
}

/// <summary>What <see cref="GradientCheck"/> found.</summary>
public sealed class GradientCheckResult
{
    internal GradientCheckResult(IReadOnlyList<GradientCheckEntry> entries, double tolerance)
    {
        Entries = entries;
        Tolerance = tolerance;
        Worst = entries[0];
        foreach (var entry in entries)
        {
            // NaN is worse than any number.
            if (double.IsNaN(entry.RelativeError) || entry.RelativeError > Worst.RelativeError)
            {
                Worst = entry;
            }

            if (double.IsNaN(entry.RelativeError))
            {
                break;
            }
        }
    }

    /// <summary>The worst entry of every tensor, in the order of the inputs.</summary>
    public IReadOnlyList<GradientCheckEntry> Entries { get; }

    /// <summary>The worst of all.</summary>
    public GradientCheckEntry Worst { get; }

    /// <summary>The worst error, relative to the largest entry of that tensor's gradient.</summary>
    public double WorstError => Worst.RelativeError;

    /// <summary>The largest error that passes.</summary>
    public double Tolerance { get; }

    /// <summary>Whether every error is within the tolerance.</summary>
    public bool Passed => WorstError <= Tolerance;

    /// <summary>Passed or failed and one line for each tensor.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{(Passed ? "passed" : "FAILED")}: worst error {WorstError:e2}, tolerance {Tolerance:e0}, at {Worst.WorstEntry}");
        foreach (var entry in Entries)
        {
            text.AppendLine().Append("  ").Append(entry);
        }

        return text.ToString();
    }
}
