using System.Numerics;
using Rnn.Autograd;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>An activation function of a recurrent node, with its numbers.</summary>
/// <param name="Name">The name in lower case.</param>
/// <param name="Alpha">α, where the function has one.</param>
/// <param name="Beta">β, where the function has one.</param>
internal readonly record struct RecurrentActivation(string Name, double Alpha, double Beta)
{
    /// <summary>The functions of each direction, as the attributes of a node say.</summary>
    /// <param name="attributes">The attributes: names, and lists of α and β from which each function that needs one takes the next.</param>
    /// <param name="defaults">The functions where the node names none.</param>
    /// <param name="directions">The number of directions.</param>
    internal static RecurrentActivation[][] Read(NodeAttributes attributes, ReadOnlySpan<string> defaults, int directions)
    {
        var names = attributes.Strings("activations");
        var (alphas, betas) = (new Queue<float>(attributes.Floats("activation_alpha") ?? []), new Queue<float>(attributes.Floats("activation_beta") ?? []));
        var each = defaults.Length;

        // RNN lists a default for each of two directions; one name serves a node of one direction.
        if (names is not null && names.Length != each * directions)
        {
            throw new InvalidDataException($"{names.Length} activations; expected {each * directions}");
        }

        var result = new RecurrentActivation[directions][];
        for (var direction = 0; direction < directions; direction++)
        {
            result[direction] = new RecurrentActivation[each];
            for (var i = 0; i < each; i++)
            {
                result[direction][i] = Read(names?[(direction * each) + i] ?? defaults[i], alphas, betas);
            }
        }

        return result;
    }

    /// <summary>The function of every element.</summary>
    internal Tensor<T> Apply<T>(Tensor<T> x)
        where T : unmanaged, IFloatingPointIeee754<T> => Name switch
        {
            "sigmoid" => x.Sigmoid(),
            "tanh" => x.Tanh(),
            "relu" => x.Relu(),
            "affine" => Unary.Apply(x, new AffineFunction<T>(Alpha, Beta)),
            "leakyrelu" => x.LeakyRelu(Alpha),
            "thresholdedrelu" => Unary.Apply(x, new ThresholdedReluFunction<T>(Alpha, inclusive: true)),
            "scaledtanh" => Unary.Apply(x, new ScaledTanhFunction<T>(Alpha, Beta)),
            "hardsigmoid" => Unary.Apply(x, new HardSigmoidFunction<T>(Alpha, Beta)),
            "elu" => x.Elu(Alpha),
            "softsign" => x / x.Abs().Add(T.One),
            _ => x.Softplus(),
        };

    /// <summary>The function as options of layers name it.</summary>
    internal ActivationFunction ToFunction() => Name switch
    {
        "sigmoid" => Activation.Sigmoid,
        "tanh" => Activation.Tanh,
        "relu" => Activation.Relu,
        "affine" => Alpha == 1 && Beta == 0 ? Activation.Identity : ActivationFunction.Affine(Alpha, Beta),
        "leakyrelu" => ActivationFunction.LeakyRelu(Alpha),
        "thresholdedrelu" => ActivationFunction.ThresholdedRelu(Alpha),
        "scaledtanh" => ActivationFunction.ScaledTanh(Alpha, Beta),
        "hardsigmoid" => ActivationFunction.HardSigmoid(Alpha, Beta),
        "elu" => ActivationFunction.Elu(Alpha),
        "softsign" => Activation.Softsign,
        _ => Activation.Softplus,
    };

    // Defaults are those of the operators of the same names.
    private static RecurrentActivation Read(string name, Queue<float> alphas, Queue<float> betas)
    {
        name = name.ToLowerInvariant();
        return name switch
        {
            "sigmoid" or "tanh" or "relu" or "softsign" or "softplus" => new(name, 0, 0),
            "leakyrelu" => new(name, Next(alphas, 0.01f), 0),
            "thresholdedrelu" or "elu" => new(name, Next(alphas, 1), 0),
            "hardsigmoid" => new(name, Next(alphas, 0.2f), Next(betas, 0.5f)),
            "affine" => new(name, Next(alphas, 1), Next(betas, 0)),
            "scaledtanh" => new(
                name, Next(alphas, null) ?? throw new InvalidDataException("ScaledTanh needs activation_alpha"), Next(betas, null) ?? throw new InvalidDataException("ScaledTanh needs activation_beta")),
            _ => throw new InvalidDataException($"the activation '{name}' is not supported"),
        };
    }

    private static double Next(Queue<float> numbers, float missing) => Next(numbers, (float?)missing)!.Value;

    private static double? Next(Queue<float> numbers, float? missing) => numbers.TryDequeue(out var number) ? number : missing;
}
