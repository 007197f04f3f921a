using System.Numerics;
using Rnn.Tensors;
using Rnn.Tests.Golden;
using Rnn.Training;

namespace Rnn.Tests.Training;

// PyTorch's losses of 17 rows of 7 logits; Golden/write_golden.py has their options.
public class LossGoldenTests
{
    private static readonly GoldenFile Golden = GoldenFile.Open("losses.safetensors");

    public static TheoryData<string, LossReduction> Cases()
    {
        var data = new TheoryData<string, LossReduction>();
        foreach (var name in new[]
        {
            "cross_entropy", "cross_entropy_ignored", "cross_entropy_smoothed", "cross_entropy_weighted", "cross_entropy_all",
            "binary_cross_entropy", "mean_squared_error", "mean_absolute_error", "huber",
        })
        {
            data.Add(name, LossReduction.Mean);
            data.Add(name, LossReduction.Sum);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Losses_and_gradients_are_those_of_PyTorch(string name, LossReduction reduction)
    {
        Check<double>(name, reduction, 1e-14);
        Check<float>(name, reduction, 1e-6);
    }

    [Fact]
    public void Embedded_pieces_give_the_same_cross_entropy()
    {
        var logits = Tensor<double>.From(Golden.Values("pieces/logits"), 3, 9, 7);
        Assert.Equal(Golden.Values("pieces/loss")[0], Loss.CrossEntropy(logits, Golden.Integers("pieces/labels")).Item(), 1e-14);
    }

    private static void Check<T>(string name, LossReduction reduction, double tolerance)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var logits = Read<T>("inputs/logits");
        logits.RequiresGradient = true;
        var loss = Compute(name, reduction, logits);
        loss.Backward();
        var key = $"{name}/{(reduction == LossReduction.Mean ? "mean" : "sum")}";
        TestModule<T>.AssertClose(Golden.Values(key), [double.CreateTruncating(loss.Item())], tolerance);
        TestModule<T>.AssertClose(Golden.Values($"{key}.grad"), [.. logits.Gradient!.ToArray().Select(double.CreateTruncating)], tolerance);
    }

    private static Tensor<T> Compute<T>(string name, LossReduction reduction, Tensor<T> logits)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var labels = Golden.Integers("inputs/labels");
        var ignored = Golden.Integers("inputs/ignored");
        var weights = Golden.Values("inputs/class_weights");
        var targets = Read<T>("inputs/targets");
        var options = new CrossEntropyOptions { Reduction = reduction };
        return name switch
        {
            "cross_entropy" => Loss.CrossEntropy(logits, labels, options: options),
            "cross_entropy_ignored" => Loss.CrossEntropy(logits, ignored, options: options),
            "cross_entropy_smoothed" => Loss.CrossEntropy(logits, labels, options: options with { LabelSmoothing = 0.1 }),
            "cross_entropy_weighted" => Loss.CrossEntropy(logits, labels, options: options with { ClassWeights = weights }),
            "cross_entropy_all" => Loss.CrossEntropy(logits, ignored, options: options with { ClassWeights = weights, LabelSmoothing = 0.1 }),
            "binary_cross_entropy" => Loss.BinaryCrossEntropy(logits, Read<T>("inputs/zeros_and_ones"), options: new() { Reduction = reduction }),
            "mean_squared_error" => Loss.MeanSquaredError(logits, targets, reduction: reduction),
            "mean_absolute_error" => Loss.MeanAbsoluteError(logits, targets, reduction: reduction),
            "huber" => Loss.Huber(logits, targets, 1.5, reduction: reduction),
            _ => throw new ArgumentOutOfRangeException(nameof(name)),
        };
    }

    private static Tensor<T> Read<T>(string name)
        where T : unmanaged, IFloatingPointIeee754<T> => Tensor<T>.From([.. Golden.Values(name).Select(T.CreateTruncating)], Golden.Shape(name));
}
