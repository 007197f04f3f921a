using System.Diagnostics.CodeAnalysis;

namespace Rnn.Cells;

/// <summary>
/// Something that works with the cell of a layer whose type is not known where it is written: a cell's step is static, so whoever wants to run it, over a vector type of its own for
/// example, needs the type itself. See <c>RecurrentLayer.VisitCell</c>.
/// </summary>
/// <typeparam name="TResult">What a visit gives.</typeparam>
[Experimental("RNN001")]
public interface ICellVisitor<out TResult>
{
    /// <summary>Works with a cell.</summary>
    /// <typeparam name="TCell">The cell.</typeparam>
    TResult Visit<TCell>()
        where TCell : struct, ICell;
}
