namespace Rnn.Onnx.Tests.Import;

/// <summary>A recurrent node as the standard describes it, in plain loops over single numbers.</summary>
internal sealed class RecurrentReference
{
    public required string Kind { get; init; }

    public string Direction { get; init; } = "forward";

    public bool BatchFirst { get; init; }

    public string[]? Activations { get; init; }

    public double[] Alpha { get; init; } = [];

    public double[] Beta { get; init; } = [];

    public double? Clip { get; init; }

    public bool InputForget { get; init; }

    public bool LinearBeforeReset { get; init; }

    public required int Steps { get; init; }

    public required int Rows { get; init; }

    public required int Inputs { get; init; }

    public required int Hidden { get; init; }

    public int[]? Lengths { get; init; }

    public required double[] X { get; init; }

    public required double[] W { get; init; }

    public required double[] R { get; init; }

    public double[]? B { get; init; }

    public double[]? P { get; init; }

    public double[]? H0 { get; init; }

    public double[]? C0 { get; init; }

    public int Directions => Direction == "bidirectional" ? 2 : 1;

    public int Gates => Kind switch { "RNN" => 1, "GRU" => 3, _ => 4 };

    /// <summary>Y [T, D, N, H] or, batch-first, [N, T, D, H]; Y_h and Y_c [D, N, H] or [N, D, H].</summary>
    public (double[] Y, double[] H, double[] C) Run()
    {
        var y = new double[Steps * Directions * Rows * Hidden];
        var (lastH, lastC) = (new double[Directions * Rows * Hidden], new double[Directions * Rows * Hidden]);
        for (var d = 0; d < Directions; d++)
        {
            var backward = Direction == "reverse" || d == 1;
            for (var n = 0; n < Rows; n++)
            {
                var length = Lengths?[n] ?? Steps;
                var (h, c) = (State(H0, d, n), State(C0, d, n));
                for (var s = 0; s < length; s++)
                {
                    var t = backward ? length - 1 - s : s;
                    (h, c) = Step(d, n, t, h, c);
                    for (var u = 0; u < Hidden; u++)
                    {
                        y[BatchFirst ? (((((n * Steps) + t) * Directions) + d) * Hidden) + u : (((((t * Directions) + d) * Rows) + n) * Hidden) + u] = h[u];
                    }
                }

                for (var u = 0; u < Hidden; u++)
                {
                    lastH[StateIndex(d, n, u)] = length == 0 ? 0 : h[u];
                    lastC[StateIndex(d, n, u)] = length == 0 ? 0 : c[u];
                }
            }
        }

        return (y, lastH, lastC);
    }

    private (double[] H, double[] C) Step(int d, int n, int t, double[] h, double[] c)
    {
        var (newH, newC) = (new double[Hidden], new double[Hidden]);
        if (Kind == "RNN")
        {
            for (var u = 0; u < Hidden; u++)
            {
                newH[u] = Activate(d, 0, Input(d, n, t, 0, u) + Recurrent(d, 0, u, h) + Bias(d, 0, u) + Bias(d, 1, u));
            }

            return (newH, newC);
        }

        if (Kind == "GRU")
        {
            var (z, r) = (new double[Hidden], new double[Hidden]);
            for (var u = 0; u < Hidden; u++)
            {
                z[u] = Activate(d, 0, Input(d, n, t, 0, u) + Recurrent(d, 0, u, h) + Bias(d, 0, u) + Bias(d, 3, u));
                r[u] = Activate(d, 0, Input(d, n, t, 1, u) + Recurrent(d, 1, u, h) + Bias(d, 1, u) + Bias(d, 4, u));
            }

            var reset = h.Select((value, u) => r[u] * value).ToArray();
            for (var u = 0; u < Hidden; u++)
            {
                var candidate = LinearBeforeReset
                    ? Input(d, n, t, 2, u) + (r[u] * (Recurrent(d, 2, u, h) + Bias(d, 5, u))) + Bias(d, 2, u)
                    : Input(d, n, t, 2, u) + Recurrent(d, 2, u, reset) + Bias(d, 5, u) + Bias(d, 2, u);
                newH[u] = ((1 - z[u]) * Activate(d, 1, candidate)) + (z[u] * h[u]);
            }

            return (newH, newC);
        }

        for (var u = 0; u < Hidden; u++)
        {
            double Gate(int gate) => Input(d, n, t, gate, u) + Recurrent(d, gate, u, h) + Bias(d, gate, u) + Bias(d, gate + 4, u);
            double Peephole(int gate) => P?[(((d * 3) + gate) * Hidden) + u] ?? 0;

            var i = Activate(d, 0, Gate(0) + (Peephole(0) * c[u]));
            var f = InputForget ? 1 - i : Activate(d, 0, Gate(2) + (Peephole(2) * c[u]));
            newC[u] = (f * c[u]) + (i * Activate(d, 1, Gate(3)));
            var o = Activate(d, 0, Gate(1) + (Peephole(1) * newC[u]));
            newH[u] = o * Activate(d, 2, newC[u]);
        }

        return (newH, newC);
    }

    private double Input(int d, int n, int t, int gate, int u)
    {
        var sum = 0.0;
        for (var k = 0; k < Inputs; k++)
        {
            sum += X[((BatchFirst ? (n * Steps) + t : (t * Rows) + n) * Inputs) + k] * W[(((((d * Gates) + gate) * Hidden) + u) * Inputs) + k];
        }

        return sum;
    }

    private double Recurrent(int d, int gate, int u, double[] h)
    {
        var sum = 0.0;
        for (var k = 0; k < Hidden; k++)
        {
            sum += h[k] * R[(((((d * Gates) + gate) * Hidden) + u) * Hidden) + k];
        }

        return sum;
    }

    private double Bias(int d, int block, int u) => B?[(((d * 2 * Gates) + block) * Hidden) + u] ?? 0;

    private int StateIndex(int d, int n, int u) => BatchFirst ? (((n * Directions) + d) * Hidden) + u : (((d * Rows) + n) * Hidden) + u;

    private double[] State(double[]? given, int d, int n) => [.. Enumerable.Range(0, Hidden).Select(u => given?[StateIndex(d, n, u)] ?? 0)];

    private double Activate(int d, int function, double x)
    {
        x = Clip is { } limit ? Math.Clamp(x, -limit, limit) : x;
        var each = Kind switch { "RNN" => 1, "GRU" => 2, _ => 3 };
        string[] defaults = Kind switch { "RNN" => ["Tanh"], "GRU" => ["Sigmoid", "Tanh"], _ => ["Sigmoid", "Tanh", "Tanh"] };
        var (alphas, betas) = (0, 0);
        for (var i = 0; ; i++)
        {
            var name = Activations?[i] ?? defaults[i % each];
            var alpha = name is "Affine" or "LeakyRelu" or "ThresholdedRelu" or "ScaledTanh" or "HardSigmoid" or "Elu" ? Alpha[alphas++] : 0;
            var beta = name is "Affine" or "ScaledTanh" or "HardSigmoid" ? Beta[betas++] : 0;
            if (i == (d * each) + function)
            {
                return name switch
                {
                    "Relu" => Math.Max(0, x),
                    "Tanh" => Math.Tanh(x),
                    "Sigmoid" => 1 / (1 + Math.Exp(-x)),
                    "Affine" => (alpha * x) + beta,
                    "LeakyRelu" => x >= 0 ? x : alpha * x,
                    "ThresholdedRelu" => x >= alpha ? x : 0,
                    "ScaledTanh" => alpha * Math.Tanh(beta * x),
                    "HardSigmoid" => Math.Min(1, Math.Max(0, (alpha * x) + beta)),
                    "Elu" => x >= 0 ? x : alpha * (Math.Exp(x) - 1),
                    "Softsign" => x / (1 + Math.Abs(x)),
                    _ => x > 30 ? x : Math.Log(1 + Math.Exp(x)),
                };
            }
        }
    }
}
