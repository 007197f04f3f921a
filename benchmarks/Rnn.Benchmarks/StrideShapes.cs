using Rnn.Measure;

namespace Rnn.Benchmarks;

/// <summary>Shapes that differ in one size alone, in ascending order of it.</summary>
/// <param name="Cell">LSTM, GRU or RNN.</param>
/// <param name="Batch">full, ragged or bidirectional.</param>
/// <param name="Base">The other sizes.</param>
/// <param name="Varied">The size that differs: N, T, I or H.</param>
/// <param name="Members">The value of that size and the shape.</param>
internal sealed record StrideGroup(string Cell, string Batch, string Base, string Varied, IReadOnlyList<(int Value, RecurrentShape Shape)> Members)
{
    private const int Narrow = 256;
    private const int Wide = 512;

    /// <summary>
    /// The groups that the command <c>strides</c> measures: powers of two and their neighbours on either side, so that rows of one lie at distances that fall into the
    /// same sets of a cache, and those of its neighbours do not. H stays a multiple of 16, whole vectors on every processor.
    /// </summary>
    public static IReadOnlyList<StrideGroup> All()
    {
        var groups = new List<StrideGroup>();
        foreach (var cell in new[] { "LSTM", "GRU", "RNN" })
        {
            foreach (var batch in new[] { "full", "ragged", "bidirectional" })
            {
                var narrow = Shape(cell, batch, rows: 32, steps: 64, input: 128, hidden: Narrow);
                groups.Add(Make(narrow, batch, "T", [63, 64, 65, 66]));
                groups.Add(Make(narrow, batch, "H", [240, 256, 272]));
                if (batch == "full")
                {
                    groups.Add(Make(narrow, batch, "N", [31, 32, 33]));
                    groups.Add(Make(narrow, batch, "I", [120, 128, 136]));
                    groups.Add(Make(narrow with { Steps = 100, Input = 64 }, batch, "T", [99, 100, 101]));
                    groups.Add(Make(narrow with { Steps = 100, Input = 64 }, batch, "I", [56, 64, 72]));
                }
            }

            if (cell != "RNN")
            {
                var wide = Shape(cell, "full", rows: 32, steps: 64, input: Wide, hidden: Wide);
                groups.Add(Make(wide, "full", "T", [63, 64, 65]));
                groups.Add(Make(wide, "full", "H", [496, 512, 528]));
                groups.Add(Make(wide, "full", "I", [504, 512, 520]));
            }
        }

        return groups;
    }

    private static RecurrentShape Shape(string cell, string batch, int rows, int steps, int input, int hidden) => new()
    {
        Name = string.Empty,
        Kind = cell,
        Batch = rows,
        Steps = steps,
        Input = input,
        Hidden = hidden,
        Ragged = batch == "ragged",
        Bidirectional = batch == "bidirectional",
    };

    private static StrideGroup Make(RecurrentShape shape, string batch, string varied, int[] values)
    {
        var members = values.Select(value => (value, Named(varied switch
        {
            "N" => shape with { Batch = value },
            "T" => shape with { Steps = value },
            "I" => shape with { Input = value },
            _ => shape with { Hidden = value },
        }))).ToArray();
        var fixedSizes = new[] { ("N", shape.Batch), ("T", shape.Steps), ("I", shape.Input), ("H", shape.Hidden) }
            .Where(size => size.Item1 != varied).Select(size => $"{size.Item1} {size.Item2}");
        return new(shape.Kind, batch, string.Join(", ", fixedSizes), varied, members);

        RecurrentShape Named(RecurrentShape member) => member with
        {
            // A size may belong to several groups, which are measured at different times.
            Name = $"{member.Kind.ToLowerInvariant()}-{batch}-by-{varied}-N{member.Batch}-T{member.Steps}-I{member.Input}-H{member.Hidden}",
        };
    }
}
