using System.Numerics;
using Rnn.Onnx.Import;
using Rnn.Onnx.Schema;
using Rnn.Tensors;

namespace Rnn.Onnx.Sessions;

/// <summary>Steps of operators that compute element by element with whole numbers and truth values, or choose by them.</summary>
internal static class ElementSteps<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The step of a node with one output, or null where it is another operator.</summary>
    internal static SessionStep<T>? Create(NodeProgram<T> node, SessionValue<T>?[] inputs, SessionValue<T> output)
    {
        if (inputs.Length == 0 || !Array.TrueForAll(inputs, input => input is { Live.IsSequence: false }))
        {
            return null;
        }

        return (node.Operator, inputs) switch
        {
            ("Cast" or "CastLike", _) => Cast(inputs[0]!, output),
            ("Not", [{ } x]) => new WholeStep<T>(output, i => x.Integers[i] ^ 1),
            ("Where", [{ } condition, { } a, { } b]) => Where(condition, a, b, output),
            ("Gather", [{ IsFloatingPoint: false, Length: > 0 } table, { IsFloatingPoint: false } places]) =>
                new LookupStep<T>(table, places, output, NodeCall<T>.Axis(node.Attributes.Int("axis", 0), table.Shape.Rank)),
            ("ArgMax" or "ArgMin", [{ IsFloatingPoint: true, Length: > 0 } x]) when !node.Attributes.Flag("select_last_index") =>
                Extreme(x, output, NodeCall<T>.Axis(node.Attributes.Int("axis", 0), x.Shape.Rank), node.Operator == "ArgMax"),
            (_, [{ IsFloatingPoint: true } a, { IsFloatingPoint: true } b]) => Comparison(node.Operator) is { } compare ? Compare(a, b, output, compare) : null,
            (_, [{ IsFloatingPoint: false } a, { IsFloatingPoint: false } b]) => Whole(node) is { } function ? Combine(a, b, output, function) : null,
            _ => null,
        };
    }

    private static ActionStep<T> Cast(SessionValue<T> x, SessionValue<T> output)
    {
        var type = output.Live.ElementType;
        return (x.IsFloatingPoint, output.IsFloatingPoint) switch
        {
            (true, true) => new(() => x.Read.CopyTo(output.Write)),
            (false, true) => new(() =>
            {
                var from = x.Integers;
                var to = output.Write;
                for (var i = 0; i < from.Length; i++)
                {
                    to[i] = T.CreateTruncating(from[i]);
                }
            }),
            (true, false) => new(() =>
            {
                var from = x.Read;
                var to = output.Integers;
                for (var i = 0; i < to.Length; i++)
                {
                    to[i] = type == OnnxElementType.Boolean ? (from[i] != T.Zero ? 1 : 0) : IntegerTypes.Wrap(long.CreateSaturating(from[i]), type);
                }
            }),
            (false, false) => new(() =>
            {
                var (from, to) = (x.Integers, output.Integers);
                for (var i = 0; i < to.Length; i++)
                {
                    to[i] = IntegerTypes.Wrap(from[i], type);
                }
            }),
        };
    }

    private static SessionStep<T>? Where(SessionValue<T> condition, SessionValue<T> a, SessionValue<T> b, SessionValue<T> output)
    {
        if (condition.IsFloatingPoint || a.IsFloatingPoint != output.IsFloatingPoint || b.IsFloatingPoint != output.IsFloatingPoint)
        {
            return null;
        }

        var (chooses, first, second) = (Broadcasting.Map(condition.Shape, output.Shape), Broadcasting.Map(a.Shape, output.Shape), Broadcasting.Map(b.Shape, output.Shape));
        return output.IsFloatingPoint
            ? new ActionStep<T>(() => Choose(condition.Integers, a.Read, b.Read, output.Write))
            : new WholeStep<T>(output, i => condition.Integers[chooses[i]] != 0 ? a.Integers[first[i]] : b.Integers[second[i]]);

        void Choose(long[] truths, ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> to)
        {
            for (var i = 0; i < to.Length; i++)
            {
                to[i] = truths[chooses[i]] != 0 ? x[first[i]] : y[second[i]];
            }
        }
    }

    private static ActionStep<T> Compare(SessionValue<T> a, SessionValue<T> b, SessionValue<T> output, Func<T, T, bool> compare)
    {
        var (first, second) = (Broadcasting.Map(a.Shape, output.Shape), Broadcasting.Map(b.Shape, output.Shape));
        return new(() =>
        {
            var x = a.Read;
            var y = b.Read;
            var to = output.Integers;
            for (var i = 0; i < to.Length; i++)
            {
                to[i] = compare(x[first[i]], y[second[i]]) ? 1 : 0;
            }
        });
    }

    private static WholeStep<T> Combine(SessionValue<T> a, SessionValue<T> b, SessionValue<T> output, Func<long, long, long> function)
    {
        var (first, second, type) = (Broadcasting.Map(a.Shape, output.Shape), Broadcasting.Map(b.Shape, output.Shape), output.Live.ElementType);
        return new(output, i => IntegerTypes.Wrap(function(a.Integers[first[i]], b.Integers[second[i]]), type));
    }

    private static WholeStep<T> Extreme(SessionValue<T> x, SessionValue<T> output, int axis, bool largest)
    {
        var size = x.Shape[axis];
        var inner = new Shape(x.Shape.Dimensions[(axis + 1)..]).ElementCount;
        return new(output, i =>
        {
            var values = x.Read[((i / inner * size * inner) + (i % inner))..];
            var best = 0;
            for (var k = 1; k < size; k++)
            {
                var order = values[k * inner].CompareTo(values[best * inner]);
                best = (largest ? order : -order) > 0 ? k : best;
            }

            return best;
        });
    }

    private static Func<T, T, bool>? Comparison(string name) => name switch
    {
        "Equal" => (a, b) => a == b,
        "Greater" => (a, b) => a > b,
        "GreaterOrEqual" => (a, b) => a >= b,
        "Less" => (a, b) => a < b,
        "LessOrEqual" => (a, b) => a <= b,
        _ => null,
    };

    private static Func<long, long, long>? Whole(NodeProgram<T> node) => node.Operator switch
    {
        "Equal" => (a, b) => a == b ? 1 : 0,
        "Greater" => (a, b) => a > b ? 1 : 0,
        "GreaterOrEqual" => (a, b) => a >= b ? 1 : 0,
        "Less" => (a, b) => a < b ? 1 : 0,
        "LessOrEqual" => (a, b) => a <= b ? 1 : 0,
        "And" => (a, b) => a & b,
        "Or" => (a, b) => a | b,
        "Xor" => (a, b) => a ^ b,
        "Add" => (a, b) => a + b,
        "Sub" => (a, b) => a - b,
        "Mul" => (a, b) => a * b,
        "Min" => Math.Min,
        "Max" => Math.Max,
        "Div" => (a, b) => b == 0 ? throw new InvalidDataException($"{node}: a whole number is divided by zero") : b == -1 ? -a : a / b,
        _ => null,
    };
}

/// <summary>A step that is a loop of its own.</summary>
internal sealed class ActionStep<T>(Action action) : SessionStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal override void Run() => action();
}

/// <summary>A whole number for each place of the output.</summary>
internal sealed class WholeStep<T>(SessionValue<T> output, Func<int, long> function) : SessionStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal override void Run()
    {
        var to = output.Integers;
        for (var i = 0; i < to.Length; i++)
        {
            to[i] = function(i);
        }
    }
}
