using System.Reflection;
using Rnn.Tensors;

namespace Rnn.Measure;

/// <summary>Members of the library that older commits call by other names, so that one program measures all of them.</summary>
internal static class RenamedMembers
{
    private static readonly Assembly Library = typeof(Tensor<>).Assembly;

    /// <summary>Switches recording off until the result is disposed.</summary>
    public static readonly Func<IDisposable> NoGradient =
        Method(Class("NoGradient"), "Enter", "Scope").CreateDelegate<Func<IDisposable>>();

    /// <summary>Sets a tensor's gradient to zero.</summary>
    public static readonly Action<Tensor<float>> ZeroGradient =
        Method(typeof(Tensor<float>), "ZeroGradient", "ClearGradient").CreateDelegate<Action<Tensor<float>>>();

    /// <summary>The backward pass from an output with its gradient; whether to keep the graph.</summary>
    public static readonly Action<Tensor<float>, Tensor<float>, bool> Backward = Class("BackwardExtensions").GetMethods()
        .First(method => method.Name == "Backward" && method.GetParameters().Length == 3)
        .MakeGenericMethod(typeof(float)).CreateDelegate<Action<Tensor<float>, Tensor<float>, bool>>();

    private static Type Class(string name) => Library.GetType($"Rnn.Tensors.{name}") ?? Library.GetType($"Rnn.Autograd.{name}")
        ?? throw new UsageException($"this commit of the library has no class {name}; compare newer ones.");

    private static MethodInfo Method(Type type, params string[] names) => names.Select(name => type.GetMethod(name)).FirstOrDefault(method => method is not null)
        ?? throw new UsageException($"this commit of the library has no {type.Name}.{names[0]}; compare newer ones.");
}
