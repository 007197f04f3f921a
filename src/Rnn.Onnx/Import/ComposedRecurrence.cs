using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>
/// The recurrent operators step by step from plain operations, for weights that the graph computes in the run. Gradients flow to everything, the weights too.
/// </summary>
internal static class ComposedRecurrence
{
    internal static DirectionResult<T> Forward<T>(RecurrentBatch<T> batch, int direction, RecurrentSettings settings, RecurrentWeights<T> weights)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var hidden = weights.HiddenSize;
        var zeros = Tensor<T>.Zeros(batch.Rows, hidden);
        var (h, c) = (batch.Hidden(direction) ?? zeros, batch.Cell(direction) ?? zeros);
        var step = new Step<T>(settings, weights, direction);
        var products = step.InputProducts(batch.Input);
        var outputs = new Tensor<T>[batch.Steps];
        for (var i = 0; i < batch.Steps; i++)
        {
            var t = settings.Reverses[direction] ? batch.Steps - 1 - i : i;
            var (nextH, nextC) = step.Run(products.Select(1, t), h, c);
            if (batch.Lengths.Length == 0)
            {
                (h, c, outputs[t]) = (nextH, nextC, nextH);
                continue;
            }

            // Rows that have ended, or backward in time not begun, keep their states and give zeros.
            var runs = Tensor<T>.From(Array.ConvertAll(batch.Lengths, length => t < length ? T.One : T.Zero), batch.Rows, 1);
            outputs[t] = Tensor<T>.Where(runs, nextH, zeros);
            (h, c) = (Tensor<T>.Where(runs, nextH, h), Tensor<T>.Where(runs, nextC, c));
        }

        return new(Tensor<T>.Stack(outputs, 1), h, settings.HasCellState ? c : null);
    }

    /// <summary>One direction's weights apart, and its step.</summary>
    private sealed class Step<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly RecurrentSettings _settings;
        private readonly RecurrentActivation[] _activations;
        private readonly int _size;
        private readonly Tensor<T> _input;
        private readonly Tensor<T> _recurrent;
        private readonly Tensor<T>? _inputBias;
        private readonly Tensor<T>? _recurrentBias;
        private readonly Tensor<T>[]? _peepholes;

        internal Step(RecurrentSettings settings, RecurrentWeights<T> weights, int direction)
        {
            (_settings, _activations, _size) = (settings, settings.Activations[direction], weights.HiddenSize);
            _input = weights.Input.Select(0, direction).Transpose();
            _recurrent = weights.Recurrent.Select(0, direction).Transpose();
            if (weights.Bias?.Select(0, direction).Split(0, settings.Gates * _size, settings.Gates * _size) is [var input, var recurrent])
            {
                (_inputBias, _recurrentBias) = (input, recurrent);
            }

            _peepholes = weights.Peephole?.Select(0, direction).Split(0, _size, _size, _size);
        }

        /// <summary>W x + Wb of all steps: [N, T, G·H].</summary>
        internal Tensor<T> InputProducts(Tensor<T> x)
        {
            var product = x.MatMul(_input);
            return _inputBias is null ? product : product + _inputBias;
        }

        internal (Tensor<T> Hidden, Tensor<T> Cell) Run(Tensor<T> x, Tensor<T> h, Tensor<T> c) => _settings.Kind switch
        {
            RecurrentKind.Plain => (Activate(0, x + Product(h, 0, 1)), c),
            RecurrentKind.Gru => (Gru(x, h), c),
            _ => Lstm(x, h, c),
        };

        // z, r = f(·); h̃ = g(W x + R (r⊙h) + …) or g(W x + … + r⊙(R h + Rb)); h = (1 − z)⊙h̃ + z⊙h₋
        private Tensor<T> Gru(Tensor<T> x, Tensor<T> h)
        {
            var gates = Activate(0, x.Slice(1, ..(2 * _size)) + Product(h, 0, 2)).Split(1, _size, _size);
            var candidate = x.Slice(1, (2 * _size)..);
            candidate += _settings.ResetsAfter ? gates[1] * Product(h, 2, 3) : Product(gates[1] * h, 2, 3);
            candidate = Activate(1, candidate);
            return candidate + (gates[0] * (h - candidate));
        }

        // i, o, f, c̃ in this order; peepholes in the order i, o, f
        private (Tensor<T> Hidden, Tensor<T> Cell) Lstm(Tensor<T> x, Tensor<T> h, Tensor<T> c)
        {
            var gates = (x + Product(h, 0, 4)).Split(1, _size, _size, _size, _size);
            var input = Activate(0, Seen(gates[0], 0, c));
            var forget = _settings.CouplesGates ? T.One - input : Activate(0, Seen(gates[2], 2, c));
            var next = (forget * c) + (input * Activate(1, gates[3]));
            var output = Activate(0, Seen(gates[1], 1, next));
            return (output * Activate(2, next), next);
        }

        private Tensor<T> Seen(Tensor<T> gate, int peephole, Tensor<T> c) => _peepholes is null ? gate : gate + (c * _peepholes[peephole]);

        // R h + Rb of some gates.
        private Tensor<T> Product(Tensor<T> h, int first, int end)
        {
            var all = first == 0 && end == _settings.Gates;
            var range = (first * _size)..(end * _size);
            var product = h.MatMul(all ? _recurrent : _recurrent.Slice(1, range));
            return _recurrentBias is null ? product : product + (all ? _recurrentBias : _recurrentBias.Slice(0, range));
        }

        private Tensor<T> Activate(int function, Tensor<T> x) =>
            _activations[function].Apply(_settings.Clip is { } limit ? x.Clamp(-limit, limit) : x);
    }
}
