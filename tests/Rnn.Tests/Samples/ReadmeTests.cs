using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Rnn.Cells;
using Rnn.Formats;
using Rnn.Keras;
using Rnn.Mpi;
using Rnn.Layers;
using Rnn.Tests.Architecture;

namespace Rnn.Tests.Samples;

/// <summary>Every example of the README is compiled as a program of its own and run; every cell is in its table.</summary>
public sealed partial class ReadmeTests : IDisposable
{
    private const string ImplicitUsings =
        "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Threading; global using System.Threading.Tasks;";

    private readonly string _folder = Directory.CreateTempSubdirectory("rnn-readme-").FullName;

    public ReadmeTests()
    {
        File.WriteAllText(
            Path.Combine(_folder, "shakespeare.txt"),
            string.Concat(Enumerable.Repeat("ROMEO:\nBut soft, what light through yonder window breaks?\n\nJULIET:\nAy me.\n\n", 60)));
        string[] greek = ["Papadakis", "Georgiou", "Nikolaidis", "Papagos", "Stavros", "Pavlopoulos", "Dimitriou", "Antonopoulos"];
        string[] irish = ["O'Brien", "Kelly", "Murphy", "O'Neill", "Byrne", "Gallagher", "Doherty", "McCarthy"];
        File.WriteAllLines(
            Path.Combine(_folder, "names.csv"), ["name,language", .. greek.Select(name => $"{name},Greek"), .. irish.Select(name => $"{name},Irish")]);
        var tokens = Enumerable.Range(0, 256).Select(value => new[] { (byte)value }).Append("th"u8.ToArray()).Append("the"u8.ToArray());
        File.WriteAllLines(Path.Combine(_folder, "words.tiktoken"), tokens.Select((token, rank) => string.Create(CultureInfo.InvariantCulture, $"{Convert.ToBase64String(token)} {rank}")));
        File.WriteAllLines(
            Path.Combine(_folder, "sales.csv"),
            ["month,sales", .. Enumerable.Range(0, 160).Select(t => FormattableString.Invariant($"{2010 + (t / 12)}-{1 + (t % 12):D2},{100 + t + (20 * Math.Sin(t * Math.PI / 6)) + (t * 7 % 5):F1}"))]);
        PyTorchFile.Write(Path.Combine(_folder, "checkpoint.pt"), [.. new Lstm<float>(8, 16).ToPyTorch("encoder.lstm."), .. new Linear<float>(16, 3).ToPyTorch("head.")]);
        foreach (var library in new[] { "Rnn.dll", "Rnn.Keras.dll", "PureHDF.dll", "Rnn.Mpi.dll", "MPI.dll", "System.Numerics.Tensors.dll", "MathNet.Numerics.dll", "Microsoft.ML.Tokenizers.dll" })
        {
            File.Copy(Path.Combine(AppContext.BaseDirectory, library), Path.Combine(_folder, library));
        }

        WriteKerasModel(Path.Combine(_folder, "sentiment.keras"));
    }

    private static void WriteKerasModel(string path)
    {
        var network = new Sequential<float>(
            new Embedding<float>(20, 16), new Lstm<float>(16, 32, new() { Bidirectional = true }), new LastStep<float>(), new Linear<float>(64, 2), new KerasOperation<float>(KerasOperationKind.Softmax));
        new KerasModel<float>(network, "sentiment").Save(path);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Examples_compile_and_run()
    {
        // Those of the package for ONNX are compiled and run by its own tests.
        var examples = Examples().Matches(Readme()).Select(match => match.Groups["code"].Value).Where(code => !code.Contains("using Rnn.Onnx;", StringComparison.Ordinal)).ToArray();
        Assert.Equal(16, examples.Length);
        var outputs = new string[examples.Length];
        for (var i = 0; i < examples.Length; i++)
        {
            outputs[i] = Run($"example{i}", examples[i]);
        }

        Assert.Matches(@"^\d+ steps, loss \d\.\d{3}\n", outputs[0]);
        Assert.Matches(@"^\d\.\d\d nats and \d\.\d\d bits per character\n", outputs[1]);
        Assert.Matches(@"^Greek \(\d+\.\d %\)\n$", outputs[2]);
        Assert.Equal("2021-03-03\n", outputs[3]);
        Assert.Matches(@"^error [0-9.]+, in the next step -?[0-9.]+ \(-?[0-9.]+ to -?[0-9.]+\)\n$", outputs[4]);
        Assert.InRange(double.Parse(outputs[4].Split(' ', ',')[1], CultureInfo.InvariantCulture), 0, 6);
        Assert.Equal("257 32 111 257 114 4\n", outputs[5]);
        Assert.InRange(Share(outputs[6]), 90, 100);
        Assert.InRange(double.Parse(outputs[7], CultureInfo.InvariantCulture), -1, 1);
        Assert.StartsWith("Int8: 346,112 bytes become 92,160; results differ by ", outputs[8], StringComparison.Ordinal);
        Assert.Equal("encoder.lstm.weight_ih_l0 F32 [64, 8]\n", outputs[9][..(outputs[9].IndexOf('\n') + 1)]);
        Assert.EndsWith("head.bias F32 [3]\n[2, 10, 3]\n[2, 3]\n", outputs[9], StringComparison.Ordinal);
        Assert.Equal("sentiment [2, 2]: embedding, bidirectional, dense\n", outputs[10]);
        Assert.Matches(@"^1 processes, loss \d\.\d{3}, 0 ?% of the time in communication\n$", outputs[11]);
        Assert.Equal("[3, 10, 4] 0.h_l0 [3, 16], 1.s [3, 16]\n", outputs[12]);
        Assert.Equal("lstm-activations: gates HardSigmoid(0.2, 0.5), candidate Relu, output Softsign, clip 3\n", outputs[13]);
        Assert.Contains("passed", outputs[14], StringComparison.OrdinalIgnoreCase);
        Assert.Contains("passed", outputs[15], StringComparison.OrdinalIgnoreCase);
        static double Share(string output) => double.Parse(output.Split(' ')[0], CultureInfo.InvariantCulture);
    }

    [Fact]
    public void The_table_of_cells_is_that_of_the_library()
    {
        var rows = TableRows().Matches(Readme());
        var listed = new List<string>();
        foreach (Match row in rows)
        {
            var names = Name().Matches(row.Groups["names"].Value).Select(match => match.Groups[1].Value).ToArray();
            listed.AddRange(names);
            foreach (var layout in names.Select(CellCatalog.Layout))
            {
                Assert.Equal(string.Join(' ', layout.Gates.Select(gate => gate.Letter)), row.Groups["gates"].Value);
                Assert.Equal(string.Join(", ", layout.States.Select(state => state.Letter)), row.Groups["states"].Value);
            }
        }

        Assert.Equal(CellCatalog.Names.Order(), listed.Order());
    }

    // Lines that are no programs of their own: every type and every member that they name exists.
    [Fact]
    public void Names_in_tables_and_sentences_exist()
    {
        Type[] ofEach = [typeof(Rnn.Kernels.Simd), typeof(KerasModel<>), typeof(MpiProcessGroup), typeof(Rnn.Onnx.OnnxValue<>)];
        var types = ofEach.SelectMany(type => type.Assembly.GetExportedTypes());
        var known = types.Concat([typeof(Span<>), typeof(double), typeof(Stream)])
            .SelectMany(type => type.GetMembers().Select(member => member.Name).Append(type.Name.Split('`')[0]))
            .ToHashSet();
        var text = Examples().Replace(Readme(), string.Empty);
        var sentences = text.Split('\n').Where(line => !line.StartsWith('|'));
        var translated = TranslatedCode().Matches(text).SelectMany(row => Name().Matches(row.Groups["here"].Value)).ToList();
        var called = sentences.SelectMany(line => Name().Matches(line)).Where(code => Call().IsMatch(code.Value)).ToList();
        Assert.True(translated.Count > 50 && called.Count > 5, $"{translated.Count} pieces of code were found in tables and {called.Count} in sentences.");
        var wrong = translated.Concat(called)
            .SelectMany(code => Identifier().Matches(code.Groups[1].Value))
            .Select(match => match.Value)
            .Where(name => !known.Contains(name))
            .ToList();
        Assert.Empty(wrong);
    }

    private static string Readme()
    {
        Assert.NotNull(SourceTree.Root);
        return File.ReadAllText(Path.Combine(SourceTree.Root, "README.md")).ReplaceLineEndings("\n");
    }

    private string Run(string name, string code)
    {
        var options = CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.CSharp14);
        var compilation = CSharpCompilation.Create(
            name,
            [CSharpSyntaxTree.ParseText(ImplicitUsings, options), CSharpSyntaxTree.ParseText(code, options)],
            ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path)),
            new CSharpCompilationOptions(OutputKind.ConsoleApplication, optimizationLevel: OptimizationLevel.Release, nullableContextOptions: NullableContextOptions.Enable));
        var program = Path.Combine(_folder, $"{name}.dll");
        var result = compilation.Emit(program);
        var complaints = result.Diagnostics.Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning).ToList();
        Assert.True(result.Success && complaints.Count == 0, $"{string.Join('\n', complaints)}\n{code}");
        File.WriteAllText(
            Path.ChangeExtension(program, ".runtimeconfig.json"),
            """{"runtimeOptions":{"framework":{"name":"Microsoft.NETCore.App","version":"VERSION"},"configProperties":{"System.Globalization.Invariant":true}}}"""
                .Replace("VERSION", Environment.Version.ToString(3), StringComparison.Ordinal));
        var start = new ProcessStartInfo("dotnet", [program])
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        using var process = Process.Start(start)!;
        var ended = SampleProcess.Finish(process);
        Assert.True(ended.ExitCode == 0, $"{ended.Error}\n{ended.Output}\n{code}");
        return ended.Output.ReplaceLineEndings("\n");
    }

    [GeneratedRegex("^```csharp\n(?<code>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Examples();

    [GeneratedRegex(@"^\| (?<names>`[^|]*) \| (?<gates>[^|]*) \| (?<states>[^|]*) \|", RegexOptions.Multiline)]
    private static partial Regex TableRows();

    [GeneratedRegex(@"^\| `(?<there>.*)` \| (?<here>[^|]*`[^|]*) \|$", RegexOptions.Multiline)]
    private static partial Regex TranslatedCode();

    [GeneratedRegex(@"\.[A-Z]\w*\(")]
    private static partial Regex Call();

    // A type or a member: what begins with a capital, as no local variable of the examples does.
    [GeneratedRegex(@"(?<!\w)[A-Z]\w+")]
    private static partial Regex Identifier();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Name();
}
