using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using Rnn.Formats;
using Rnn.Kernels;

namespace Rnn.Layers;

/// <summary>Fills the parameters and buffers of a module from a state dict of PyTorch, all of them or none.</summary>
/// <param name="parts">The parameters and buffers with their places in the state dict.</param>
/// <param name="file">The file.</param>
/// <param name="type">The type of the module, for messages.</param>
internal sealed class PyTorchLoader<T>(List<PyTorchPart<T>> parts, WeightFile file, string type)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Fills them.</summary>
    /// <param name="strictPrefix">A prefix below which every tensor must belong to a part; null where others may stand beside.</param>
    /// <exception cref="InvalidDataException">Something does not fit; nothing has changed.</exception>
    internal void Load(string? strictPrefix)
    {
        // Tied weights have several names there, of which some writers leave only one.
        var present = parts.FindAll(part => Array.TrueForAll(part.Names, file.Contains));
        var targets = present.Select(part => (object)part.Target.Memory).ToHashSet(ReferenceEqualityComparer.Instance);
        var absent = parts.FindAll(part => !targets.Contains(part.Target.Memory));
        Check(present, absent, strictPrefix);

        // All is read before anything is written, since a file may turn out damaged.
        var values = present.ConvertAll(part =>
        {
            var ours = new T[part.Target.Length];
            part.FromPyTorch(Array.ConvertAll(part.Names, file.Get<T>), ours);
            return ours;
        });
        for (var i = 0; i < values.Count; i++)
        {
            var target = present[i].Target;
            values[i].CopyTo(target.AsSpan());
            if (typeof(T) == typeof(float) && target.Memory.Format != PackedFormat.Full)
            {
                WeightRounding.Round(MemoryMarshal.Cast<T, float>(target.AsSpan()), target.Shape[1], target.Memory.Format);
            }
        }
    }

    private void Check(List<PyTorchPart<T>> present, List<PyTorchPart<T>> absent, string? strictPrefix)
    {
        var message = new StringBuilder();
        ModuleFit.Append(message, "missing", absent.SelectMany(part => part.Names.Where(name => !file.Contains(name)).Select(name => $"{name} {part.Shape}")));
        if (strictPrefix is not null)
        {
            var known = parts.SelectMany(part => part.Names).ToHashSet(StringComparer.Ordinal);
            ModuleFit.Append(message, "unexpected", file.Entries.Where(entry => entry.Name.StartsWith(strictPrefix, StringComparison.Ordinal) && !known.Contains(entry.Name)).Select(entry => entry.ToString()));
        }

        var entries = present.SelectMany(part => part.Names.Select(name => (part.Shape, Entry: file[name]))).ToList();
        ModuleFit.Append(message, "of another shape", entries.Where(pair => pair.Entry.Shape != pair.Shape).Select(pair => $"{pair.Entry.Name} expected {pair.Shape} but is {pair.Entry.Shape}"));
        ModuleFit.Append(message, "of another type than F64, F32, F16 or BF16", entries.Where(pair => !pair.Entry.Type.IsFloatingPoint).Select(pair => $"{pair.Entry.Name} is {pair.Entry.Type}"));
        if (message.Length > 0)
        {
            var hint = absent.Count > 0 ? $" The file has {WeightFile.List(file.Entries.Select(entry => entry.Name), 12)}." : string.Empty;
            throw new InvalidDataException($"{file.Source} does not fit this {type}:{message}{hint}");
        }
    }
}
