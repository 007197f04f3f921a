using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Rnn.Cells;
using Rnn.Kernels;

namespace Rnn.Layers.Engine;

/// <summary>
/// One step of a stepper of few rows with everything looked up that is the same at every step: products as lists of calls of the micro-kernel, and of a single row where the cell's values lie.
/// A step of a small layer takes a tenth of a microsecond, most of which would else be spent on finding what to do.
/// </summary>
/// <remarks>Good as long as weights, rows and memory stay; <see cref="LayerStepper{T}"/> makes another one where they do not.</remarks>
internal sealed unsafe class PreparedStep<T>(StepForward<T> step, CellKernels<T> cell, MatrixKernels<T> kernels, int rows, bool descending)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly List<RowProduct<T>> _products = [];
    private readonly List<Part> _added = [];
    private Part[] _parts = [];

    /// <summary>Adds a product to those that run next.</summary>
    internal void Add(in RowProduct<T> product)
    {
        if (product.Packed.Format == PackedFormat.Full)
        {
            _products.Add(product);
            return;
        }

        AddProducts();
        _added.Add(new() { Compressed = product });
    }

    /// <summary>Adds another instruction.</summary>
    internal void Add(in StepInstruction instruction, in CellBlock<T> block)
    {
        AddProducts();
        var part = new Part { Instruction = instruction };
        if (instruction.Operation == StepOperation.Cell && rows == 1)
        {
            part.Row = GC.AllocateArray<PreparedRow<T>>(1, pinned: true);
            part.Row[0] = new(block, cell.VectorLength);
        }

        _added.Add(part);
    }

    /// <summary>Ends the list.</summary>
    internal void Complete()
    {
        AddProducts();
        _parts = [.. _added];
    }

    /// <summary>Runs the step.</summary>
    internal void Run(ref StepFrame<T> frame)
    {
        var parts = _parts;
        for (var i = 0; i < parts.Length; i++)
        {
            ref readonly var part = ref parts[i];
            if (part.Products is not null)
            {
                part.Products.Run();
            }
            else if (part.Compressed is { } product)
            {
                step.Multiply(product, frame);
            }
            else if (part.Row is not null)
            {
                cell.ForwardRow(part.Instruction.Index, frame.Cell, (PreparedRow<T>*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(part.Row)));
            }
            else
            {
                step.Execute(part.Instruction, ref frame);
            }
        }
    }

    private void AddProducts()
    {
        if (_products.Count > 0)
        {
            _added.Add(new() { Products = kernels.Prepare(CollectionsMarshal.AsSpan(_products), rows, descending) });
            _products.Clear();
        }
    }

    // Some products, or one with compressed weights, or the cell's phase for a single row, or any other instruction.
    private struct Part
    {
        internal PreparedProducts<T>? Products;
        internal RowProduct<T>? Compressed;
        internal PreparedRow<T>[]? Row;
        internal StepInstruction Instruction;
    }
}
