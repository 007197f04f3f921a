using System.Globalization;
using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>
/// How parameters start. A weight matrix is [outputs, inputs], so its fan-in is the number of columns; derive a class for a rule of
/// your own.
/// </summary>
public abstract class Initializer
{
    /// <summary>All zeros.</summary>
    public static Initializer Zeros { get; } = new ConstantInitializer(0);

    /// <summary>Ones on the diagonal, zeros elsewhere: recurrent matrices of IRNNs (Le, Jaitly and Hinton 2015, arXiv:1504.00941).</summary>
    public static Initializer Identity { get; } = new IdentityInitializer(1);

    /// <summary>Uniform within ±√(6 / (inputs + outputs)) (Glorot and Bengio 2010).</summary>
    public static Initializer GlorotUniform { get; } = new ScaledInitializer((rows, columns) => 2.0 / (rows + columns), uniform: true);

    /// <summary>Normal with the variance 2 / (inputs + outputs) (Glorot and Bengio 2010).</summary>
    public static Initializer GlorotNormal { get; } = new ScaledInitializer((rows, columns) => 2.0 / (rows + columns), uniform: false);

    /// <summary>Uniform within ±√(6 / inputs), for relu (He et al. 2015, arXiv:1502.01852).</summary>
    public static Initializer HeUniform { get; } = new ScaledInitializer((_, columns) => 2.0 / columns, uniform: true);

    /// <summary>Normal with the variance 2 / inputs, for relu (He et al. 2015, arXiv:1502.01852).</summary>
    public static Initializer HeNormal { get; } = new ScaledInitializer((_, columns) => 2.0 / columns, uniform: false);

    /// <summary>Uniform within ±1/√inputs, as PyTorch starts linear layers (<c>kaiming_uniform_</c> with a = √5).</summary>
    public static Initializer PyTorchLinear { get; } = new ScaledInitializer((_, columns) => 1.0 / (3.0 * columns), uniform: true);

    /// <summary>Orthonormal rows or columns, whichever are fewer (Saxe, McClelland and Ganguli 2014, arXiv:1312.6120).</summary>
    public static Initializer Orthogonal { get; } = new OrthogonalInitializer(1);

    /// <summary>The same value everywhere.</summary>
    /// <param name="value">The value.</param>
    public static Initializer Constant(double value) => new ConstantInitializer(value);

    /// <summary>Uniform between two numbers.</summary>
    /// <param name="low">The lower end.</param>
    /// <param name="high">The upper end.</param>
    /// <exception cref="ArgumentException">The lower end is above the upper.</exception>
    public static Initializer Uniform(double low, double high) => low <= high
        ? new UniformInitializer(low, high)
        : throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"low: expected at most the upper end, {high}, but got {low}."), nameof(low));

    /// <summary>Normal.</summary>
    /// <param name="mean">The mean.</param>
    /// <param name="standardDeviation">The standard deviation.</param>
    /// <exception cref="ArgumentOutOfRangeException">The standard deviation is negative.</exception>
    public static Initializer Normal(double mean, double standardDeviation)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(standardDeviation);
        return new NormalInitializer(mean, standardDeviation);
    }

    /// <summary>Orthonormal rows or columns, whichever are fewer, times a factor.</summary>
    /// <param name="gain">The factor, such as √2 before relu.</param>
    public static Initializer OrthogonalWithGain(double gain) => new OrthogonalInitializer(gain);

    /// <summary>A value on the diagonal, zeros elsewhere.</summary>
    /// <param name="gain">The value.</param>
    public static Initializer IdentityWithGain(double gain) => new IdentityInitializer(gain);

    /// <summary>Fills one matrix: a whole parameter, or the block of one gate.</summary>
    /// <param name="values">The matrix, row-major.</param>
    /// <param name="rows">The number of rows: outputs.</param>
    /// <param name="columns">The number of columns: inputs; 1 for a vector.</param>
    /// <param name="random">The source of the numbers.</param>
    public abstract void Fill<T>(Span<T> values, int rows, int columns, RandomSource random)
        where T : unmanaged, IFloatingPointIeee754<T>;

    /// <summary>A new tensor; dimensions after the first count as inputs.</summary>
    /// <param name="random">The source of the numbers.</param>
    /// <param name="shape">The dimensions.</param>
    public Tensor<T> Create<T>(RandomSource random, params Shape shape)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(random);
        var tensor = Tensor<T>.Zeros(shape);
        var rows = shape.Rank == 0 ? 1 : shape[0];
        Fill(tensor.AsSpan(), rows, rows == 0 ? 0 : shape.ElementCount / rows, random);
        return tensor;
    }
}
