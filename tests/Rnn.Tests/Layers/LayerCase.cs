using Rnn.Cells;
using Rnn.Layers;

namespace Rnn.Tests.Layers;

/// <summary>Options of a recurrent layer and how a test runs the layer.</summary>
internal sealed record LayerCase(RecurrentOptions Options)
{
    public LayerCase()
        : this(new RecurrentOptions())
    {
    }

    /// <summary>Whether rows end at different steps.</summary>
    public bool IsRagged { get; init; }

    /// <summary>Whether no initial state is given.</summary>
    public bool StartsFromZeros { get; init; }

    /// <summary>Whether the cell states of all steps are asked for.</summary>
    public bool ReturnsCellStates { get; init; }

    /// <summary>Whether the layer is in evaluation mode.</summary>
    public bool IsEvaluated { get; init; }

    /// <summary>The projection size P, 0 for none.</summary>
    public int ProjectionSize { get; init; }

    /// <summary>The input size I.</summary>
    public int InputSize { get; init; } = 3;

    /// <summary>Whether a cell can run it: a cell whose output is also its carried state has no projection.</summary>
    public bool Suits(string cell) => ProjectionSize == 0 || !CellCatalog.Layout(cell).States[0].CarriesGradient;

    /// <summary>The options without those that a cell refuses, since they would do nothing.</summary>
    public RecurrentOptions OptionsOf(CellLayout layout) => Options with
    {
        Seed = 7,
        CellZoneout = layout.HasCellZoneout ? Options.CellZoneout : 0,
        RecurrentDropout = layout.Products.Any(product => product.Source == Operand.Previous(0)) ? Options.RecurrentDropout : 0,
        WeightDrop = layout.Products.Count > 0 ? Options.WeightDrop : 0,
        Heads = layout.Products.Count > 0 ? Options.Heads : 1,
    };
}
