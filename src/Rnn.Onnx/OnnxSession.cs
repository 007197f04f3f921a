using System.Numerics;
using Rnn.Formats;
using Rnn.Onnx.Sessions;
using Rnn.Tensors;

namespace Rnn.Onnx;

/// <summary>
/// A model prepared for inputs of fixed shapes: everything that follows from shapes and constants is computed once, all memory is allocated once, and recurrent nodes of a few steps run as streams do.
/// Outputs can be carried over to inputs, so that a model that is given one frame at a time goes on where it was.
/// </summary>
/// <remarks>
/// From the second run on nothing is allocated where <see cref="IsAllocationFree"/>. A session is for one thread at a time; any number of sessions share one model. Made by
/// <c>CreateSession</c> of <see cref="OnnxModel{T}"/>. Weights that training changes are seen by the next run.
/// </remarks>
/// <example>
/// <code>
/// var session = model.CreateSession();
/// session.CarryState("state_in", "state_out");
/// session.Step(frame, mask);      // ReadOnlySpan in, Span out
/// </code>
/// </example>
/// <typeparam name="T">The floating-point type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class OnnxSession<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly OnnxModel<T> _model;
    private readonly SessionValue<T>[] _inputs;
    private readonly SessionValue<T>[] _outputs;
    private readonly SessionStep<T>[] _steps;
    private readonly List<(int Input, int Output)> _carried = [];
    private (int Input, int Output)? _main;

    internal OnnxSession(OnnxModel<T> model, IReadOnlyList<(string Name, OnnxValue<T> Value)> constants, ReadOnlySpan<(string Name, Shape Shape)> shapes)
    {
        _model = model;
        var given = new Shape?[model.Inputs.Count];
        foreach (var (name, shape) in shapes)
        {
            given[model.IndexOf(name)] = shape;
        }

        var values = new OnnxValue<T>?[model.Inputs.Count];
        foreach (var (name, value) in constants)
        {
            var i = model.IndexOf(name);
            values[i] = OnnxModel<T>.Checked(model.Inputs[i], value ?? throw new ArgumentException($"constants: the value of '{name}' is null.", nameof(constants)));
        }

        _inputs = [.. model.Inputs.Select((input, i) => values[i] is { } value ? SessionValue<T>.Constant(value) : SessionValue<T>.Allocate(Zeros(input, given[i])))];
        var planner = new SessionPlanner<T>(model.Options, _inputs.Sum(input => (long)input.Length));
        var outputs = planner.Plan(model.Program, _inputs, []);

        // What shares an input's memory would change with it when a state is carried over.
        _outputs = Array.ConvertAll(outputs, output => Array.Exists(_inputs, input => input.Owner == output.Owner) ? Copied(output, planner.Steps) : output);
        _steps = [.. planner.Steps];
        IsAllocationFree = Array.TrueForAll(_steps, step => step.IsAllocationFree);
    }

    /// <summary>Whether runs allocate nothing: every node has a way of its own to run in a session. Others, such as loops, run as in <see cref="OnnxModel{T}.Run"/>.</summary>
    public bool IsAllocationFree { get; }

    /// <summary>The shape of an input.</summary>
    /// <param name="name">The input.</param>
    /// <exception cref="ArgumentException">There is no such input.</exception>
    public Shape InputShape(string name) => _inputs[_model.IndexOf(name)].Shape;

    /// <summary>The shape of an output.</summary>
    /// <param name="name">The output.</param>
    /// <exception cref="ArgumentException">There is no such output.</exception>
    public Shape OutputShape(string name) => _outputs[OutputIndex(name)].Shape;

    /// <summary>Lets every run end with copying an output to an input, so that the next run goes on from there.</summary>
    /// <param name="input">The state that goes in; zeros at first.</param>
    /// <param name="output">The state that comes out.</param>
    /// <exception cref="ArgumentException">There is no such input or output, their shapes differ, or one is carried already.</exception>
    public void CarryState(string input, string output)
    {
        var (from, to) = (OutputIndex(output), _model.IndexOf(input));
        if (_inputs[to].Shape != _outputs[from].Shape || _inputs[to].IsFloatingPoint != _outputs[from].IsFloatingPoint)
        {
            throw new ArgumentException($"output: '{output}' {_outputs[from].Live} cannot be carried to '{input}' {_inputs[to].Live}.", nameof(output));
        }

        RequireVariable(_inputs[to], input);
        if (_carried.Exists(pair => pair.Input == to || pair.Output == from))
        {
            throw new ArgumentException($"input: '{input}' or '{output}' is carried already.", nameof(input));
        }

        _carried.Add((to, from));
        _main = null;
    }

    /// <summary>
    /// Carries every state that can be told: outputs are paired with inputs of the same type and shape in their order, where the first input and the first output are what the
    /// model is for.
    /// </summary>
    /// <returns>The pairs.</returns>
    public IReadOnlyList<(string Input, string Output)> CarryStates()
    {
        var pairs = new List<(string, string)>();
        for (var output = 1; output < _outputs.Length; output++)
        {
            for (var input = 1; input < _inputs.Length; input++)
            {
                if (!_carried.Exists(pair => pair.Input == input || pair.Output == output) && _inputs[input] is { IsFloatingPoint: true, IsConstant: false } && _outputs[output].IsFloatingPoint
                    && _inputs[input].Shape == _outputs[output].Shape)
                {
                    CarryState(_model.Inputs[input].Name, _model.Outputs[output].Name);
                    pairs.Add((_model.Inputs[input].Name, _model.Outputs[output].Name));
                    break;
                }
            }
        }

        return pairs;
    }

    /// <summary>Sets an input for this run and those after it.</summary>
    /// <param name="name">The input.</param>
    /// <param name="values">All its numbers, row-major.</param>
    /// <exception cref="ArgumentException">There is no such input, or it has another number of elements or type.</exception>
    public void SetInput(string name, ReadOnlySpan<T> values)
    {
        var input = _inputs[_model.IndexOf(name)];
        RequireVariable(input, name);
        if (!input.IsFloatingPoint || values.Length != input.Length)
        {
            throw new ArgumentException($"values: '{name}' takes {input.Live} but got {values.Length} floating-point numbers.", nameof(values));
        }

        values.CopyTo(input.Write);
    }

    /// <summary>Sets an input of whole numbers for this run and those after it.</summary>
    /// <param name="name">The input.</param>
    /// <param name="values">All its numbers, row-major.</param>
    /// <exception cref="ArgumentException">There is no such input, or it has another number of elements or type.</exception>
    public void SetIntegers(string name, ReadOnlySpan<long> values)
    {
        var input = _inputs[_model.IndexOf(name)];
        RequireVariable(input, name);
        if (input.IsFloatingPoint || values.Length != input.Length)
        {
            throw new ArgumentException($"values: '{name}' takes {input.Live} but got {values.Length} whole numbers.", nameof(values));
        }

        values.CopyTo(input.Integers);
    }

    /// <summary>Computes the outputs from the inputs as they are set, then carries states over.</summary>
    /// <exception cref="InvalidDataException">A node cannot compute what the inputs hold, such as an index out of range.</exception>
    public void Run()
    {
        foreach (var step in _steps)
        {
            step.Run();
        }

        foreach (var (input, output) in _carried)
        {
            if (_inputs[input].IsFloatingPoint)
            {
                _outputs[output].Read.CopyTo(_inputs[input].Write);
            }
            else
            {
                _outputs[output].Integers.CopyTo(_inputs[input].Integers.AsSpan());
            }
        }
    }

    /// <summary>One run of a model that has one input and one output beside carried states.</summary>
    /// <param name="input">All numbers of the input, row-major.</param>
    /// <param name="output">Receives all numbers of the output, row-major.</param>
    /// <exception cref="InvalidOperationException">More than one input or output is not carried.</exception>
    /// <exception cref="ArgumentException">A length is another.</exception>
    public void Step(ReadOnlySpan<T> input, Span<T> output)
    {
        var (from, to) = _main ??= FindMain();
        if (input.Length != _inputs[from].Length || output.Length != _outputs[to].Length)
        {
            throw new ArgumentException($"input: expected {_inputs[from].Length} numbers in and {_outputs[to].Length} out but got {input.Length} and {output.Length}.", nameof(input));
        }

        input.CopyTo(_inputs[from].Write);
        Run();
        _outputs[to].Read.CopyTo(output);
    }

    /// <summary>An output of the last run; good until the next.</summary>
    /// <param name="name">The output.</param>
    /// <exception cref="ArgumentException">There is no such output.</exception>
    /// <exception cref="InvalidOperationException">The output is of whole numbers.</exception>
    public ReadOnlySpan<T> GetOutput(string name) => _outputs[OutputIndex(name)].Read;

    /// <summary>An output of whole numbers of the last run; good until the next.</summary>
    /// <param name="name">The output.</param>
    /// <exception cref="ArgumentException">There is no such output.</exception>
    /// <exception cref="InvalidOperationException">The output is of floating-point numbers.</exception>
    public ReadOnlySpan<long> GetIntegers(string name) => _outputs[OutputIndex(name)].Live.Integers;

    /// <summary>Puts carried states back to zeros.</summary>
    public void Reset()
    {
        foreach (var (input, _) in _carried)
        {
            if (_inputs[input].IsFloatingPoint)
            {
                _inputs[input].Write.Clear();
            }
            else
            {
                Array.Clear(_inputs[input].Integers);
            }
        }
    }

    /// <summary>A copy of the carried floating-point states, by the names of their inputs.</summary>
    public IReadOnlyDictionary<string, Tensor<T>> GetState() => _carried.Where(pair => _inputs[pair.Input].IsFloatingPoint)
        .ToDictionary(pair => _model.Inputs[pair.Input].Name, pair => Tensor<T>.From(_inputs[pair.Input].Read, _inputs[pair.Input].Shape));

    /// <summary>Goes on from states that <see cref="GetState"/> gave, here or in another session of the model.</summary>
    /// <param name="state">A tensor for each carried state.</param>
    /// <exception cref="ArgumentException">A state is missing or of another shape; nothing is changed.</exception>
    public void SetState(IReadOnlyDictionary<string, Tensor<T>> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var floating = _carried.Where(pair => _inputs[pair.Input].IsFloatingPoint).Select(pair => (_model.Inputs[pair.Input].Name, Value: _inputs[pair.Input])).ToArray();
        foreach (var (name, value) in floating)
        {
            if (!state.TryGetValue(name, out var tensor) || tensor.Shape != value.Shape)
            {
                throw new ArgumentException($"state: expected a tensor {value.Shape} for '{name}' but got {(tensor is null ? "none" : tensor.Shape.ToString())}.", nameof(state));
            }
        }

        Array.ForEach(floating, pair => state[pair.Name].AsReadOnlySpan().CopyTo(pair.Value.Write));
    }

    /// <summary>Writes the carried states to a safetensors file.</summary>
    /// <param name="path">The file to make or replace.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void SaveState(string path) => SafeTensors.Write(path, GetState());

    /// <summary>Goes on from states that <see cref="SaveState"/> wrote.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="ArgumentException">A state is missing or of another shape; nothing is changed.</exception>
    public void LoadState(string path)
    {
        var file = SafeTensors.Read(path);
        SetState(GetState().Keys.Where(file.Contains).ToDictionary(name => name, file.Get<T>));
    }

    private static void RequireVariable(SessionValue<T> input, string name)
    {
        if (input.IsConstant)
        {
            throw new ArgumentException($"name: '{name}' is a constant of this session.", nameof(name));
        }
    }

    private static OnnxValue<T> Zeros(OnnxValueInfo info, Shape? given)
    {
        var shape = given ?? (info.IsFixed ? new Shape([.. info.Dimensions!.Select(dimension => dimension!.Value)])
            : throw new ArgumentException($"shapes: the shape of {info} is not fixed; give one.", nameof(info)));
        var zeros = Schema.IntegerTypes.IsInteger(info.ElementType) ? new OnnxValue<T>(new long[shape.ElementCount], shape, info.ElementType) : Tensor<T>.Zeros(shape);
        return OnnxModel<T>.Checked(info, zeros);
    }

    private static SessionValue<T> Copied(SessionValue<T> value, List<SessionStep<T>> steps)
    {
        if (!value.IsFloatingPoint)
        {
            return value;
        }

        var copy = SessionValue<T>.Allocate(value.Live);
        steps.Add(new MoveStep<T>([value], copy, [(0, 0, 0, value.Length)]));
        return copy;
    }

    private int OutputIndex(string name)
    {
        for (var i = 0; i < _model.Outputs.Count; i++)
        {
            if (_model.Outputs[i].Name == name)
            {
                return i;
            }
        }

        throw new ArgumentException($"name: the model has no output '{name}'; it gives {string.Join(", ", _model.Outputs)}.", nameof(name));
    }

    private (int Input, int Output) FindMain()
    {
        var inputs = Enumerable.Range(0, _inputs.Length).Where(i => !_inputs[i].IsConstant && !_carried.Exists(pair => pair.Input == i)).ToArray();
        var outputs = Enumerable.Range(0, _outputs.Length).Where(i => !_carried.Exists(pair => pair.Output == i)).ToArray();
        return inputs is [var input] && outputs is [var output]
            ? (input, output)
            : throw new InvalidOperationException($"Step is for one input and one output; {inputs.Length} inputs and {outputs.Length} outputs are not carried. Use CarryState, or SetInput, Run and GetOutput.");
    }
}
