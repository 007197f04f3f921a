using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using Rnn.TestRunner;
using Xunit.Sdk;

// Rnn.TestRunner ASSEMBLY [WORD…]: runs the tests of a built test assembly in this process and prints those that fail, how long each class took,
// and "N passed, N failed, N skipped". A word selects the tests whose full name contains it (all where no word does), -WORD leaves out those whose name does.
// Rnn.TestRunner ASSEMBLY --program [ARGUMENT…]: runs the assembly's own entry point instead.
// Exit code 0 where something ran and nothing failed.
if (args.Length == 0 || !File.Exists(args[0]))
{
    Console.Error.WriteLine("usage: Rnn.TestRunner ASSEMBLY [WORD | -WORD …], or Rnn.TestRunner ASSEMBLY --program [ARGUMENT…]");
    return 2;
}

var path = Path.GetFullPath(args[0]);
var folder = Path.GetDirectoryName(path)!;
AssemblyLoadContext.Default.Resolving += (context, name) =>
    Path.Combine(folder, $"{name.Name}.dll") is var file && File.Exists(file) ? context.LoadFromAssemblyPath(file) : null;
var assembly = AssemblyLoadContext.Default.LoadFromAssemblyPath(path);
if (args is [_, "--program", .. var arguments])
{
    return (int)assembly.EntryPoint!.Invoke(null, [arguments])!;
}

var excluded = args.Skip(1).Where(word => word.StartsWith('-')).Select(word => word[1..]).ToList();
var included = args.Skip(1).Where(word => !word.StartsWith('-')).ToList();
var clock = Stopwatch.StartNew();
Console.WriteLine($"{RuntimeInformation.RuntimeIdentifier}, {RuntimeInformation.FrameworkDescription}, {Environment.ProcessorCount} processors");
using var framework = new XunitTestFramework(new NullMessageSink());
using var found = new Discovery();
using var discoverer = framework.GetDiscoverer(Reflector.Wrap(assembly));
discoverer.Find(includeSourceInformation: false, found, new Options());
found.Finished.WaitOne();
var chosen = found.Cases.Where(test => Chosen($"{test.TestMethod.TestClass.Class.Name}.{test.TestMethod.Method.Name}")).ToList();
using var execution = new Execution();
using var executor = framework.GetExecutor(assembly.GetName());
executor.RunTests(chosen, execution, new Options());
execution.Finished.WaitOne();
Console.WriteLine($"{chosen.Count} of {found.Cases.Count} test cases in {clock.Elapsed.TotalSeconds:f0} s");
Console.WriteLine($"{execution.Passed} passed, {execution.Failed} failed, {execution.Skipped} skipped");
return execution.Failed == 0 && execution.Passed > 0 ? 0 : 1;

bool Chosen(string name) =>
    (included.Count == 0 || included.Exists(word => name.Contains(word, StringComparison.Ordinal)))
    && !excluded.Exists(word => name.Contains(word, StringComparison.Ordinal));
