using System.Globalization;
using Xunit.Abstractions;

namespace Rnn.TestRunner;

/// <summary>Collects the test cases of an assembly.</summary>
internal sealed class Discovery : IMessageSink, IDisposable
{
    /// <summary>Set when all have been found.</summary>
    public ManualResetEvent Finished { get; } = new(false);

    /// <summary>What was found.</summary>
    public List<ITestCase> Cases { get; } = [];

    /// <inheritdoc/>
    public bool OnMessage(IMessageSinkMessage message)
    {
        switch (message)
        {
            case ITestCaseDiscoveryMessage found:
                Cases.Add(found.TestCase);
                break;
            case IDiscoveryCompleteMessage:
                _ = Finished.Set();
                break;
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => Finished.Dispose();
}

/// <summary>Counts what passes; prints what fails, and each class when it has ended: under an emulator a run takes minutes.</summary>
internal sealed class Execution : IMessageSink, IDisposable
{
    private readonly Lock _gate = new();

    /// <summary>Set when all tests have run.</summary>
    public ManualResetEvent Finished { get; } = new(false);

    /// <summary>Tests that passed.</summary>
    public int Passed { get; private set; }

    /// <summary>Tests that failed, and errors around them, as in the disposal of a class.</summary>
    public int Failed { get; private set; }

    /// <summary>Tests that say themselves that they are skipped.</summary>
    public int Skipped { get; private set; }

    /// <inheritdoc/>
    public bool OnMessage(IMessageSinkMessage message)
    {
        // The messages of tests that run side by side may come from several threads.
        lock (_gate)
        {
            switch (message)
            {
                case ITestFailed failure:
                    Fail(failure.Test.DisplayName, failure);
                    break;
                case ITestPassed:
                    Passed++;
                    break;
                case ITestSkipped:
                    Skipped++;
                    break;
                case ITestClassFinished ended:
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{ended.ExecutionTime,8:f1} s  {ended.TestsRun,4} tests  {ended.TestClass.Class.Name}"));
                    break;
                case ITestAssemblyFinished:
                    _ = Finished.Set();
                    break;
                case IFailureInformation failure:
                    Fail(message.GetType().Name, failure);
                    break;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => Finished.Dispose();

    private void Fail(string name, IFailureInformation failure)
    {
        Failed++;
        Console.WriteLine($"FAILED {name}: {string.Join(" → ", failure.Messages)}");
        Console.WriteLine(string.Join(Environment.NewLine, failure.StackTraces));
    }
}
