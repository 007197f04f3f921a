using System.Numerics;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>
/// A causal convolution over a batch, forward or backward, its steps shared among the threads. A few steps at a time their patches are gathered, which stay in a near cache, and multiplied; so every
/// output is one chain of multiply-adds from the bias over the oldest tap to the newest, whatever chunk, thread or stepper computes it.
/// </summary>
internal sealed unsafe class ConvolutionRun<T>(ConvolutionShape shape) : WorkItem
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Steps gathered at a time: a multiple of the highest tile.
    private const int Chunk = 96;

    // Less work than this is done sooner by one thread than another wakes up.
    private const double OperationsPerPart = 2e6;

    private readonly MatrixKernels<T> _kernels = MatrixKernels<T>.Current;
    private Kind _kind;
    private int _parts;
    private int _firstStep;
    private int _endStep;
    private ConvolutionData<T> _data;

    private enum Kind
    {
        Forward,
        Gates,
        Inputs,
        Weights,
    }

    /// <summary>The output at every step, of input, state, condition, packed weights and bias: the product, or tanh of its first half times σ of its second.</summary>
    internal void Forward(ConvolutionData<T> data)
    {
        _data = data;
        Run(Kind.Forward, 0, shape.Steps, (double)shape.PatchSize * shape.Outputs);
    }

    /// <summary>The gradients of the product from the gates and the gradients of the gated output and of what the residual product makes of it.</summary>
    internal void GateGradients(ConvolutionData<T> data)
    {
        _data = data;
        Run(Kind.Gates, 0, shape.Steps, (20.0 + shape.Inputs) * shape.Outputs);
    }

    /// <summary>The gradient of the inputs of some steps; those before step 0 are the state's.</summary>
    /// <param name="gradients">The gradients of the product [N, T, O].</param>
    /// <param name="weights">The weights [O, K·I + C].</param>
    /// <param name="firstStep">The first step.</param>
    /// <param name="endStep">One past the last step.</param>
    /// <param name="next">The gradient that the inputs have already from the residual sum [N, steps, I], or null.</param>
    /// <param name="target">[N, steps, I].</param>
    /// <param name="accumulates">Whether to add.</param>
    internal void InputGradients(T* gradients, T* weights, int firstStep, int endStep, T* next, T* target, bool accumulates)
    {
        var (inputs, outputs, kernel) = (shape.Inputs, shape.Outputs, shape.Kernel);
        var inner = checked(kernel * outputs);
        var turned = TensorPool<T>.Rent(checked(inner * inputs));
        var packed = TensorPool<T>.Rent(checked((int)_kernels.PackedLength(inner, inputs)));
        try
        {
            fixed (T* w = turned, p = packed)
            {
                // [(taps, the newest first; outputs), inputs], as the gradients of later steps are gathered.
                for (var tap = 0; tap < kernel; tap++)
                {
                    for (var j = 0; j < outputs; j++)
                    {
                        Copy(weights + ((nint)j * shape.PatchSize) + ((nint)(kernel - 1 - tap) * inputs), w + ((((nint)tap * outputs) + j) * inputs), inputs);
                    }
                }

                _kernels.Pack(w, inputs, transposed: true, inner, inputs, p, 0, _kernels.PanelCount(inputs));
                _data = new() { Gradients = gradients, Packed = p, Next = next, Target = target, Accumulates = accumulates };
                Run(Kind.Inputs, firstStep, endStep, (double)inner * inputs);
            }
        }
        finally
        {
            TensorPool<T>.Return(turned);
            TensorPool<T>.Return(packed);
        }
    }

    /// <summary>Adds to the gradient of the weights [O, K·I + C], of input, state, condition and the gradients of the product. Shared by their rows, never along the sum.</summary>
    internal void AddWeightGradients(ConvolutionData<T> data)
    {
        _data = data;
        (_kind, _firstStep, _endStep) = (Kind.Weights, 0, shape.Steps);
        var work = 2.0 * shape.Rows * shape.Steps * shape.PatchSize * shape.Outputs;
        _parts = (int)Math.Clamp(work / OperationsPerPart, 1, Math.Min(Workers.MaxThreads, shape.Outputs));
        Workers.Run(this, _parts);
    }

    internal override void Execute(int part)
    {
        var length = _kind switch
        {
            Kind.Forward => ((nint)Chunk * (shape.PatchSize + shape.Outputs)) + _kernels.MultiplyScratch(Chunk, Math.Max(shape.PatchSize, shape.Outputs)),
            Kind.Gates => ((nint)Chunk * shape.Outputs) + _kernels.MultiplyScratch(Chunk, shape.Inputs),
            Kind.Inputs => ((nint)Chunk * shape.Kernel * shape.Outputs) + _kernels.MultiplyScratch(Chunk, shape.Kernel * shape.Outputs),
            _ => ((nint)Chunk * shape.PatchSize) + _kernels.TransposedScratch(Chunk, shape.Outputs, shape.PatchSize),
        };
        var memory = TensorPool<T>.Rent(checked((int)length));
        try
        {
            fixed (T* scratch = memory)
            {
                Execute(part, scratch);
            }
        }
        finally
        {
            TensorPool<T>.Return(memory);
        }
    }

    private void Run(Kind kind, int firstStep, int endStep, double operations)
    {
        (_kind, _firstStep, _endStep) = (kind, firstStep, endStep);
        var steps = (double)shape.Rows * (endStep - firstStep);

        // More parts than threads, so that who comes late takes fewer.
        var most = Workers.MaxThreads == 1 ? 1 : 4.0 * Workers.MaxThreads;
        _parts = (int)Math.Clamp(2 * steps * operations / OperationsPerPart, 1, Math.Min(most, Math.Max(1, steps / Chunk)));
        Workers.Run(this, _parts);
    }

    private void Execute(int part, T* scratch)
    {
        // Of weights each part takes some rows and all steps, else some steps.
        var chunks = (_endStep - _firstStep + Chunk - 1) / Chunk;
        var all = (long)chunks * shape.Rows;
        var (first, end) = _kind == Kind.Weights ? (0, all) : (all * part / _parts, all * (part + 1) / _parts);
        for (var chunk = first; chunk < end; chunk++)
        {
            var row = (int)(chunk / chunks);
            var start = _firstStep + ((int)(chunk % chunks) * Chunk);
            var count = Math.Min(Chunk, Math.Min(_endStep, shape.Lengths[row]) - start);
            if (_kind == Kind.Inputs)
            {
                InputGradients(row, start, Math.Max(0, count), Math.Min(Chunk, _endStep - start), scratch);
            }
            else if (count > 0)
            {
                Execute(part, row, start, count, scratch);
            }
        }
    }

    private void Execute(int part, int row, int start, int count, T* scratch)
    {
        var at = ((nint)row * shape.Steps) + start;
        switch (_kind)
        {
            case Kind.Forward:
                Forward(row, start, count, scratch);
                break;
            case Kind.Gates:
                GateGradients(at, count, scratch);
                break;
            default:
                Gather(row, start, count, scratch);
                var (first, end) = ((int)((long)shape.Outputs * part / _parts), (int)((long)shape.Outputs * (part + 1) / _parts));
                _kernels.MultiplyTransposedA(
                    new(_data.Gradients + (at * shape.Outputs), shape.Outputs), new(scratch, shape.PatchSize), count, shape.Outputs, shape.PatchSize, _data.Target, shape.PatchSize, first, end,
                    scratch + ((nint)Chunk * shape.PatchSize));
                break;
        }
    }

    private void Forward(int row, int start, int count, T* scratch)
    {
        var at = ((nint)row * shape.Steps) + start;
        Gather(row, start, count, scratch);
        var product = scratch + ((nint)Chunk * shape.PatchSize);
        var rest = product + ((nint)Chunk * shape.Outputs);
        if (!_data.IsGated)
        {
            product = _data.Output + (at * shape.Outputs);
        }
        else if (_data.Gates != null)
        {
            product = _data.Gates + (at * shape.Outputs);
        }

        _kernels.Multiply(
            new(scratch, shape.PatchSize), count, _data.Packed, shape.PatchSize, shape.Outputs, new(product, shape.Outputs), accumulate: false, _data.Bias, 0, _kernels.PanelCount(shape.Outputs), rest);
        if (_data.IsGated)
        {
            var half = shape.Outputs / 2;
            for (var step = 0; step < count; step++)
            {
                GatedUnit<T>.Apply(product + ((nint)step * shape.Outputs), _data.Output + ((at + step) * half), half);
            }
        }

        if (_data.Next != null)
        {
            var (inputs, half, next) = (shape.Inputs, shape.Outputs / 2, new Rows<T>(_data.Next + (at * shape.Inputs), shape.Inputs));
            _kernels.Multiply(
                new(_data.Output + (at * half), half), count, _data.ResidualPacked, half, inputs, next, accumulate: false, _data.ResidualBias, 0, _kernels.PanelCount(inputs), rest);
            SpanKernels<T>.Add(new ReadOnlySpan<T>(_data.Input + (at * inputs), count * inputs), new(next.Start, count * inputs));
        }
    }

    // Of some steps, while the gradients of their gated outputs are near.
    private void GateGradients(nint at, int count, T* scratch)
    {
        var half = shape.Outputs / 2;
        var outputs = _data.Output == null ? null : _data.Output + (at * half);
        if (_data.Next != null)
        {
            if (outputs == null)
            {
                new Span<T>(scratch, count * half).Clear();
            }
            else
            {
                Copy(outputs, scratch, count * half);
            }

            outputs = scratch;
            _kernels.Multiply(
                new(_data.Next + (at * shape.Inputs), shape.Inputs), count, _data.ResidualPacked, shape.Inputs, half, new(outputs, half), accumulate: true, null, 0, _kernels.PanelCount(half),
                scratch + ((nint)Chunk * shape.Outputs));
        }

        for (var step = 0; step < count; step++, at++, outputs += half)
        {
            GatedUnit<T>.Gradients(_data.Gates + (at * shape.Outputs), outputs, _data.Gradients + (at * shape.Outputs), half);
        }
    }

    // The inputs of the taps of some steps, and the conditions.
    private void Gather(int row, int start, int count, T* patch)
    {
        var (inputs, conditionSize) = (shape.Inputs, shape.ConditionSize);
        var input = _data.Input + ((nint)row * shape.Steps * inputs);
        var state = _data.State + (((nint)row * shape.Reach) + shape.Reach) * inputs;
        var condition = _data.Condition + ((((nint)row * shape.Steps) + start) * conditionSize);
        for (var step = start; step < start + count; step++)
        {
            for (var tap = 0; tap < shape.Kernel; tap++, patch += inputs)
            {
                var from = step - shape.Reach + (tap * shape.Dilation);
                Copy((from < 0 ? state : input) + ((nint)from * inputs), patch, inputs);
            }

            Copy(condition, patch, conditionSize);
            condition += conditionSize;
            patch += conditionSize;
        }
    }

    // Of inputs that stand before their row's end: the gradients of all outputs that read them, times the weights.
    private void InputGradients(int row, int start, int count, int steps, T* scratch)
    {
        var (inputs, outputs, length) = (shape.Inputs, shape.Outputs, shape.Lengths[row]);
        var inner = shape.Kernel * outputs;
        var gradients = _data.Gradients + ((nint)row * shape.Steps * outputs);
        var patch = scratch;
        for (var step = start; step < start + count; step++)
        {
            for (var tap = 0; tap < shape.Kernel; tap++, patch += outputs)
            {
                var reader = step + (tap * shape.Dilation);
                if (reader >= 0 && reader < length)
                {
                    Copy(gradients + ((nint)reader * outputs), patch, outputs);
                }
                else
                {
                    new Span<T>(patch, outputs).Clear();
                }
            }
        }

        var target = _data.Target + ((((nint)row * (_endStep - _firstStep)) + start - _firstStep) * inputs);
        if (count > 0)
        {
            if (_data.Next != null)
            {
                // Only of steps from 0 on, where target and next have the same places.
                var next = new ReadOnlySpan<T>(_data.Next + (target - _data.Target), count * inputs);
                SpanKernels<T>.AddOrCopy(next, new(target, count * inputs), overwrite: !_data.Accumulates);
            }

            _kernels.Multiply(
                new(scratch, inner), count, _data.Packed, inner, inputs, new(target, inputs), _data.Accumulates || _data.Next != null, null, 0, _kernels.PanelCount(inputs), scratch + ((nint)Chunk * inner));
        }

        if (!_data.Accumulates)
        {
            new Span<T>(target + ((nint)count * inputs), (steps - count) * inputs).Clear();
        }
    }

    private static void Copy(T* source, T* target, int count) => new ReadOnlySpan<T>(source, count).CopyTo(new(target, count));
}
