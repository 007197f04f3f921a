using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>
/// The state of a sequence layer between two steps or two windows, as a value: named tensors [N, …] of any shape, one row for each sequence. Nothing changes a state; to select,
/// repeat or reset rows gives another one, through which gradients flow where the tensors carry history.
/// </summary>
/// <remarks>
/// A recurrent layer names its tensors <c>h_l0</c>, <c>c_l0</c>, <c>h_l0_reverse</c>, …; see <see cref="RecurrentStates"/>. A <see cref="SequenceChain{T}"/> puts the place of a layer before
/// them, as in <c>0.h_l0</c>, which <see cref="Part"/> takes away.
/// </remarks>
/// <example>
/// <code>
/// var (y, state) = lstm.Forward(x, lstm.ZeroState(rows: 4));
/// state = state.SelectRows([2, 2, 0, 1]).Detach();      // beam search: which hypotheses go on, in which order
/// </code>
/// </example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed partial class SequenceState<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly string[] _names;
    private readonly Tensor<T>[] _tensors;

    /// <summary>A state of named tensors.</summary>
    /// <param name="rows">The number of sequences N.</param>
    /// <param name="tensors">Names and tensors [N, …]; none for a layer that remembers nothing.</param>
    /// <exception cref="ArgumentException">A tensor has another number of rows, or a name is empty or comes twice.</exception>
    public SequenceState(int rows, params ReadOnlySpan<(string Name, Tensor<T> Value)> tensors)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        (Rows, _names, _tensors) = (rows, new string[tensors.Length], new Tensor<T>[tensors.Length]);
        for (var i = 0; i < tensors.Length; i++)
        {
            var (name, value) = tensors[i];
            ArgumentException.ThrowIfNullOrEmpty(name, nameof(tensors));
            ArgumentNullException.ThrowIfNull(value, nameof(tensors));
            if (value.Rank == 0 || value.Shape[0] != rows)
            {
                throw new ArgumentException($"tensors: expected [{rows}, …] for the state '{name}' but got {value.Shape}; the first dimension is the number of rows.", nameof(tensors));
            }

            if (Array.IndexOf(_names, name, 0, i) >= 0 || name.Contains('\n', StringComparison.Ordinal))
            {
                throw new ArgumentException($"tensors: expected names that differ, of one line each, but got '{name}'.", nameof(tensors));
            }

            (_names[i], _tensors[i]) = (name, value);
        }
    }

    internal SequenceState(int rows, string[] names, Tensor<T>[] tensors) => (Rows, _names, _tensors) = (rows, names, tensors);

    /// <summary>The number of sequences N.</summary>
    public int Rows { get; }

    /// <summary>The names of the tensors, in the order of <see cref="Tensors"/>.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>The tensors, each [N, …].</summary>
    public IReadOnlyList<Tensor<T>> Tensors => _tensors;

    /// <summary>A tensor by its name.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="ArgumentException">There is no tensor of that name.</exception>
    public Tensor<T> this[string name] => Find(name) ?? throw new ArgumentException(
        $"name: this state has no '{name}'; it has {(_names.Length == 0 ? "no tensors" : string.Join(", ", _names))}.", nameof(name));

    /// <summary>Chosen rows in a chosen order; a row may come several times, and their number may be another. Beam search goes on with the rows it names.</summary>
    /// <param name="rows">Rows from 0 to N − 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    public SequenceState<T> SelectRows(params ReadOnlySpan<int> rows)
    {
        foreach (var row in rows)
        {
            if ((uint)row >= (uint)Rows)
            {
                throw new ArgumentOutOfRangeException(nameof(rows), row, $"rows: expected rows from 0 to {Rows - 1} but got {row}.");
            }
        }

        var chosen = rows.ToArray();
        return Map(tensor => tensor.IndexSelect(0, chosen), chosen.Length);
    }

    /// <summary>Each row several times, its copies next to each other: row r becomes the rows r·count to r·count + count − 1.</summary>
    /// <param name="count">How many times, such as the width of a beam.</param>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative.</exception>
    public SequenceState<T> Repeat(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        var rows = new int[checked(Rows * count)];
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i] = i / count;
        }

        return SelectRows(rows);
    }

    /// <summary>Begins new sequences in some rows: there the tensors of <paramref name="initial"/>, or zeros; the other rows as they are.</summary>
    /// <param name="rows">For each row whether a new sequence begins.</param>
    /// <param name="initial">The state that sequences begin with, of the same names and shapes; null for zeros.</param>
    /// <exception cref="ArgumentException">The number of rows is another, or the initial state does not fit.</exception>
    public SequenceState<T> ResetRows(ReadOnlySpan<bool> rows, SequenceState<T>? initial = null)
    {
        CheckRows(rows.Length);
        var mask = new T[Rows];
        for (var row = 0; row < mask.Length; row++)
        {
            mask[row] = rows[row] ? T.One : T.Zero;
        }

        if (initial is null)
        {
            return Map(tensor => tensor.MaskedFill(Column(mask, tensor.Rank), 0), Rows);
        }

        var begins = initial.InOrderOf(this, nameof(initial));
        return new(Rows, _names, [.. _tensors.Select((tensor, i) => Tensor<T>.Where(Column(mask, tensor.Rank), begins[i], tensor))]);
    }

    /// <summary>The same values without history, so that gradients stop here: at the border of two windows of truncated backpropagation through time.</summary>
    public SequenceState<T> Detach() => Map(tensor => tensor.Detach(), Rows);

    /// <summary>A copy in memory of its own, without history; it outlives a <see cref="TensorScope"/> when made outside of it.</summary>
    public SequenceState<T> Clone() => Map(Copy, Rows);

    /// <summary>The rows of several states one after another.</summary>
    /// <param name="states">One or more states of the same names and shapes.</param>
    /// <exception cref="ArgumentException">There is no state, or they differ in more than the number of rows.</exception>
    public static SequenceState<T> Concat(params ReadOnlySpan<SequenceState<T>> states)
    {
        if (states.IsEmpty)
        {
            throw new ArgumentException("states: expected one or more states but got none.", nameof(states));
        }

        var (first, rows) = (states[0], 0);
        var parts = new Tensor<T>[first._names.Length][];
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = new Tensor<T>[states.Length];
        }

        for (var s = 0; s < states.Length; s++)
        {
            rows += states[s].Rows;
            var tensors = states[s].InOrderOf(first, nameof(states), anyRows: true);
            for (var i = 0; i < parts.Length; i++)
            {
                parts[i][s] = tensors[i];
            }
        }

        return new(rows, first._names, Array.ConvertAll(parts, tensors => Tensor<T>.Concat(tensors, 0)));
    }

    /// <summary>The tensors whose names begin with a prefix and a dot, under the rest of their names: the state of one layer of a chain.</summary>
    /// <param name="prefix">The prefix without its dot, such as <c>0</c>.</param>
    public SequenceState<T> Part(string prefix)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        var chosen = Enumerable.Range(0, _names.Length).Where(i => _names[i].StartsWith($"{prefix}.", StringComparison.Ordinal)).ToArray();
        return new(Rows, [.. chosen.Select(i => _names[i][(prefix.Length + 1)..])], [.. chosen.Select(i => _tensors[i])]);
    }

    /// <summary>The names and shapes.</summary>
    public override string ToString() => _names.Length == 0
        ? $"{Rows} rows without tensors"
        : string.Join(", ", _names.Zip(_tensors, (name, tensor) => $"{name} {tensor.Shape}"));

    /// <summary>The tensor of a name, or null.</summary>
    internal Tensor<T>? Find(string name)
    {
        var index = Array.IndexOf(_names, name);
        return index < 0 ? null : _tensors[index];
    }

    internal Tensor<T> At(int index) => _tensors[index];

    /// <summary>Each tensor turned into another.</summary>
    internal SequenceState<T> Map(Func<Tensor<T>, Tensor<T>> function, int rows) => new(rows, _names, Array.ConvertAll(_tensors, tensor => function(tensor)));

    /// <summary>The tensors in the order in which another state has theirs.</summary>
    /// <exception cref="ArgumentException">The names or shapes are others.</exception>
    internal Tensor<T>[] InOrderOf(SequenceState<T> other, string parameter, bool anyRows = false)
    {
        ReadOnlySpan<Tensor<T>> expected = other._tensors;
        var ordered = InOrder(other._names, parameter);
        for (var i = 0; i < ordered.Length; i++)
        {
            var (shape, wanted) = (ordered[i].Shape, expected[i].Shape);
            if (shape.Rank != wanted.Rank || !shape.Dimensions[1..].SequenceEqual(wanted.Dimensions[1..]) || (!anyRows && shape[0] != wanted[0]))
            {
                throw new ArgumentException($"{parameter}: expected {wanted} for '{other._names[i]}' but got {shape}.", parameter);
            }
        }

        return anyRows || Rows == other.Rows ? ordered : throw new ArgumentException($"{parameter}: expected {other.Rows} rows but got {Rows}.", parameter);
    }

    /// <summary>The tensors in the order of some names.</summary>
    /// <exception cref="ArgumentException">The names are others.</exception>
    internal Tensor<T>[] InOrder(string[] names, string parameter)
    {
        // A state that the layer itself has made.
        if (ReferenceEquals(names, _names))
        {
            return _tensors;
        }

        var ordered = new Tensor<T>[names.Length];
        var fits = names.Length == _names.Length;
        for (var i = 0; i < names.Length && fits; i++)
        {
            var tensor = Find(names[i]);
            fits = tensor is not null;
            ordered[i] = tensor!;
        }

        return fits ? ordered : throw new ArgumentException(
            $"{parameter}: expected a state of {(names.Length == 0 ? "no tensors" : string.Join(", ", names))} but got {(_names.Length == 0 ? "none" : string.Join(", ", _names))}; a state fits layers of the kind that made it.",
            parameter);
    }

    /// <summary>A copy in ordinary memory, which no scope takes back: for what lives longer than a step.</summary>
    internal SequenceState<T> InOwnMemory() => Map(tensor => new Tensor<T>(new Storage<T>(tensor.ToArray()), tensor.Shape), Rows);

    /// <summary>Copies values into the memory of this state, for the library's own buffers.</summary>
    internal void CopyFrom(SequenceState<T> other)
    {
        var from = other.InOrderOf(this, nameof(other));
        for (var i = 0; i < _tensors.Length; i++)
        {
            from[i].AsReadOnlySpan().CopyTo(_tensors[i].AsSpan());
        }
    }

    /// <summary>Clears rows in the memory of this state, for the library's own buffers.</summary>
    internal void ClearRows(ReadOnlySpan<bool> rows)
    {
        CheckRows(rows.Length);
        foreach (var tensor in _tensors)
        {
            var values = tensor.AsSpan();
            var size = Rows == 0 ? 0 : tensor.Length / Rows;
            for (var row = 0; row < rows.Length; row++)
            {
                if (rows[row])
                {
                    values.Slice(row * size, size).Clear();
                }
            }
        }
    }

    private void CheckRows(int rows)
    {
        if (rows != Rows)
        {
            throw new ArgumentException($"rows: expected {Rows} values, one for each row, but got {rows}.", nameof(rows));
        }
    }

    // [N, 1, …]: one number for each row, of the rank of what it chooses from.
    private static Tensor<T> Column(T[] mask, int rank)
    {
        Span<int> dimensions = stackalloc int[rank];
        dimensions.Fill(1);
        dimensions[0] = mask.Length;
        return Tensor<T>.From(mask, new Shape(dimensions));
    }

    private static Tensor<T> Copy(Tensor<T> tensor)
    {
        var copy = Tensor<T>.Uninitialized(tensor.Shape);
        tensor.AsReadOnlySpan().CopyTo(copy.AsSpan());
        return copy;
    }
}
