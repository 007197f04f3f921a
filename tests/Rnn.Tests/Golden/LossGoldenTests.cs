using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Golden;

/// <summary>Losses, embedding and linear layer against PyTorch: values and gradients, mean and sum.</summary>
public class LossGoldenTests
{
    private static readonly GoldenFile File = GoldenFile.Open("losses.safetensors");

    public static TheoryData<string> Cases => [.. File.Names.Where(name => File.Has($"{name}.grad"))];

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_loss_agrees_with_PyTorch_in_double(string name) => CheckLoss<double>(name, 1e-10);

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_loss_agrees_with_PyTorch_in_float(string name) => CheckLoss<float>(name, 1e-5);

    [Fact]
    public void Embedding_linear_and_cross_entropy_agree_with_PyTorch_in_double() => CheckPieces<double>(1e-10);

    [Fact]
    public void Embedding_linear_and_cross_entropy_agree_with_PyTorch_in_float() => CheckPieces<float>(1e-5);

    private static void CheckLoss<T>(string name, double tolerance)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var logits = Input<T>("inputs/logits");
        logits.RequiresGradient = true;
        var (labels, ignored) = (File.Integers("inputs/labels"), File.Integers("inputs/ignored"));
        var weights = File.Values("inputs/class_weights");
        var reduction = name.EndsWith("/sum", StringComparison.Ordinal) ? LossReduction.Sum : LossReduction.Mean;
        var loss = name[..name.IndexOf('/', StringComparison.Ordinal)] switch
        {
            "cross_entropy" => Loss.CrossEntropy(logits, labels, options: new() { Reduction = reduction }),
            "cross_entropy_ignored" => Loss.CrossEntropy(logits, ignored, options: new() { Reduction = reduction }),
            "cross_entropy_smoothed" => Loss.CrossEntropy(logits, labels, options: new() { Reduction = reduction, LabelSmoothing = 0.1 }),
            "cross_entropy_weighted" => Loss.CrossEntropy(logits, labels, options: new() { Reduction = reduction, ClassWeights = weights }),
            "cross_entropy_all" => Loss.CrossEntropy(
                logits, ignored, options: new() { Reduction = reduction, LabelSmoothing = 0.1, ClassWeights = weights }),
            "binary_cross_entropy" => Loss.BinaryCrossEntropy(
                logits, Input<T>("inputs/zeros_and_ones"), options: new() { Reduction = reduction }),
            "mean_squared_error" => Loss.MeanSquaredError(logits, Input<T>("inputs/targets"), reduction: reduction),
            "mean_absolute_error" => Loss.MeanAbsoluteError(logits, Input<T>("inputs/targets"), reduction: reduction),
            "huber" => Loss.Huber(logits, Input<T>("inputs/targets"), 1.5, reduction: reduction),
            _ => throw new ArgumentException(name),
        };
        loss.Backward();
        GoldenAssert.Close(File.Values(name), loss.AsReadOnlySpan(), tolerance, "loss");
        GoldenAssert.Close(File.Values($"{name}.grad"), logits.Gradient!.AsReadOnlySpan(), tolerance, "gradient of the logits");
    }

    private static void CheckPieces<T>(double tolerance)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var embedding = new Embedding<T>(13, 5);
        var linear = new Linear<T>(5, 7);
        (string Name, Parameter<T> Value)[] parameters =
            [("embedding.weight", embedding.Weight), ("linear.weight", linear.Weight), ("linear.bias", linear.Bias!)];
        foreach (var (name, parameter) in parameters)
        {
            Input<T>($"pieces/{name}").CopyTo(parameter.Value);
        }

        var logits = linear.Forward(embedding.Forward(File.Integers("pieces/tokens"), new Shape(3, 9)));
        GoldenAssert.Close(File.Values("pieces/logits"), logits.AsReadOnlySpan(), tolerance, "logits");
        var loss = Loss.CrossEntropy(logits, File.Integers("pieces/labels"));
        GoldenAssert.Close(File.Values("pieces/loss"), loss.AsReadOnlySpan(), tolerance, "loss");
        loss.Backward();
        foreach (var (name, parameter) in parameters)
        {
            GoldenAssert.Close(File.Values($"pieces/grad.{name}"), parameter.Gradient!.AsReadOnlySpan(), tolerance, $"gradient of {name}");
        }
    }

    private static Tensor<T> Input<T>(string name)
        where T : unmanaged, IFloatingPointIeee754<T> => Tensor<T>.From(Array.ConvertAll(File.Values(name), T.CreateTruncating), File.Shape(name));
}
