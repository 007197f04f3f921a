namespace Rnn.Tests.Learning;

/// <summary>
/// A test that takes minutes. <c>dotnet test</c> shows it as skipped; it runs by
/// <c>RNN_LONG_TESTS=1 dotnet test -c Release tests/Rnn.Tests --filter FullyQualifiedName~LongLearning --logger "console;verbosity=detailed"</c>.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LongFactAttribute : FactAttribute
{
    public LongFactAttribute()
    {
        if (!Enabled)
        {
            Skip = Reason;
        }
    }

    internal const string Reason = "Takes minutes; set RNN_LONG_TESTS=1 to run it.";

    internal static bool Enabled => Environment.GetEnvironmentVariable("RNN_LONG_TESTS") == "1";
}
