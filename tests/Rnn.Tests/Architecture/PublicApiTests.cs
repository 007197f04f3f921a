using System.Reflection;
using System.Runtime.CompilerServices;

namespace Rnn.Tests.Architecture;

/// <summary>What PublicAPI.Unshipped.txt beside the library's project, which an analyzer compares with the code, does not say.</summary>
public class PublicApiTests
{
    // Public classes that others may derive from: records of options, and what the library offers as a base.
    private static readonly string[] Open =
    [
        "DifferentiableOperation`1", "Attention`1", "StateValues", "Initializer", "Module`1", "Layer`1", "SequenceLayer`1", "RecurrentLayer`1", "ScanLayer`1", "SequenceLayerOutput`1", "SequenceStepper`1",
        "RecurrentOptions", "GruOptions", "IndRnnOptions", "LstmOptions", "SLstmOptions", "SimpleRnnOptions", "BatchSource`1", "GeneratedSource`1", "AdamBase`1", "Optimizer`1", "Schedule", "TrainingTask`1", "ProcessGroup",
    ];

    [Fact]
    public void Classes_are_sealed_unless_they_are_bases()
    {
        var open = typeof(Rnn.Kernels.Simd).Assembly.GetExportedTypes().Where(type => type is { IsClass: true, IsSealed: false }).Select(type => type.Name).ToList();
        Assert.NotEmpty(open);
        Assert.All(open, name => Assert.Contains(name, Open));
    }

    [Fact]
    public void Internals_are_for_these_tests_benchmarks_and_ONNX_alone()
    {
        // Rnn.Onnx is a part of the library in a package of its own, released with it: sessions run on the engine's steppers and packed products, which no public member gives without allocation.
        // Rnn.UserTests proves what users can write: it compiles against public members, and so it is not in this list.
        var friends = typeof(Rnn.Kernels.Simd).Assembly.GetCustomAttributes<InternalsVisibleToAttribute>().Select(friend => friend.AssemblyName).Order();
        Assert.Equal(["Rnn.Benchmarks", "Rnn.Onnx", "Rnn.Tests"], friends);
        Assert.DoesNotContain(typeof(UserTests.Cells.OwnCellTests).Assembly.GetName().Name, friends);
    }
}
