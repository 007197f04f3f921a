using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>The operators of a domain by name.</summary>
internal sealed class OperatorSet<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Dictionary<string, OperatorFunction<T>> _functions = new(StringComparer.Ordinal);

    private OperatorSet(bool isStandard)
    {
        if (!isStandard)
        {
            ContributedOperators.Register(this);
            return;
        }

        ElementwiseOperators.Register(this);
        FunctionOperators.Register(this);
        ArithmeticOperators.Register(this);
        LogicOperators.Register(this);
        ShapeOperators.Register(this);
        MovementOperators.Register(this);
        IndexingOperators.Register(this);
        ReductionOperators.Register(this);
        MatrixOperators.Register(this);
        EinsumOperator.Register(this);
        ResizeOperators.Register(this);
        ConvolutionOperators.Register(this);
        NormalizationOperators.Register(this);
        ControlFlowOperators.Register(this);
        SequenceOperators.Register(this);
        RecurrentOperators.Register(this);
        SpectralOperators.Register(this);
        QuantizationOperators.Register(this);
        RandomOperators.Register(this);
    }

    internal static OperatorSet<T> Standard { get; } = new(isStandard: true);

    /// <summary>The operators of <see cref="ContributedOperators.Domain"/>.</summary>
    internal static OperatorSet<T> Contributed { get; } = new(isStandard: false);

    /// <summary>The operator of a name, or null.</summary>
    internal OperatorFunction<T>? Find(string name) => _functions.GetValueOrDefault(name);

    /// <summary>Adds an operator of one output.</summary>
    internal void Add(string name, Func<NodeCall<T>, OnnxValue<T>> function) => _functions.Add(name, call => [function(call)]);

    /// <summary>Adds an operator of one floating-point input and output, a function of each element.</summary>
    internal void AddUnary(string name, Func<Tensor<T>, NodeCall<T>, Tensor<T>> function) => _functions.Add(name, call => [function(call.Tensor(0), call)]);

    /// <summary>Adds an operator of several outputs.</summary>
    internal void AddSeveral(string name, OperatorFunction<T> function) => _functions.Add(name, function);
}
