using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>The built-in cells by the name that files and command lines use: the one list of them.</summary>
public static class CellCatalog
{
    private static readonly ICellEntry[] Entries =
    [
        new Entry<LstmCell<NoPeephole, SeparateForget, Unnormalized>>(),
        new Entry<LstmCell<NoPeephole, CoupledForget, Unnormalized>>(),
        new Entry<LstmCell<NoPeephole, NoForget, Unnormalized>>(),
        new Entry<LstmCell<DiagonalPeephole, SeparateForget, Unnormalized>>(),
        new Entry<LstmCell<DiagonalPeephole, CoupledForget, Unnormalized>>(),
        new Entry<LstmCell<DiagonalPeephole, NoForget, Unnormalized>>(),
        new Entry<LstmCell<FullPeephole, SeparateForget, Unnormalized>>(),
        new Entry<LstmCell<FullPeephole, CoupledForget, Unnormalized>>(),
        new Entry<LstmCell<FullPeephole, NoForget, Unnormalized>>(),
        new Entry<LstmCell<NoPeephole, SeparateForget, LayerNormalized>>(),
        new Entry<LstmCell<NoPeephole, CoupledForget, LayerNormalized>>(),
        new Entry<LstmCell<NoPeephole, NoForget, LayerNormalized>>(),
        new Entry<LstmCell<DiagonalPeephole, SeparateForget, LayerNormalized>>(),
        new Entry<LstmCell<DiagonalPeephole, CoupledForget, LayerNormalized>>(),
        new Entry<LstmCell<DiagonalPeephole, NoForget, LayerNormalized>>(),
        new Entry<LstmCell<FullPeephole, SeparateForget, LayerNormalized>>(),
        new Entry<LstmCell<FullPeephole, CoupledForget, LayerNormalized>>(),
        new Entry<LstmCell<FullPeephole, NoForget, LayerNormalized>>(),
        new Entry<GruCell<UpdateKeeps, Unnormalized>>(),
        new Entry<GruCell<UpdateReplaces, Unnormalized>>(),
        new Entry<GruBeforeCell<UpdateKeeps, Unnormalized>>(),
        new Entry<GruBeforeCell<UpdateReplaces, Unnormalized>>(),
        new Entry<GruCell<UpdateKeeps, LayerNormalized>>(),
        new Entry<GruCell<UpdateReplaces, LayerNormalized>>(),
        new Entry<GruBeforeCell<UpdateKeeps, LayerNormalized>>(),
        new Entry<GruBeforeCell<UpdateReplaces, LayerNormalized>>(),
        new Entry<MinimalGatedUnitCell>(),
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
    public static IReadOnlyList<string> Names => field ??= [.. Entries.Select(entry => entry.Layout.Name)];

    /// <summary>The types of all built-in cells, in the order of <see cref="Names"/>.</summary>
    internal static IReadOnlyList<Type> Types => [.. Entries.Select(entry => entry.Cell)];

    /// <summary>What a step of a built-in cell is made of.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="ArgumentException">There is no cell of this name.</exception>
    public static CellLayout Layout(string name) => Find(name).Layout;

    /// <summary>The sweeps of a built-in cell.</summary>
    internal static CellKernels<T> Create<T>(string name)
        where T : unmanaged, IFloatingPointIeee754<T> => Find(name).Create<T>();

    private static ICellEntry Find(string name) => Array.Find(Entries, entry => entry.Layout.Name == name)
        ?? throw new ArgumentException($"name: there is no cell '{name}'; the cells are {string.Join(", ", Names)}.", nameof(name));

    private sealed class Entry<TCell> : ICellEntry
        where TCell : struct, ICell
    {
        public CellLayout Layout => TCell.Layout;

        public Type Cell => typeof(TCell);

        public CellKernels<T> Create<T>()
            where T : unmanaged, IFloatingPointIeee754<T> => CellKernels<T>.Create<TCell>();
    }
}
