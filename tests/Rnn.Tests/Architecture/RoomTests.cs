using System.Reflection;
using System.Text.RegularExpressions;

namespace Rnn.Tests.Architecture;

/// <summary>The rooms of the library and the arrows between them.</summary>
public partial class RoomTests
{
    // What the files of a room may use. Arrows point down only.
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["Kernels"] = [],
        ["Cells"] = ["Kernels"],
        ["Tensors"] = ["Kernels"],
        ["Autograd"] = ["Tensors", "Kernels"],
        ["Formats"] = ["Tensors"],
        ["Layers"] = ["Autograd", "Tensors", "Cells", "Kernels", "Formats"],
        ["Sequences"] = ["Layers", "Autograd", "Tensors", "Cells", "Kernels", "Formats"],
        ["Training"] = ["Sequences", "Layers", "Autograd", "Tensors", "Cells", "Kernels", "Formats"],
        ["Models"] = ["Sequences", "Training", "Layers", "Autograd", "Tensors", "Cells", "Kernels", "Formats"],
    };

    [Fact]
    public void What_is_compiled_at_full_speed_at_once_is_not_inlined_either()
    {
        var wrong = SourceTree.Library
            .SelectMany(file => file.Lines.Where(line => line.Contains("MethodImplOptions.AggressiveOptimization)", StringComparison.Ordinal)).Select(line => $"{file.Path}: {line.Trim()}"))
            .ToList();
        Assert.True(wrong.Count == 0, $"AggressiveOptimization without NoInlining (src/Rnn/README.md, What the JIT taught us): {string.Join("; ", wrong)}");
    }

    [Fact]
    public void Arrows_point_down()
    {
        var wrong = SourceTree.Library
            .SelectMany(file => file.References.Where(room => room != file.Room && !Arrows[file.Room].Contains(room)).Select(room => $"{file.Path} uses Rnn.{room}"))
            .ToList();
        Assert.True(wrong.Count == 0, $"Arrows that point up (src/Rnn/README.md, rooms): {string.Join("; ", wrong)}");
    }

    [Fact]
    public void Rooms_below_the_operations_record_nothing()
    {
        // The operations stand in the namespace of tensors, so that no using line tells who calls them; looks for the commonest.
        var wrong = SourceTree.Library
            .Where(file => file.Room is "Tensors" or "Formats")
            .SelectMany(file => file.Lines.Where(line => UpwardUse().IsMatch(line)).Select(line => $"{file.Path}: {line.Trim()}"))
            .ToList();
        Assert.True(wrong.Count == 0, $"Operations of Autograd in rooms below it: {string.Join("; ", wrong)}");
    }

    [Fact]
    public void Arrows_have_no_circle()
    {
        foreach (var room in Arrows.Keys)
        {
            HashSet<string> below = [];
            var next = new Stack<string>(Arrows[room]);
            while (next.TryPop(out var used))
            {
                if (below.Add(used))
                {
                    Array.ForEach(Arrows[used], next.Push);
                }
            }

            Assert.DoesNotContain(room, below);
        }
    }

    [Fact]
    public void Namespaces_are_folders()
    {
        // Operations and Backward come with the tensors that they work on: one using line for everyday code.
        static bool Extends(SourceFile file) =>
            file.Room == "Autograd" && file.Namespace == "Rnn.Tensors" && file.Lines.Any(line => line is "public static partial class TensorOperations" or "public static class BackwardExtensions");

        var wrong = SourceTree.Library
            .Where(file => file.Namespace != $"Rnn.{Path.GetDirectoryName(file.Path)!.Replace(Path.DirectorySeparatorChar, '.')}" || !Arrows.ContainsKey(file.Room))
            .Where(file => !Extends(file))
            .Select(file => $"{file.Path} declares {file.Namespace}")
            .ToList();
        Assert.True(wrong.Count == 0, $"Namespaces that are not their folders, or rooms without arrows: {string.Join("; ", wrong)}");
    }

    [Fact]
    public void Public_types_sit_at_the_top_of_their_room()
    {
        var wrong = typeof(Rnn.Kernels.Simd).Assembly.GetExportedTypes().Where(type => type.Namespace!.Split('.').Length != 2).Select(type => type.FullName).ToList();
        Assert.True(wrong.Count == 0, $"Public types below a room's top: {string.Join("; ", wrong)}");
    }

    [Fact]
    public void Files_are_short()
    {
        var files = SourceTree.Library;
        var tooLong = files.Where(file => file.Lines.Length > 400).Select(file => $"{file.Path} has {file.Lines.Length} lines").ToList();
        Assert.True(tooLong.Count == 0, $"Files of more than 400 lines: {string.Join("; ", tooLong)}");
        var median = files.Select(file => file.Lines.Length).Order().ElementAt(files.Count / 2);
        Assert.True(median < 150, $"The median file has {median} lines; the limit is 150.");
    }

    [Fact]
    public void Types_are_small_over_all_their_parts()
    {
        var lines = new Dictionary<string, int>();
        foreach (var file in SourceTree.Library)
        {
            string? type = null;
            foreach (var line in file.Lines)
            {
                if (type is null && TypeBegin().Match(line) is { Success: true } begin && !line.EndsWith(';'))
                {
                    type = $"{file.Namespace}.{begin.Groups["name"].Value}`{begin.Groups["parameters"].Value.Count(letter => letter == ',')}";
                }

                if (type is not null)
                {
                    lines[type] = lines.GetValueOrDefault(type) + 1;
                    type = line.StartsWith('}') ? null : type;
                }
            }
        }

        // TensorOperations only carries the extension methods, one operation a file.
        var tooLong = lines.Where(pair => pair.Value > 600 && pair.Key != "Rnn.Tensors.TensorOperations`0").Select(pair => $"{pair.Key} has {pair.Value} lines").ToList();
        Assert.True(tooLong.Count == 0, $"Types of more than 600 lines: {string.Join("; ", tooLong)}");
        Assert.True(lines.Count > 300, "The types were not found.");
        var wide = typeof(Rnn.Kernels.Simd).Assembly.GetTypes()
            .Select(type => (type, Count: type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly).Length))
            .Where(pair => pair.Count > 25).Select(pair => $"{pair.type} has {pair.Count}").ToList();
        Assert.True(wide.Count == 0, $"Types of more than 25 instance fields: {string.Join("; ", wide)}");
    }

    [Fact]
    public void No_type_is_called_like_the_namespace() =>
        Assert.DoesNotContain(typeof(Rnn.Kernels.Simd).Assembly.GetTypes(), type => type.Name.Split('`')[0] == "Rnn");

    // A collection expression for an IReadOnlyList or an IEnumerable makes the compiler add list types of its own, four kilobytes each: use arrays.
    [Fact]
    public void The_compiler_adds_no_list_types() =>
        Assert.DoesNotContain(typeof(Rnn.Kernels.Simd).Assembly.GetTypes(), type => type.Name.StartsWith("<>z__", StringComparison.Ordinal));

    [Fact]
    public void Library_reflects_on_nothing()
    {
        var wrong = SourceTree.Library
            .SelectMany(file => file.Lines.Where(line => ReflectionUse().IsMatch(line)).Select(line => $"{file.Path}: {line.Trim()}"))
            .ToList();
        Assert.True(wrong.Count == 0, $"Reflection breaks trimmed and ahead-of-time compiled programs: {string.Join("; ", wrong)}");
    }

    [Fact]
    public void Core_depends_on_two_packages()
    {
        var names = typeof(Rnn.Kernels.Simd).Assembly.GetReferencedAssemblies().Select(name => name.Name!)
            .Where(name => name is "MathNet.Numerics" or "System.Numerics.Tensors" || !name.StartsWith("System.", StringComparison.Ordinal)).Order().ToList();
        Assert.Equal(["MathNet.Numerics", "System.Numerics.Tensors"], names);
    }

    [GeneratedRegex(@"^(?!\s*//).*(\bTensorOperations\b|\.(Square|Reshape|MatMul|Mean|Tanh|Softmax|Permute|Transpose|BroadcastTo|Backward)\()")]
    private static partial Regex UpwardUse();

    [GeneratedRegex(@"^(public|internal)\b.*\b(class|struct|interface|record|enum)\s+(?<name>\w+)(?<parameters><[^>]*>)?")]
    private static partial Regex TypeBegin();

    [GeneratedRegex(@"^using System\.Reflection|System\.Reflection\.|Activator\.CreateInstance|\.MakeGeneric|\.GetMethods?\(|\.GetFields?\(|\.GetProperties\(")]
    private static partial Regex ReflectionUse();
}
