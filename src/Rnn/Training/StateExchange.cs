using System.Numerics;
using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>Sends state trees between the processes of a group.</summary>
internal static class StateExchange
{
    /// <summary>Gives the tree of one process to all.</summary>
    /// <param name="group">The group.</param>
    /// <param name="state">On the root the tree; not looked at elsewhere.</param>
    /// <param name="root">The rank that has it.</param>
    /// <returns>On the root the same, elsewhere a copy.</returns>
    internal static StateTree<T> Broadcast<T>(ProcessGroup group, StateTree<T>? state, int root)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var header = group.Rank == root ? Header(state!) : [];
        var length = header.Length;
        group.Broadcast(new Span<int>(ref length), root);
        if (group.Rank != root)
        {
            header = new byte[length];
        }

        group.Broadcast(header.AsSpan(), root);
        var tree = group.Rank == root ? state! : Parse<T>(header);
        foreach (var (_, tensor) in tree.Tensors)
        {
            group.Broadcast(group.Rank == root ? Copied(tensor) : tensor.AsSpan(), root);
        }

        return tree;

        // What is sent need not lie in one piece, and is not marked as written to.
        static Span<T> Copied(Tensor<T> tensor) => tensor.ToArray();
    }

    private static byte[] Header<T>(StateTree<T> state)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(state.Values.Count);
        foreach (var (name, text) in state.Values)
        {
            writer.Write(name);
            writer.Write(text);
        }

        writer.Write(state.Tensors.Count);
        foreach (var (name, tensor) in state.Tensors)
        {
            writer.Write(name);
            writer.Write(tensor.Rank);
            foreach (var dimension in tensor.Shape.Dimensions)
            {
                writer.Write(dimension);
            }
        }

        writer.Flush();
        return stream.ToArray();
    }

    private static StateTree<T> Parse<T>(byte[] header)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var reader = new BinaryReader(new MemoryStream(header));
        var state = new StateTree<T>();
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            state.Set(reader.ReadString(), reader.ReadString());
        }

        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            var name = reader.ReadString();
            var dimensions = new int[reader.ReadInt32()];
            foreach (ref var dimension in dimensions.AsSpan())
            {
                dimension = reader.ReadInt32();
            }

            var shape = new Shape(dimensions);
            state.Add(name, new(new Storage<T>(new T[shape.ElementCount]), shape));
        }

        return state;
    }
}
