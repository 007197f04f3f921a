using System.Numerics;

namespace Rnn.Cells;

/// <summary>The cells whose activations are given when they are made, by the name that files carry. Which activations a file says beside the name.</summary>
internal static class ActivatedCells
{
    /// <summary>What their names have behind those of the cells with fixed activations.</summary>
    internal const string Suffix = "-activations";

    private static readonly IEntry[] Entries =
    [
        new Entry<ActivatedLstmCell<NoPeephole, SeparateForget, No>>(),
        new Entry<ActivatedLstmCell<NoPeephole, CoupledForget, No>>(),
        new Entry<ActivatedLstmCell<NoPeephole, NoForget, No>>(),
        new Entry<ActivatedLstmCell<NoPeephole, NoForget, Yes>>(),
        new Entry<ActivatedLstmCell<DiagonalPeephole, SeparateForget, No>>(),
        new Entry<ActivatedLstmCell<DiagonalPeephole, CoupledForget, No>>(),
        new Entry<ActivatedLstmCell<DiagonalPeephole, NoForget, No>>(),
        new Entry<ActivatedLstmCell<DiagonalPeephole, NoForget, Yes>>(),
        new Entry<ActivatedLstmCell<FullPeephole, SeparateForget, No>>(),
        new Entry<ActivatedLstmCell<FullPeephole, CoupledForget, No>>(),
        new Entry<ActivatedLstmCell<FullPeephole, NoForget, No>>(),
        new Entry<ActivatedLstmCell<FullPeephole, NoForget, Yes>>(),
        new Entry<ActivatedGruCell<UpdateGateKeepsState>>(),
        new Entry<ActivatedGruCell<UpdateGateReplacesState>>(),
        new Entry<ActivatedGruBeforeCell<UpdateGateKeepsState>>(),
        new Entry<ActivatedGruBeforeCell<UpdateGateReplacesState>>(),
        new Entry<ActivatedRnnCell>(),
    ];

    private interface IEntry
    {
        CellLayout Layout { get; }

        CellKernels<T> Create<T>(ActivationRows<T> rows)
            where T : unmanaged, IFloatingPointIeee754<T>;
    }

    /// <summary>Their names.</summary>
    internal static IReadOnlyList<string> Names => Array.ConvertAll(Entries, entry => entry.Layout.Name);

    /// <summary>What a step of such a cell is made of, null where there is none of this name; with <c>-layernorm</c> behind it that of the cell with layer normalisation.</summary>
    internal static CellLayout? Layout(string name) =>
        Find(name)?.Layout is { } layout ? CellCatalog.IsNormalized(name) ? layout.WithLayerNormalization() : layout : null;

    /// <summary>The element-wise kernels of a cell of <see cref="Names"/>, also with <c>-layernorm</c> behind it.</summary>
    internal static CellKernels<T> Create<T>(string name, ActivationRows<T> rows)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        (Find(name) ?? throw new ArgumentException($"name: there is no cell '{name}'; the cells are {string.Join(", ", Names)}.", nameof(name))).Create(rows);

    private static IEntry? Find(string name)
    {
        var plain = CellCatalog.IsNormalized(name) ? name[..^CellLayout.NormalizedSuffix.Length] : name;
        return Array.Find(Entries, entry => entry.Layout.Name == plain);
    }

    private sealed class Entry<TCell> : IEntry
        where TCell : struct, IActivatedCell
    {
        public CellLayout Layout => TCell.Layout;

        public CellKernels<T> Create<T>(ActivationRows<T> rows)
            where T : unmanaged, IFloatingPointIeee754<T> => ActivatedKernels<T>.Create<TCell>(rows);
    }
}
