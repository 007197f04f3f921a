using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Tests.Autograd;
using Rnn.Training;

namespace Rnn.Tests.Tensors;

[Collection(nameof(CountsBuffers))]
public class TensorEditTests
{
    [Fact]
    public void An_edit_writes_elements_by_span_index_and_tensor_span()
    {
        var t = Tensor<float>.Zeros(2, 3);
        using (var edit = t.Edit())
        {
            edit.Span[0] = 1;
            edit[1, -1] += 6;
            edit.TensorSpan[0, 1] = 2;
        }

        Assert.Equal([1f, 2, 0, 0, 0, 6], t.ToArray());
        using (var edit = Tensor<float>.Scalar(3).Edit())
        {
            Assert.Equal(3, edit.TensorSpan[0]);
        }
    }

    [Fact]
    public void A_tensor_that_is_being_edited_cannot_be_read()
    {
        var x = Leaf(2, 3);
        var alias = x.Detach();
        var sum = x.Square().Sum();
        using (x.Edit())
        {
            Refuses(() => x.ToArray());
            Refuses(() => alias.Clone());
            Refuses(() => x[0, 0]);
            Refuses(() => x[0, 0] = 1);
            Refuses(() => Tensor<double>.Zeros(2, 3).CopyTo(x));
            Refuses(() => Touch(alias));
            Refuses(() => x + 1.0);
            Refuses(() => x.Reshape(3, 2).Tanh());
            Refuses(() => x.MatMul(Tensor<double>.Ones(3, 2)));
            Refuses(() => Loss.CrossEntropy(x, [0, 1]));
            Refuses(() => Loss.MeanSquaredError(Tensor<double>.Ones(2, 3), x));
            Refuses(() => sum.Backward());
        }

        Assert.Equal(6, x.ToArray().Length);
        Assert.Equal(6, alias.ToArray().Length);
    }

    [Fact]
    public void Layers_streams_optimisers_and_files_refuse_weights_that_are_being_edited()
    {
        var lent = CountsBuffers.Settled<double>();
        var linear = new Linear<double>(3, 2);
        var lstm = new Lstm<double>(3, 2);
        var optimizer = new Adam<double>();
        optimizer.Attach(linear);
        var x = Tensor<double>.Ones(2, 3);
        var sequence = Tensor<double>.Ones(2, 4, 3);
        linear.Forward(x).Sum().Backward();
        using (NoGradient.Enter())
        {
            lstm.Forward(sequence);
        }

        using (linear.Weight.Value.Edit())
        {
            Refuses(() => linear.Forward(x));
            Refuses(() => Loss.LinearCrossEntropy(x, linear, [0, 1]));
            Refuses(optimizer.Step);
            Refuses(() => linear.Save(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName())));
        }

        using (linear.Weight.Gradient!.Edit())
        {
            Refuses(optimizer.Step);
            Refuses(() => linear.Forward(x).Sum().Backward());
        }

        optimizer.Step();
        var stream = lstm.CreateStream();
        stream.Step(new double[3], new double[2]);
        foreach (var parameter in lstm.Parameters)
        {
            using (parameter.Value.Edit())
            {
                Refuses(() => lstm.Forward(sequence));
                Refuses(() => stream.Step(new double[3], new double[2]));
            }
        }

        Assert.Equal(lent, TensorPool<double>.Lent);
    }

    [Fact]
    public void An_edit_that_is_never_disposed_is_noticed_and_one_that_was_has_no_span()
    {
        var forgotten = Tensor<float>.Zeros(2);
        forgotten.Edit().Span[0] = 1;
        Refuses(() => forgotten.ToArray());

        var t = Tensor<float>.Zeros(2);
        TensorEdit<float> copy;
        using (var first = t.Edit())
        {
            copy = first;
        }

        Throws(copy);
        using (var second = t.Edit())
        {
            Throws(copy);
            using (copy)
            {
            }

            Refuses(() => t.ToArray());
            second.Span[1] = 5;
        }

        Throws(default);
        using (default(TensorEdit<float>))
        {
        }

        Assert.Equal([0f, 5], t.ToArray());

        static void Throws(TensorEdit<float> edit)
        {
            try
            {
                _ = edit.Span.Length;
            }
            catch (ObjectDisposedException)
            {
                return;
            }

            Assert.Fail("An edit that has ended gave a span.");
        }
    }

    [Fact]
    public void Every_edit_renews_packed_weights()
    {
        var linear = new Linear<float>(3, 2);
        var lstm = new Lstm<float>(3, 2);
        var x = Tensor<float>.Ones(1, 3);
        var sequence = Tensor<float>.Ones(1, 4, 3);
        using var inference = NoGradient.Enter();
        var stream = lstm.CreateStream();
        for (var round = 0; round < 3; round++)
        {
            var (before, output) = (linear.Forward(x).ToArray(), lstm.Forward(sequence).ToArray());
            foreach (var weight in new[] { linear.Weight.Value, lstm.Parameters.First().Value })
            {
                using var edit = weight.Edit();
                foreach (ref var value in edit.Span)
                {
                    value += 0.5f;
                }
            }

            Assert.Equal(before.Select(value => value + 1.5f), linear.Forward(x).ToArray(), (a, b) => Math.Abs(a - b) < 1e-5f);
            var changed = lstm.Forward(sequence).ToArray();
            Assert.NotEqual(output, changed);
            stream.Reset();
            var step = new float[2];
            stream.Step([1, 1, 1], step);
            Assert.Equal(changed[..2], step, (a, b) => Math.Abs(a - b) < 1e-5f);
        }
    }

    [Fact]
    public void Memory_of_a_scope_that_ends_during_an_edit_is_not_lent_again()
    {
        Tensor<double> t;
        using (TensorScope.Enter())
        {
            t = Tensor<double>.Zeros(3);
            t.Edit().Span[0] = 1;
        }

        Assert.Throws<ObjectDisposedException>(() => t.ToArray());
        Assert.Throws<ObjectDisposedException>(() => Touch(t));
    }

    private static Tensor<double> Leaf(params int[] shape)
    {
        var tensor = Tensor<double>.Ones(shape);
        tensor.RequiresGradient = true;
        return tensor;
    }

    private static void Touch(Tensor<double> tensor)
    {
        using (tensor.Edit())
        {
        }
    }

    private static void Refuses(Action use) =>
        Assert.Contains("dispose what Edit() returned", Assert.Throws<InvalidOperationException>(use).Message, StringComparison.Ordinal);

    private static void Refuses<TResult>(Func<TResult> use) => Refuses(() => { _ = use(); });
}
