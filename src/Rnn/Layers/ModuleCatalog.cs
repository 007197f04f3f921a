using System.Collections.Concurrent;
using System.Numerics;
using System.Text.Json;

namespace Rnn.Layers;

/// <summary>What a file's modules are made by: one reader for each type, the library's own and yours.</summary>
/// <example>
/// <code>
/// ModuleCatalog.Register&lt;float&gt;("moving-average", reader =&gt; new MovingAverage&lt;float&gt;(reader.GetInt32("features"), reader.GetInt32("width")));
/// </code>
/// </example>
public static class ModuleCatalog
{
    /// <summary>Says how modules of a type are made from their description; a type that is known already gets the new reader.</summary>
    /// <param name="type">What <see cref="Module{T}.FileType"/> of the module gives.</param>
    /// <param name="create">Makes a module; its parameters are then read from the file.</param>
    /// <typeparam name="T">The element type that files are opened with.</typeparam>
    public static void Register<T>(string type, Func<DescriptionReader, Module<T>> create)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentException.ThrowIfNullOrEmpty(type);
        ArgumentNullException.ThrowIfNull(create);
        Readers<T>.All[type] = create;
    }

    /// <summary>Makes the module that a description describes.</summary>
    internal static Module<T> Create<T>(DescriptionReader reader)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (Readers<T>.All.TryGetValue(reader.Type, out var create))
        {
            return create(reader);
        }

        throw new JsonException(reader.Type.Length > 0
            ? $"the type '{reader.Type}' is unknown ({string.Join(", ", Readers<T>.All.Keys.Order(StringComparer.Ordinal))} are known); a language model opens by LanguageModel.Open, a type of your own when ModuleCatalog.Register has made it known"
            : $"a {(reader.Has(DescriptionReader.NameKey) ? reader.GetString(DescriptionReader.NameKey) : "part")} does not describe itself (Module.FileType); make the module in your program and fill it by Load");
    }

    private static class Readers<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        internal static readonly ConcurrentDictionary<string, Func<DescriptionReader, Module<T>>> All = new()
        {
            [RecurrentDescription.Type] = RecurrentDescription.Read<T>,
            [MinGru<T>.Type] = MinGru<T>.Read,
            [MinLstm<T>.Type] = MinLstm<T>.Read,
            [RgLru<T>.Type] = RgLru<T>.Read,
            [CausalConvolution<T>.Type] = CausalConvolution<T>.Read,
            [WaveNet<T>.Type] = WaveNet<T>.Read,
            [Linear<T>.Type] = Linear<T>.Read,
            [AdaptiveSoftmax<T>.Type] = AdaptiveSoftmax<T>.Read,
            [Embedding<T>.Type] = Embedding<T>.Read,
            [LayerNorm<T>.Type] = LayerNorm<T>.Read,
            [RmsNorm<T>.Type] = RmsNorm<T>.Read,
            [Standardization<T>.Type] = Standardization<T>.Read,
            [Dropout<T>.Type] = reader => new Dropout<T>(reader.GetDouble("probability")),
            [DotAttention<T>.Type] = DotAttention<T>.Read,
            [GeneralAttention<T>.Type] = GeneralAttention<T>.Read,
            [AdditiveAttention<T>.Type] = AdditiveAttention<T>.Read,
            [LinearChainCrf<T>.Type] = LinearChainCrf<T>.Read,
            [SequencePooling<T>.Type] = SequencePooling<T>.Read,
            [LastStep<T>.Type] = _ => new LastStep<T>(),
            [ActivationLayer<T>.Type] = reader => new ActivationLayer<T>(ActivationFunction.Parse(reader.GetString("activation"))),
            [Sequential<T>.Type] = reader => new Sequential<T>(Layers<T>(reader)),
            [Residual<T>.Type] = Residual<T>.Read,
            [SequenceChain<T>.Type] = reader => new SequenceChain<T>(reader.GetInt32("input_size"), Layers<T>(reader)),
        };
    }

    private static Layer<T>[] Layers<T>(DescriptionReader reader)
        where T : unmanaged, IFloatingPointIeee754<T> => [.. reader.GetModules<T>("layers").Cast<Layer<T>>()];
}
