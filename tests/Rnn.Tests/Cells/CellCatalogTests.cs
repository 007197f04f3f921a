using Rnn.Cells;
using Rnn.Kernels;
using Rnn.Layers;

namespace Rnn.Tests.Cells;

public sealed class CellCatalogTests
{
    [Fact]
    public void Every_cell_of_the_library_is_in_the_catalog_with_every_choice_of_its_options()
    {
        var listed = CellCatalog.Types.ToHashSet();
        var cells = typeof(ICell).Assembly.GetTypes().Where(type => type.IsValueType && type.IsAssignableTo(typeof(ICell)) && !type.IsAssignableTo(typeof(IActivatedCell))).SelectMany(Close).ToList();
        Assert.True(cells.Count > 30);
        Assert.All(cells, cell => Assert.True(listed.Contains(cell), $"{cell} is not in CellCatalog"));
        Assert.Equal(cells.Count, listed.Count);
    }

    [Fact]
    public void Every_cell_with_activations_of_choice_is_in_their_list()
    {
        Assert.Equal(ActivatedCells.Names.Count, ActivatedCells.Names.Distinct().Count());
        var plain = CellCatalog.Names.Where(name => name.StartsWith("lstm", StringComparison.Ordinal) || name.StartsWith("gru", StringComparison.Ordinal));
        Assert.All(plain, name => Assert.Contains($"{name}-activations", ActivatedCells.Names));
        Assert.All(ActivatedCells.Names, name =>
        {
            Assert.False(CellCatalog.Contains(name));
            ActivatedCells.Layout(name)!.Check();
            ActivatedCells.Layout($"{name}-layernorm")!.Check();
        });
    }

    [Fact]
    public void Names_are_unique_and_say_what_the_cell_is()
    {
        Assert.Equal(CellCatalog.Names.Count, CellCatalog.Names.Distinct().Count());
        Assert.Superset(
            new HashSet<string>
            {
                "lstm", "lstm-peephole", "lstm-fullpeephole-coupled", "lstm-noforget", "gru", "gru-replacing", "gru-before",
                "gru-before-replacing", "mgu", "rnn-tanh", "rnn-relu", "indrnn-relu",
            },
            CellCatalog.Names.ToHashSet());
        Assert.DoesNotContain(CellCatalog.Names, name => name.Contains("layernorm", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Layouts_hold_together(string name)
    {
        var layout = CellCatalog.Layout(name);
        layout.Check();
        Assert.Equal(name, layout.Name);
        Assert.Equal(layout.Gates.Count, layout.GateOrder.Length);
    }

    public static TheoryData<string> Names() => [.. TestCells.All];

    [Fact]
    public void An_unknown_name_is_refused_with_the_list_of_the_known()
    {
        var error = Assert.Throws<ArgumentException>(() => RecurrentLayer<float>.Create("lstn", 3, 4));
        Assert.Contains("'lstn'", error.Message, StringComparison.Ordinal);
        Assert.Contains("lstm-peephole", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lstm", "ifgo")]
    [InlineData("lstm-coupled", "fgo")]
    [InlineData("lstm-noforget", "igo")]
    [InlineData("gru", "rznm")]
    [InlineData("gru-before", "rzn")]
    [InlineData("mgu", "fn")]
    [InlineData("rnn-relu", "h")]
    public void Gates_stand_in_their_order(string name, string gates) => Assert.Equal(gates, CellCatalog.Layout(name).GateOrder);

    [Fact]
    public void Options_of_the_layers_choose_the_cells()
    {
        foreach (var peepholes in Enum.GetValues<Peepholes>())
        {
            foreach (var normalized in new[] { false, true })
            {
                var suffix = $"{(peepholes == Peepholes.None ? "" : peepholes == Peepholes.Full ? "-fullpeephole" : "-peephole")}";
                var end = normalized ? "-layernorm" : "";
                Assert.Equal($"lstm{suffix}{end}", Lstm(new() { Peepholes = peepholes, LayerNormalization = normalized }));
                Assert.Equal($"lstm{suffix}-coupled{end}", Lstm(new() { Peepholes = peepholes, CoupledGates = true, LayerNormalization = normalized }));
                Assert.Equal($"lstm{suffix}-noforget{end}", Lstm(new() { Peepholes = peepholes, ForgetGate = false, LayerNormalization = normalized }));
            }
        }

        Assert.Equal("gru", Gru(new()));
        Assert.Equal("gru-before", Gru(new() { ResetAfter = false }));
        Assert.Equal("gru-replacing", Gru(new() { UpdateGateKeepsState = false }));
        Assert.Equal("gru-before-replacing-layernorm", Gru(new() { ResetAfter = false, UpdateGateKeepsState = false, LayerNormalization = true }));
        Assert.Equal("mgu", new Mgu<float>(2, 3).Layout.Name);
        Assert.Equal("rnn-tanh", new SimpleRnn<float>(2, 3).Layout.Name);
        Assert.Equal("indrnn-relu", new IndRnn<float>(2, 3).Layout.Name);
        foreach (var activation in Enum.GetValues<Activation>().Where(ActivationChoice.HasCell))
        {
            var name = string.Concat(activation.ToString().Select((letter, i) => i > 0 && char.IsUpper(letter) ? $"_{letter}" : $"{letter}"));
            Assert.Equal($"rnn-{name}", new SimpleRnn<float>(2, 3, new() { Activation = activation }).Layout.Name, ignoreCase: true);
            Assert.Equal($"indrnn-{name}", new IndRnn<float>(2, 3, new() { Activation = activation }).Layout.Name, ignoreCase: true);
        }

        Assert.Throws<ArgumentException>(() => Lstm(new() { CoupledGates = true, ForgetGate = false }));
        Assert.Throws<ArgumentException>(() => Lstm(new() { Peepholes = (Peepholes)9 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SimpleRnn<float>(2, 3, new() { Activation = (Activation)99 }));

        static string Lstm(LstmOptions options) => new Lstm<float>(2, 3, options).Layout.Name;
        static string Gru(GruOptions options) => new Gru<float>(2, 3, options).Layout.Name;
    }

    // All types that a generic cell can be closed over: the library's structs of each parameter's constraint.
    private static IEnumerable<Type> Close(Type cell)
    {
        if (!cell.IsGenericTypeDefinition)
        {
            return [cell];
        }

        IEnumerable<Type[]> choices = [[]];
        foreach (var parameter in cell.GetGenericArguments())
        {
            var constraint = parameter.GetGenericParameterConstraints().Single(type => type.IsInterface);
            // An activation that is internal belongs to one kind of layer.
            var structs = constraint.Assembly.GetTypes().Where(type => type.IsValueType && type.IsAssignableTo(constraint) && (type.IsPublic || constraint != typeof(IActivation))).ToList();
            choices = choices.SelectMany(_ => structs, (head, next) => head.Append(next).ToArray());
        }

        return choices.Select(arguments => cell.MakeGenericType(arguments));
    }
}
