using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Onnx.Export;

/// <summary>
/// A vector that computes nothing: each of its operations adds a node to a graph, so that arithmetic which is written over a vector type becomes part of an ONNX file. Numbers that do not depend on the graph are computed
/// at once.
/// </summary>
internal readonly unsafe struct SymbolicVector<T> : IVector<SymbolicVector<T>, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly OnnxGraph? _graph;
    private readonly OnnxGraphValue? _value;
    private readonly double _number;

    internal SymbolicVector(OnnxGraph graph, OnnxGraphValue value) => (_graph, _value) = (graph, value);

    private SymbolicVector(double number) => _number = number;

    public static int Count => 1;

    public static SymbolicVector<T> Zero => new(0);

    public static SymbolicVector<T> One => new(1);

    /// <summary>Whether this is a number that does not depend on the graph.</summary>
    internal bool IsNumber => _graph is null;

    public static SymbolicVector<T> operator +(SymbolicVector<T> left, SymbolicVector<T> right) => Binary("Add", left, right, left._number + right._number);

    public static SymbolicVector<T> operator -(SymbolicVector<T> left, SymbolicVector<T> right) => Binary("Sub", left, right, left._number - right._number);

    public static SymbolicVector<T> operator *(SymbolicVector<T> left, SymbolicVector<T> right) => Binary("Mul", left, right, left._number * right._number);

    public static SymbolicVector<T> operator /(SymbolicVector<T> left, SymbolicVector<T> right) => Binary("Div", left, right, left._number / right._number);

    public static SymbolicVector<T> operator -(SymbolicVector<T> value) => Unary("Neg", value, -value._number);

    public static SymbolicVector<T> Broadcast(T value) => new(double.CreateTruncating(value));

    public static SymbolicVector<T> Constant(double value) => new(value);

    public static SymbolicVector<T> MultiplyAdd(SymbolicVector<T> a, SymbolicVector<T> b, SymbolicVector<T> c) => (a * b) + c;

    public static SymbolicVector<T> Min(SymbolicVector<T> a, SymbolicVector<T> b) => Binary("Min", a, b, Math.Min(a._number, b._number));

    public static SymbolicVector<T> Max(SymbolicVector<T> a, SymbolicVector<T> b) => Binary("Max", a, b, Math.Max(a._number, b._number));

    public static SymbolicVector<T> MinNative(SymbolicVector<T> a, SymbolicVector<T> b) => Min(a, b);

    public static SymbolicVector<T> MaxNative(SymbolicVector<T> a, SymbolicVector<T> b) => Max(a, b);

    public static SymbolicVector<T> Abs(SymbolicVector<T> a) => Unary("Abs", a, Math.Abs(a._number));

    public static SymbolicVector<T> Sqrt(SymbolicVector<T> a) => Unary("Sqrt", a, Math.Sqrt(a._number));

    public static SymbolicVector<T> CopySign(SymbolicVector<T> magnitude, SymbolicVector<T> sign) =>
        magnitude.IsNumber && sign.IsNumber ? new(Math.CopySign(magnitude._number, sign._number)) : Select(LessThan(sign, Zero), -Abs(magnitude), Abs(magnitude));

    public static SymbolicVector<T> Round(SymbolicVector<T> a) => Unary("Round", a, Math.Round(a._number, MidpointRounding.ToEven));

    public static SymbolicVector<T> PowerOfTwo(SymbolicVector<T> wholeNumber) => Binary("Pow", Constant(2), wholeNumber, Math.Pow(2, wholeNumber._number));

    // One factor cannot span the range, so two of them.
    public static SymbolicVector<T> Scale(SymbolicVector<T> a, SymbolicVector<T> n)
    {
        var half = Floor(n * Constant(0.5));
        return a * PowerOfTwo(half) * PowerOfTwo(n - half);
    }

    public static SymbolicVector<T> ScaleDown(SymbolicVector<T> a, SymbolicVector<T> n) => Scale(a, n);

    public static SymbolicVector<T> SplitExponent(SymbolicVector<T> a, out SymbolicVector<T> exponent)
    {
        exponent = Floor((Unary("Log", a, Math.Log(a._number)) * Constant(1 / Math.Log(2))) + Constant(0.5));
        return a * PowerOfTwo(-exponent);
    }

    public static SymbolicVector<T> LessThan(SymbolicVector<T> a, SymbolicVector<T> b) => Compare("Less", a, b, a._number < b._number);

    public static SymbolicVector<T> LessThanOrEqual(SymbolicVector<T> a, SymbolicVector<T> b) => Compare("LessOrEqual", a, b, a._number <= b._number);

    public static SymbolicVector<T> EqualTo(SymbolicVector<T> a, SymbolicVector<T> b) => Compare("Equal", a, b, a._number.Equals(b._number));

    public static SymbolicVector<T> Select(SymbolicVector<T> mask, SymbolicVector<T> whenTrue, SymbolicVector<T> whenFalse)
    {
        if (mask._graph is not { } graph)
        {
            return mask._number != 0 ? whenTrue : whenFalse;
        }

        return mask._value!.ElementType == OnnxElementType.Boolean
            ? new(graph, graph.Where(mask._value, whenTrue.In(graph), whenFalse.In(graph)))
            : throw Unsupported("Select by a mask that no comparison made");
    }

    // Nothing of interest depends on numbers so small.
    public static SymbolicVector<T> FlushToZero(SymbolicVector<T> a) => a;

    public static SymbolicVector<T> Exp(SymbolicVector<T> x) => Unary("Exp", x, Math.Exp(x._number));

    public static SymbolicVector<T> Sigmoid(SymbolicVector<T> x) => Unary("Sigmoid", x, 1 / (1 + Math.Exp(-x._number)));

    public static SymbolicVector<T> Tanh(SymbolicVector<T> x) => Unary("Tanh", x, Math.Tanh(x._number));

    public static SymbolicVector<T> Load(T* source) => throw Unsupported(nameof(Load));

    public static SymbolicVector<T> LoadPartial(T* source, int count) => throw Unsupported(nameof(LoadPartial));

    public static SymbolicVector<T> FirstLanes(int count) => throw Unsupported(nameof(FirstLanes));

    public static T Sum(SymbolicVector<T> a) => throw Unsupported(nameof(Sum));

    public static void Sums(SymbolicVector<T> a, SymbolicVector<T> b, SymbolicVector<T> c, SymbolicVector<T> d, T* sums) => throw Unsupported(nameof(Sums));

    public static T LargestLane(SymbolicVector<T> a) => throw Unsupported(nameof(LargestLane));

    public void Store(T* destination) => throw Unsupported(nameof(Store));

    public void StorePartial(T* destination, int count) => throw Unsupported(nameof(StorePartial));

    /// <summary>The value in a graph; a number becomes a constant.</summary>
    internal OnnxGraphValue In(OnnxGraph graph) => _value ?? graph.Scalar(_number);

    private static SymbolicVector<T> Floor(SymbolicVector<T> a) => Unary("Floor", a, Math.Floor(a._number));

    private static SymbolicVector<T> Unary(string operation, SymbolicVector<T> x, double number) => x._graph is { } graph ? new(graph, graph.Unary(operation, x._value!)) : new(number);

    private static SymbolicVector<T> Binary(string operation, SymbolicVector<T> a, SymbolicVector<T> b, double number) =>
        (a._graph ?? b._graph) is { } graph ? new(graph, graph.Binary(operation, a.In(graph), b.In(graph))) : new(number);

    private static SymbolicVector<T> Compare(string operation, SymbolicVector<T> a, SymbolicVector<T> b, bool value) =>
        (a._graph ?? b._graph) is { } graph ? new(graph, graph.Compare(operation, a.In(graph), b.In(graph))) : new(value ? 1 : 0);

    private static NotSupportedException Unsupported(string member) => new(
        $"The cell cannot be written as ONNX: its step calls {member}, which says nothing of what it computes. A step may use the arithmetic, comparisons and functions of IVector.");
}
