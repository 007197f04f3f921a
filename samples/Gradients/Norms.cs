using Rnn.Training;

namespace Gradients;

/// <summary>What a training's gradients were like: the largest norm, and how many there were that are no number.</summary>
internal sealed class Norms : IProgress<TrainingProgress>
{
    internal double Largest { get; private set; }

    internal int NotFinite { get; private set; }

    public void Report(TrainingProgress value)
    {
        if (double.IsFinite(value.GradientNorm))
        {
            Largest = Math.Max(Largest, value.GradientNorm);
        }
        else
        {
            NotFinite++;
        }
    }
}
