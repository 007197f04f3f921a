using System.Numerics;
using Rnn.Cells;
using Rnn.Kernels;

namespace Rnn.Tests.Cells;

/// <summary>
/// A cell of two phases that does one thing wrong, as <see cref="Fault"/> says: <c>forward 0 begin: Gate 7</c> is a call more, at the beginning
/// or the end of a phase, <c>without SetNext 1</c> one less. Its numbers mean nothing.
/// </summary>
internal readonly struct FaultyCell : ICell
{
    internal static string Fault { get; set; } = string.Empty;

    public static CellLayout Layout { get; } = WithIntermediates(2);

    /// <summary>The layout with one intermediate more.</summary>
    internal static CellLayout Wider => WithIntermediates(3);

    public static void Forward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IForwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Call<TStep, V, T>(step, $"forward {phase} begin: ");
        if (phase == 0)
        {
            var a = step.Gate(0) + step.Previous(1);
            Unless("UnitWeight 0", () => step.UnitWeight(0));
            Unless("SaveGate 0", () => step.SaveGate(0, a));
            Unless("SaveValue 0", () => step.SaveValue(0, a));
            Unless("SetIntermediate 0", () => step.SetIntermediate(0, a * step.Previous(0)));
            Unless("SetNext 1", () => step.SetNext(1, a));
            Unless("SetNext 2", () => step.SetNext(2, a));
        }
        else
        {
            var n = step.Gate(1) + step.Gate(2) + step.Intermediate(1) + step.Next(1);
            Unless("SetNext 0", () => step.SetNext(0, n));
        }

        Call<TStep, V, T>(step, $"forward {phase} end: ");
    }

    public static void Backward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IBackwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        CallBack<TStep, V, T>(step, $"backward {phase} begin: ");
        if (phase == 1)
        {
            var dh = V.One;
            Unless("Gradient 0", () => step.Gradient(0));
            Unless("SetGateGradient 1", () => step.SetGateGradient(1, dh));
            Unless("SetGateGradient 2", () => step.SetGateGradient(2, dh * step.Gate(2)));
            Unless("SetIntermediateGradient 1", () => step.SetIntermediateGradient(1, dh));
            Unless("SetGradient 0", () => step.SetGradient(0, dh));
            step.SetGradient(1, step.Gradient(1));
        }
        else
        {
            var da = step.IntermediateGradient(0) * step.SavedValue(0) * step.Gate(0) * step.Previous(0);
            Unless("CarriedGradient 1", () => step.CarriedGradient(1));
            Unless("SetGateGradient 0", () => step.SetGateGradient(0, da));
            step.SetGradient(1, da * step.UnitWeight(0));
        }

        CallBack<TStep, V, T>(step, $"backward {phase} end: ");
    }

    private static void Unless(string call, Action action)
    {
        if (Fault != $"without {call}")
        {
            action();
        }
    }

    private static void Unless<V>(string call, Func<V> function) => Unless(call, () => { _ = function(); });

    private static void Call<TStep, V, T>(TStep step, string place)
        where TStep : struct, IForwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (var (member, index) in Calls(place))
        {
            switch (member)
            {
                case "Gate": step.Gate(index); break;
                case "SetGate": step.SetGate(index, V.One); break;
                case "SaveGate": step.SaveGate(index, V.One); break;
                case "SaveValue": step.SaveValue(index, V.One); break;
                case "Previous": step.Previous(index); break;
                case "Next": step.Next(index); break;
                case "SetNext": step.SetNext(index, V.One); break;
                case "Intermediate": step.Intermediate(index); break;
                case "SetIntermediate": step.SetIntermediate(index, V.One); break;
                case "UnitWeight": step.UnitWeight(index); break;
                default: throw new NotSupportedException(member);
            }
        }
    }

    private static void CallBack<TStep, V, T>(TStep step, string place)
        where TStep : struct, IBackwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (var (member, index) in Calls(place))
        {
            switch (member)
            {
                case "Gate": step.Gate(index); break;
                case "SetGateGradient": step.SetGateGradient(index, V.One); break;
                case "SavedValue": step.SavedValue(index); break;
                case "Previous": step.Previous(index); break;
                case "Next": step.Next(index); break;
                case "Intermediate": step.Intermediate(index); break;
                case "IntermediateGradient": step.IntermediateGradient(index); break;
                case "SetIntermediateGradient": step.SetIntermediateGradient(index, V.One); break;
                case "UnitWeight": step.UnitWeight(index); break;
                case "Gradient": step.Gradient(index); break;
                case "CarriedGradient": step.CarriedGradient(index); break;
                case "SetGradient": step.SetGradient(index, V.One); break;
                default: throw new NotSupportedException(member);
            }
        }
    }

    private static IEnumerable<(string Member, int Index)> Calls(string place) =>
        !Fault.StartsWith(place, StringComparison.Ordinal)
            ? []
            : Fault[place.Length..].Split(", ").Select(call => call.Split(' ')).Select(words => (words[0], int.Parse(words[1], System.Globalization.CultureInfo.InvariantCulture)));

    private static CellLayout WithIntermediates(int count) => new()
    {
        Name = "faulty",
        Gates = [new("a", "one"), new("b", "two"), new("n", "three")],
        States = [new("h", "hidden state", carriesGradient: true), new("c", "cell state", carriesGradient: true), new("s", "indirect state", carriesGradient: false)],
        Products =
        [
            new("weight_hh", Operand.Previous(0), 0, 2),
            new("weight_sh", Operand.Previous(2), 0, 1),
            new("weight_mh", Operand.Intermediate(0), 2, 1, phase: 1),
            new("weight_ch", Operand.Next(1), 2, 1, phase: 1),
        ],
        UnitWeights = [new("v", "what one sees", 0, Operand.Previous(1))],
        Normalizations = [new("norm_c", 1, intermediate: 1, afterPhase: 0)],
        Intermediates = count,
        SavedValues = 2,
        Phases = 2,
    };
}
