using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>The weights of a recurrent node in ONNX's order of gates, checked against each other.</summary>
internal sealed record RecurrentWeights<T>(Tensor<T> Input, Tensor<T> Recurrent, Tensor<T>? Bias, Tensor<T>? Peephole)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>I.</summary>
    internal int InputSize => Input.Shape[2];

    /// <summary>H.</summary>
    internal int HiddenSize => Recurrent.Shape[2];

    /// <summary>Checks the shapes: W [D, G·H, I], R [D, G·H, H], B [D, 2·G·H], P [D, 3·H].</summary>
    /// <exception cref="InvalidDataException">A shape is another.</exception>
    internal static RecurrentWeights<T> Check(RecurrentSettings settings, Tensor<T> w, Tensor<T> r, Tensor<T>? b, Tensor<T>? p)
    {
        var (directions, gates) = (settings.Directions, settings.Gates);
        if (r.Rank != 3 || r.Shape[0] != directions || r.Shape[1] != (long)gates * r.Shape[2] || r.Shape[2] == 0)
        {
            throw new InvalidDataException($"recurrent weights R {r.Shape}; expected [{directions}, {gates}·H, H]");
        }

        var hidden = r.Shape[2];
        if (settings.HiddenSize is { } stated && stated != hidden)
        {
            throw new InvalidDataException($"hidden_size is {stated} but the recurrent weights R are {r.Shape}");
        }

        if (w.Rank != 3 || w.Shape[0] != directions || w.Shape[1] != r.Shape[1] || w.Shape[2] == 0)
        {
            throw new InvalidDataException($"weights W {w.Shape}; expected [{directions}, {r.Shape[1]}, I]");
        }

        if (b is not null && b.Shape != new Shape(directions, checked(2 * r.Shape[1])))
        {
            throw new InvalidDataException($"biases B {b.Shape}; expected [{directions}, {2 * r.Shape[1]}]");
        }

        if (p is not null && p.Shape != new Shape(directions, checked(3 * hidden)))
        {
            throw new InvalidDataException($"peepholes P {p.Shape}; expected [{directions}, {3 * hidden}]");
        }

        return new(w, r, b, p);
    }
}
