using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;
using Rnn.Onnx.Tests.Support;
using Rnn.Tensors;
using Xunit.Abstractions;

namespace Rnn.Onnx.Tests.Import;

/// <summary>A published model that removes noise from speech, frame by frame: two LSTM nodes whose states go in and out.</summary>
public class DtlnTests(ITestOutputHelper log)
{
    private const int Size = 257;
    private const int StateSize = 2 * 128 * 2;

    private static string ModelPath => Path.Combine(SharedDataFactAttribute.PathOf("pretrained/dtln"), "model_1.onnx");

    [SharedDataFact("pretrained/dtln")]
    public void Two_hundred_chained_frames_agree_with_another_runtime()
    {
        var model = OnnxModel.Load<float>(ModelPath);
        var session = model.CreateSession();
        Assert.True(session.IsAllocationFree);
        Assert.Equal([(model.Inputs[1].Name, model.Outputs[1].Name)], session.CarryStates());
        using var other = new Other();
        OnnxValue<float> state = Tensor<float>.Zeros(1, 2, 128, 2);
        var random = new Random(1);
        var mask = new float[Size];
        for (var frame = 0; frame < 200; frame++)
        {
            var input = Frame(random);
            var expected = other.Step(input);
            session.Step(input, mask);
            var outputs = model.Run((model.Inputs[0].Name, Tensor<float>.From(input, 1, 1, Size)), (model.Inputs[1].Name, state));
            state = outputs[model.Outputs[1].Name];
            for (var i = 0; i < Size; i++)
            {
                Assert.True(Math.Abs(expected[i] - mask[i]) <= 1e-5, $"frame {frame}, {i}: {mask[i]}; expected {expected[i]}");
                Assert.True(Math.Abs(expected[i] - outputs[model.Outputs[0].Name].Tensor[0, 0, i]) <= 1e-5, $"frame {frame}, {i}, without a session");
            }
        }
    }

    [SharedDataFact("pretrained/dtln")]
    public void A_frame_allocates_nothing_and_states_are_saved_and_restored()
    {
        var model = OnnxModel.Load<float>(ModelPath);
        var session = model.CreateSession();
        _ = session.CarryStates();
        var (random, mask, again) = (new Random(2), new float[Size], new float[Size]);
        var frames = Enumerable.Range(0, 40).Select(_ => Frame(random)).ToArray();
        Array.ForEach(frames[..20], frame => session.Step(frame, mask));
        var state = session.GetState();
        var path = Path.GetTempFileName();
        session.SaveState(path);

        // Scratch memory far larger than what a step needs is let go after collections, which the tests beside this one cause: one pass of several must be free of them.
        var least = long.MaxValue;
        for (var pass = 0; pass < 5 && least > 0; pass++)
        {
            session.SetState(state);
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 20; i < frames.Length; i++)
            {
                session.Step(frames[i], mask);
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
        var second = model.CreateSession();
        _ = second.CarryStates();
        second.SetState(state);
        Array.ForEach(frames[20..], frame => second.Step(frame, again));
        Assert.Equal(mask, again);
        second.LoadState(path);
        Array.ForEach(frames[20..], frame => second.Step(frame, again));
        Assert.Equal(mask, again);
        File.Delete(path);
        second.Reset();
        session.Reset();
        session.Step(frames[0], mask);
        second.Step(frames[0], again);
        Assert.Equal(mask, again);
    }

    [SharedDataFact("pretrained/dtln")]
    public void Sessions_of_one_model_run_side_by_side()
    {
        var model = OnnxModel.Load<float>(ModelPath);
        var frames = Enumerable.Range(0, 50).Select(i => Frame(new Random(i))).ToArray();
        var results = new float[4][];
        Parallel.For(0, results.Length, thread =>
        {
            var session = model.CreateSession();
            _ = session.CarryStates();
            results[thread] = new float[Size];
            Array.ForEach(frames, frame => session.Step(frame, results[thread]));
        });
        Assert.All(results, result => Assert.Equal(results[0], result));
    }

    /// <summary>Prints how long a frame takes here and there, in rounds one after the other; on when <c>RNN_LONG_TESTS=1</c>.</summary>
    [SharedDataFact("pretrained/dtln")]
    public void Time_of_a_frame_beside_another_runtime()
    {
        if (Environment.GetEnvironmentVariable("RNN_LONG_TESTS") != "1")
        {
            return;
        }

        var model = OnnxModel.Load<float>(ModelPath);
        var session = model.CreateSession();
        _ = session.CarryStates();
        using var other = new Other();
        var (frame, mask) = (Frame(new Random(3)), new float[Size]);
        List<double> here = [], there = [], ratios = [];

        // The runtime optimises in the background, of a process on one core after a second or two.
        for (var warm = Stopwatch.StartNew(); warm.Elapsed < TimeSpan.FromSeconds(3);)
        {
            Time(() => session.Step(frame, mask));
        }

        for (var round = 0; round < 50; round++)
        {
            var own = Time(() => session.Step(frame, mask));
            var theirs = Time(() => other.Step(frame));
            here.Add(own);
            there.Add(theirs);
            ratios.Add(own / theirs);
        }

        log.WriteLine($"here {Median(here):0.0} µs, ONNX Runtime {Median(there):0.0} µs, ratio {Median(ratios):0.00}");

        static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
    }

    private static double Time(Action step)
    {
        const int Count = 200;
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < Count; i++)
        {
            step();
        }

        return Stopwatch.GetElapsedTime(start).TotalMicroseconds / Count;
    }

    private static float[] Frame(Random random) => [.. Enumerable.Range(0, Size).Select(_ => random.NextSingle() * 3)];

    /// <summary>ONNX Runtime with memory bound beforehand, one thread, the state carried by swapping its two tensors.</summary>
    private sealed class Other : IDisposable
    {
        private readonly InferenceSession _session;
        private readonly OrtIoBinding[] _bindings = new OrtIoBinding[2];
        private readonly RunOptions _run = new();
        private readonly float[] _input = new float[Size];
        private readonly float[] _mask = new float[Size];
        private int _step;

        internal Other()
        {
            using var options = OtherRuntime.Options();
            _session = new(ModelPath, options);
            var states = new[] { new float[StateSize], new float[StateSize] };
            var input = OrtValue.CreateTensorValueFromMemory(_input, [1, 1, Size]);
            var mask = OrtValue.CreateTensorValueFromMemory(_mask, [1, 1, Size]);
            var values = Array.ConvertAll(states, state => OrtValue.CreateTensorValueFromMemory(state, [1, 2, 128, 2]));
            for (var i = 0; i < 2; i++)
            {
                _bindings[i] = _session.CreateIoBinding();
                _bindings[i].BindInput(_session.InputNames[0], input);
                _bindings[i].BindInput(_session.InputNames[1], values[i]);
                _bindings[i].BindOutput(_session.OutputNames[0], mask);
                _bindings[i].BindOutput(_session.OutputNames[1], values[1 - i]);
            }
        }

        public void Dispose()
        {
            Array.ForEach(_bindings, binding => binding.Dispose());
            _run.Dispose();
            _session.Dispose();
        }

        internal float[] Step(float[] input)
        {
            input.CopyTo(_input, 0);
            _session.RunWithBinding(_run, _bindings[_step++ & 1]);
            return _mask;
        }
    }
}
