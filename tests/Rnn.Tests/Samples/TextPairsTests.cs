using Rnn.Tensors;
using Samples;

namespace Rnn.Tests.Samples;

/// <summary>Pairs of texts and the drawing of attention, which several samples share.</summary>
public sealed class TextPairsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("pairs-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_file_has_a_pair_on_each_line()
    {
        var path = Path.Combine(_folder, "pairs.tsv");
        File.WriteAllText(path, "Go.\tVa !\tCC-BY\r\n\r\nRun!\tCours !\nRun!\tCourez !");
        var pairs = TextPairs.Read(path);
        Assert.Equal(["Go.", "Run!", "Run!"], pairs.Sources);
        Assert.Equal(["Va !", "Cours !", "Courez !"], pairs.Targets);
        var (sources, references) = pairs.Grouped();
        Assert.Equal(["Go.", "Run!"], sources);
        Assert.Equal([["Va !"], ["Cours !", "Courez !"]], references);
        File.WriteAllText(path, "Go.\tVa !\nRun! Cours !");
        Assert.Contains("line 2", Assert.Throws<InputException>(() => TextPairs.Read(path)).Message);
    }

    [Fact]
    public void No_source_stands_on_both_sides_of_a_cut()
    {
        var pairs = new TextPairs([.. Enumerable.Range(0, 300).Select(i => $"{i % 100}")], [.. Enumerable.Range(0, 300).Select(i => $"{i}")]);
        var (first, second) = pairs.Split(new RandomSource(1), 0.9);
        Assert.Equal((270, 30), (first.Count, second.Count));
        Assert.Empty(first.Sources.Intersect(second.Sources));
        Assert.NotEqual(second.Sources, pairs.Split(new RandomSource(2), 0.9).Second.Sources);
    }

    [Fact]
    public void A_heat_map_is_text_and_a_drawing()
    {
        var map = new HeatMap(["x", "end"], ["a", "<b>"], new[,] { { 1.0, 0.0 }, { 0.26, 0.74 } });
        Assert.Equal("    a <b>\n  x ██    \nend ░░▓▓▓▓", map.ToText(colors: false));
        Assert.Contains("\e[48;5;255m  \e[0m", map.ToText(colors: true));
        var path = Path.Combine(_folder, "map.svg");
        map.SaveSvg(path);
        var drawing = System.Xml.Linq.XDocument.Load(path);
        Assert.Equal(4, drawing.Descendants().Count(node => node.Name.LocalName == "rect"));
        Assert.Contains(drawing.Descendants(), node => node.Value == "<b>");
        Assert.Equal(2, map.ToText(colors: false).Split('\n')[1].Count(character => character == '█'));
    }
}
