using System.Globalization;
using System.Text;

namespace Rnn.Training;

/// <summary>What <see cref="GradientFlow"/> has measured. The numbers of the whole batch, in double precision; <see cref="ToString"/> is a table of them.</summary>
public sealed class GradientFlowReport
{
    private readonly string _layer;
    private readonly StateGradient[] _gradients;

    internal GradientFlowReport(string layer, int stateSize, StateGradient[] gradients) => (_layer, StateSize, _gradients) = (layer, stateSize, gradients);

    /// <summary>The numbers of a state S: all tensors of the layer's state together.</summary>
    public int StateSize { get; }

    /// <summary>
    /// ‖∂L/∂s_t‖ for t = 0 to T: the norm of each row's gradient with respect to its state after t steps, as a mean over the rows that have as many steps; NaN where none has. The output of a recurrent layer is its
    /// hidden state, so what the loss does with it counts; with any other layer the gradients are those that come from later steps.
    /// </summary>
    public IReadOnlyList<double> StateGradients => _gradients[0].Norms;

    /// <summary>The same for each tensor of the state by itself, such as h_l0 and c_l0.</summary>
    public IReadOnlyList<StateGradient> Tensors => _gradients[1..];

    /// <summary>
    /// ‖∂s_t/∂s_k‖₂ for one t and k = 0 to t: the largest singular value of the product of the t − k Jacobians of single steps between, which bounds by how much any gradient grows on its way from t to k. The last is 1.
    /// Empty where <see cref="GradientFlowOptions{T}.Jacobians"/> is false.
    /// </summary>
    public IReadOnlyList<double> JacobianNorms { get; internal init; } = Array.Empty<double>();

    /// <summary>By how much <see cref="JacobianNorms"/> grows a step back in the geometric mean, ‖∂s_t/∂s_0‖^(1/t): below one gradients vanish, above one they explode. NaN without Jacobians or steps.</summary>
    public double JacobianFactor => JacobianNorms.Count > 1 ? Math.Pow(JacobianNorms[0], 1.0 / (JacobianNorms.Count - 1)) : double.NaN;

    /// <summary>The recurrent matrices of recurrent layers, gate by gate; empty where <see cref="GradientFlowOptions{T}.Spectra"/> is false.</summary>
    public IReadOnlyList<RecurrentSpectrum> Spectra { get; internal init; } = Array.Empty<RecurrentSpectrum>();

    /// <summary>
    /// How far gates are saturated, where it can be known: the gates i, f, o, r, z (σ) and g, n (tanh) of recurrent layers, and the outputs of plain cells with tanh, σ or its piecewise linear form.
    /// </summary>
    public IReadOnlyList<GateActivity> Gates { get; internal set; } = Array.Empty<GateActivity>();

    /// <summary>Units that do nothing, of each recurrent layer; of a layer without any, those of its output.</summary>
    public IReadOnlyList<UnitActivity> Units { get; internal set; } = Array.Empty<UnitActivity>();

    /// <summary>The norms over time on a logarithmic scale: of ∂L/∂s_t, and of ∂s_t/∂s_k where it was measured.</summary>
    public GradientChart ToChart()
    {
        var chart = new GradientChart().Add("loss by state after t steps", StateGradients);
        return JacobianNorms.Count > 0 ? chart.Add($"state after {JacobianNorms.Count - 1} steps by state after t", JacobianNorms) : chart;
    }

    /// <summary>A table of all that was measured.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"gradient flow through {_layer}; a state of {StateSize} numbers\n\n{"norm of the gradient",-28}");
        var last = StateGradients.Count - 1;
        while (last > 0 && double.IsNaN(StateGradients[last]))
        {
            last--;
        }

        int[] shown = [.. new[] { 0, last / 4, last / 2, last * 3 / 4, last }.Distinct()];
        foreach (var t in shown)
        {
            text.Append(CultureInfo.InvariantCulture, $"{$"t = {t}",11}");
        }

        foreach (var curve in _gradients)
        {
            Row($"loss by {curve.Name}", curve.Norms);
        }

        if (JacobianNorms.Count > 0)
        {
            Row($"state after {JacobianNorms.Count - 1} by state", JacobianNorms);
            text.Append(CultureInfo.InvariantCulture, $"\n{"  factor a step back",-28}{JacobianFactor,11:G4}");
        }

        if (Spectra.Count > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n\n{"recurrent matrix",-22}{"gate",6}{"radius",11}{"norm",11}");
        }

        foreach (var spectrum in Spectra)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n{spectrum.Parameter,-22}{spectrum.Gate,6}{spectrum.SpectralRadius,11:G4}{spectrum.Norm,11:G4}");
        }

        if (Gates.Count > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n\n{"saturation, % of values",-22}{"gate",5}{"low",11}{"high",11}");
        }

        foreach (var gate in Gates)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n{gate.Layer,-22}{gate.Gate,6}{100 * gate.Low,11:F1}{100 * gate.High,11:F1}");
        }

        text.Append(CultureInfo.InvariantCulture, $"\n\n{"units",-22}{"all",6}{"dead",11}");
        foreach (var unit in Units)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n{unit.Layer,-22}{unit.Units,6}{unit.Dead,11}");
        }

        return text.ToString();

        void Row(string name, IReadOnlyList<double> norms)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n{name,-28}");
            foreach (var t in shown)
            {
                text.Append(CultureInfo.InvariantCulture, $"{(t < norms.Count ? norms[t].ToString("0.00e+0", CultureInfo.InvariantCulture) : string.Empty),11}");
            }
        }
    }
}

/// <summary>The norms of the gradients of one tensor of a state, see <see cref="GradientFlowReport.Tensors"/>.</summary>
public sealed class StateGradient
{
    internal StateGradient(string name, int size, double[] norms) => (Name, Size, Norms) = (name, size, norms);

    /// <summary>The tensor's name.</summary>
    public string Name { get; }

    /// <summary>Its numbers for each row.</summary>
    public int Size { get; }

    /// <summary>‖∂L/∂h_t‖ for t = 0 to T, as <see cref="GradientFlowReport.StateGradients"/>.</summary>
    public IReadOnlyList<double> Norms { get; }
}

/// <summary>How far a gate is saturated over batch, time and units, see <see cref="GradientFlowReport.Gates"/>.</summary>
public sealed class GateActivity
{
    internal GateActivity(string layer, string gate, double low, double high) => (Layer, Gate, Low, High) = (layer, gate, low, high);

    /// <summary>The layer, as its states are named: <c>l0</c>, in a chain <c>0.l0</c>.</summary>
    public string Layer { get; }

    /// <summary>The gate's letter.</summary>
    public string Gate { get; }

    /// <summary>The share of values below 0.1, of a tanh below −0.9.</summary>
    public double Low { get; }

    /// <summary>The share of values above 0.9.</summary>
    public double High { get; }
}

/// <summary>How many units of a layer do nothing, see <see cref="GradientFlowReport.Units"/>.</summary>
public sealed class UnitActivity
{
    internal UnitActivity(string layer, int units, int dead) => (Layer, Units, Dead) = (layer, units, dead);

    /// <summary>The layer, as its states are named.</summary>
    public string Layer { get; }

    /// <summary>The number of its units.</summary>
    public int Units { get; }

    /// <summary>Those whose outputs differ by at most <see cref="GradientFlowOptions{T}.DeadRange"/> over batch and time.</summary>
    public int Dead { get; }
}
