using System.Reflection;
using System.Text.RegularExpressions;

namespace Rnn.Tests.Architecture;

/// <summary>Tests are named by sentences, or after the function that they test.</summary>
public partial class TestNameTests
{
    [Fact]
    public void Names_of_tests_are_sentences_with_underscores()
    {
        Assembly[] projects = [typeof(TestNameTests).Assembly, typeof(UserTests.Cells.OwnCellTests).Assembly];
        var tests = projects.SelectMany(project => project.GetTypes())
            .SelectMany(type => type.GetMethods(BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Where(method => method.IsDefined(typeof(FactAttribute), inherit: true))
            .ToList();
        var wrong = tests.Where(test => !Sentence().IsMatch(test.Name)).Select(test => $"{test.DeclaringType!.Name}.{test.Name}").ToList();
        Assert.True(tests.Count > 600, $"Only {tests.Count} tests were found.");
        Assert.True(wrong.Count == 0, $"A_test_is_named_like_this, with a capital at the start and in names such as GRU: {string.Join("; ", wrong)}");
    }

    // Words of small letters and digits, of capitals, or names that are written with capitals inside.
    [GeneratedRegex("^(?=[A-Z])(([A-Z]?[a-z0-9]*|[A-Z0-9]+|PyTorch|MathNet|NaN|ReLU|AdamW|ExpM1|LogP1|SplitMix(64)?)(_(?!$)|$))+$")]
    private static partial Regex Sentence();
}
