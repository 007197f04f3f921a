using System.Xml.Linq;
using Rnn.Training;

namespace Rnn.Tests.Training;

public class GradientChartTests
{
    [Fact]
    public void Curves_stand_on_a_logarithmic_scale()
    {
        var chart = new GradientChart { Title = "norms" }.Add("falls", [1, 1e-1, 1e-2, 1e-3, 1e-4]).Add("stays", [1e-2, 1e-2, 1e-2, 1e-2, 1e-2]);
        Assert.Equal(
            """
            norms
              1e+0 |**
                   |  ***
              1e-2 |ooooooooooooo
                   |        ***
              1e-4 |           **
                   +-------------
                    0 t         4
                    * falls
                    o stays
            """.ReplaceLineEndings("\n"),
            chart.ToString(21, 5));
    }

    [Fact]
    public void Numbers_beyond_the_borders_stand_on_them_and_what_is_none_nowhere()
    {
        var lines = new GradientChart { Minimum = 1e-3, Maximum = 10 }.Add("a", [0, 1e-30, double.NaN, -1, double.PositiveInfinity]).ToString(53, 5).Split('\n');
        Assert.StartsWith("  1e+1 |", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("  1e-3 |", lines[4], StringComparison.Ordinal);
        Assert.Equal("*", new string([.. lines[0][8..].Trim().Distinct()]));
        Assert.Equal("*", new string([.. lines[4][8..].Trim().Distinct()]));
        Assert.All(lines[1..4], line => Assert.DoesNotContain('*', line));
        Assert.True(lines[0].IndexOf('*', StringComparison.Ordinal) > lines[4].LastIndexOf('*'));
    }

    [Fact]
    public void A_drawing_has_a_line_for_each_curve_and_a_gap_where_there_is_no_number()
    {
        var chart = new GradientChart { Title = "a < b & c" }.Add("one", [1, 0.1, double.NaN, 0.01]).Add("two", [1]);
        var svg = XDocument.Parse(chart.ToSvg(300, 100));
        var space = svg.Root!.Name.Namespace;
        Assert.Equal("http://www.w3.org/2000/svg", space.NamespaceName);
        Assert.Equal("300", svg.Root.Attribute("width")!.Value);
        var texts = svg.Root.Elements(space + "text").Select(element => element.Value).ToArray();
        Assert.Equal(["a < b & c", "1e-2", "1e-1", "1e+0", "0", "3", "t", "one", "two"], texts);
        var paths = svg.Root.Elements(space + "path").Where(element => element.Attribute("fill") is not null).Select(element => element.Attribute("d")!.Value).ToArray();
        Assert.Equal(["M60.0 36.0L133.3 86.0M280.0 136.0", "M60 170h30", "M60.0 36.0", "M60 188h30"], paths);
    }

    [Fact]
    public void A_chart_without_curves_is_empty_and_wrong_sizes_are_refused()
    {
        var chart = new GradientChart();
        Assert.Equal(16 + 2, chart.ToString().Split('\n').Length);
        Assert.NotNull(XDocument.Parse(chart.ToSvg()).Root);
        Assert.Throws<ArgumentOutOfRangeException>(() => chart.ToString(19, 5));
        Assert.Throws<ArgumentOutOfRangeException>(() => chart.ToString(20, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => chart.ToSvg(199));
        Assert.Throws<ArgumentOutOfRangeException>(() => chart.ToSvg(height: 99));
        Assert.Throws<ArgumentOutOfRangeException>(() => new GradientChart { Minimum = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new GradientChart { Maximum = double.NaN });
        Assert.Throws<ArgumentNullException>(() => chart.Add(null!, []));
        Assert.Throws<ArgumentNullException>(() => chart.Add("a", null!));
    }
}
