using System.Numerics;
using Rnn.Layers;

namespace Rnn.Keras;

/// <summary>Stacked recurrent layers as Keras has them: one layer for each.</summary>
internal static class KerasStack<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The network with every stack of LSTM, GRU or SimpleRnn as single layers with the same weights, and its dropout between them.</summary>
    /// <remarks>A stack that only runs back, or whose layers are connected past each other, stays as it is.</remarks>
    internal static IReadOnlyList<Layer<T>> Split(IReadOnlyList<Layer<T>> network)
    {
        var layers = new List<Layer<T>>();
        foreach (var layer in network)
        {
            if (layer is RecurrentLayer<T> { LayerCount: > 1, Options: { Reverse: false, Residual: false } } stack && Single(stack, 0, stack.InputSize) is not null)
            {
                AddSingles(layers, stack);
            }
            else
            {
                layers.Add(layer);
            }
        }

        return layers;
    }

    private static void AddSingles(List<Layer<T>> layers, RecurrentLayer<T> stack)
    {
        var width = stack.InputSize;
        for (var index = 0; index < stack.LayerCount; index++)
        {
            var single = Single(stack, index, width)!;
            foreach (var (name, parameter) in single.NamedParameters)
            {
                var source = stack.NamedParameters.First(pair => pair.Key == name.Replace("_l0", FormattableString.Invariant($"_l{index}"), StringComparison.Ordinal)).Value;
                using var edit = parameter.Value.Edit();
                source.Value.CopyTo(edit.Span);
            }

            layers.Add(single);
            if (stack.Options.Dropout > 0 && index < stack.LayerCount - 1)
            {
                layers.Add(new Dropout<T>(stack.Options.Dropout));
            }

            width = single.OutputSize;
        }
    }

    // A layer like one of a stack, with weights that are to be filled in; null for a class that Keras has not.
    private static RecurrentLayer<T>? Single(RecurrentLayer<T> stack, int index, int inputs)
    {
        return (stack, stack.Options) switch
        {
            (Lstm<T>, LstmOptions options) => new Lstm<T>(inputs, stack.HiddenSizes[index], Alone(options)),
            (Gru<T>, GruOptions options) => new Gru<T>(inputs, stack.HiddenSizes[index], Alone(options)),
            (SimpleRnn<T>, SimpleRnnOptions options) => new SimpleRnn<T>(inputs, stack.HiddenSizes[index], Alone(options)),
            _ => null,
        };

        static TOptions Alone<TOptions>(TOptions options)
            where TOptions : RecurrentOptions => options with { Layers = 1, HiddenSizes = null, Dropout = 0, Initialization = RecurrentInitialization.Uniform };
    }
}
