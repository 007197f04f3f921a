namespace Rnn.Tests.Architecture;

/// <summary>The public API of the library as text beside this file, so that every change of it shows in a diff.</summary>
public class PublicApiTests
{
    private const string UpdateVariable = "RNN_UPDATE_API";

    [Fact]
    public void Public_API_is_the_one_on_record()
    {
        Assert.NotNull(SourceTree.Root);
        var path = Path.Combine(SourceTree.Root, "tests", "Rnn.Tests", "Architecture", "PublicApi.txt");
        var actual = ApiListing.Of(typeof(Rnn.Kernels.Simd).Assembly);
        if (Environment.GetEnvironmentVariable(UpdateVariable) == "1")
        {
            File.WriteAllText(path, string.Concat(actual.Select(line => line + "\n")));
        }

        var recorded = File.Exists(path) ? File.ReadAllLines(path) : [];
        var added = actual.Except(recorded).ToList();
        var removed = recorded.Except(actual).ToList();
        Assert.True(
            added.Count == 0 && removed.Count == 0 && actual.Count == recorded.Length,
            $"The public API has changed. If that is meant, run\n  {UpdateVariable}=1 dotnet test tests/Rnn.Tests --filter {nameof(PublicApiTests)}\n"
            + $"and commit PublicApi.txt.\n{string.Join('\n', removed.Select(line => "- " + line).Concat(added.Select(line => "+ " + line)).Take(40))}");
    }
}
