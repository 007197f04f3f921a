using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>The built-in cells by the name that files and command lines use: the one list of them.</summary>
public static class CellCatalog
{
    private static readonly ICellEntry[] Entries =
    [
        new Entry<LstmCell<NoPeephole, SeparateForget>>(),
        new Entry<LstmCell<NoPeephole, CoupledForget>>(),
        new Entry<LstmCell<NoPeephole, NoForget>>(),
        new Entry<LstmCell<DiagonalPeephole, SeparateForget>>(),
        new Entry<LstmCell<DiagonalPeephole, CoupledForget>>(),
        new Entry<LstmCell<DiagonalPeephole, NoForget>>(),
        new Entry<LstmCell<FullPeephole, SeparateForget>>(),
        new Entry<LstmCell<FullPeephole, CoupledForget>>(),
        new Entry<LstmCell<FullPeephole, NoForget>>(),
        new Entry<SLstmCell<SigmoidForget>>(),
        new Entry<SLstmCell<ExponentialForget>>(),
        new Entry<GruCell<UpdateGateKeepsState>>(),
        new Entry<GruCell<UpdateGateReplacesState>>(),
        new Entry<GruBeforeCell<UpdateGateKeepsState>>(),
        new Entry<GruBeforeCell<UpdateGateReplacesState>>(),
        new Entry<MguCell>(),
        new Entry<SimpleRnnCell<Tanh>>(),
        new Entry<SimpleRnnCell<Relu>>(),
        new Entry<SimpleRnnCell<LeakyRelu>>(),
        new Entry<SimpleRnnCell<Elu>>(),
        new Entry<SimpleRnnCell<Gelu>>(),
        new Entry<SimpleRnnCell<Softplus>>(),
        new Entry<SimpleRnnCell<Softsign>>(),
        new Entry<SimpleRnnCell<Sigmoid>>(),
        new Entry<SimpleRnnCell<HardSigmoid>>(),
        new Entry<SimpleRnnCell<Identity>>(),
        new Entry<IndRnnCell<Relu>>(),
        new Entry<IndRnnCell<Tanh>>(),
        new Entry<IndRnnCell<LeakyRelu>>(),
        new Entry<IndRnnCell<Elu>>(),
        new Entry<IndRnnCell<Gelu>>(),
        new Entry<IndRnnCell<Softplus>>(),
        new Entry<IndRnnCell<Softsign>>(),
        new Entry<IndRnnCell<Sigmoid>>(),
        new Entry<IndRnnCell<HardSigmoid>>(),
        new Entry<IndRnnCell<Identity>>(),
    ];

    private interface ICellEntry
    {
        CellLayout Layout { get; }

        Type Cell { get; }

        CellKernels<T> Create<T>()
            where T : unmanaged, IFloatingPointIeee754<T>;
    }

    /// <summary>The names of all built-in cells.</summary>
    /// <remarks>A name with <c>-layernorm</c> behind it stands for the cell in a layer with the option <c>LayerNormalization</c>.</remarks>
    public static IReadOnlyList<string> Names => field ??= Array.ConvertAll(Entries, entry => entry.Layout.Name);

    /// <summary>The types of all built-in cells, in the order of <see cref="Names"/>.</summary>
    internal static IReadOnlyList<Type> Types => Array.ConvertAll(Entries, entry => entry.Cell);

    /// <summary>What a step of a built-in cell is made of.</summary>
    /// <param name="name">One of <see cref="Names"/>, with <c>-layernorm</c> behind it for the cell with layer normalisation.</param>
    /// <exception cref="ArgumentException">There is no cell of this name.</exception>
    public static CellLayout Layout(string name)
    {
        var layout = Find(name).Layout;
        return IsNormalized(name) ? layout.WithLayerNormalization() : layout;
    }

    /// <summary>Whether there is a cell of a name, also with <c>-layernorm</c> behind it.</summary>
    internal static bool Contains(string name) => FindOrNull(name) is not null;

    /// <summary>Whether a name stands for a cell with layer normalisation.</summary>
    internal static bool IsNormalized(string name) => name.EndsWith(CellLayout.NormalizedSuffix, StringComparison.Ordinal);

    /// <summary>The element-wise kernels of a built-in cell; layer normalisation is the layer's.</summary>
    internal static CellKernels<T> Create<T>(string name)
        where T : unmanaged, IFloatingPointIeee754<T> => Find(name).Create<T>();

    private static ICellEntry Find(string name) => FindOrNull(name)
        ?? throw new ArgumentException($"name: there is no cell '{name}'; the cells are {string.Join(", ", Names)}.", nameof(name));

    private static ICellEntry? FindOrNull(string name)
    {
        var plain = IsNormalized(name) ? name[..^CellLayout.NormalizedSuffix.Length] : name;
        return Array.Find(Entries, entry => entry.Layout.Name == plain);
    }

    private sealed class Entry<TCell> : ICellEntry
        where TCell : struct, ICell
    {
        public CellLayout Layout => TCell.Layout;

        public Type Cell => typeof(TCell);

        public CellKernels<T> Create<T>()
            where T : unmanaged, IFloatingPointIeee754<T> => CellKernels<T>.Create<TCell>();
    }
}
