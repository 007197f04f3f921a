using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>Inference with weights of 16 or 8 bits in place of 32: streams and small batches, which are as fast as weights can be read, get faster, and files smaller.</summary>
public static class ModuleCompression
{
    /// <summary>
    /// Compresses the weights of a trained module for inference: the matrices of recurrent layers of every cell, scan layers, convolutions, <see cref="Linear{T}"/> and embeddings, also
    /// inside models. Biases, gains and weights for each unit stay as they are.
    /// </summary>
    /// <param name="module">The module. No other thread may use it meanwhile; streams that exist go on with the compressed weights.</param>
    /// <param name="format">The format. <see cref="WeightFormat.Single"/> brings weights that were compressed before back to single precision: with the rounded values, and frozen until <see cref="Parameter{T}.Frozen"/> is set.</param>
    /// <remarks>
    /// <para>Each weight is rounded to the nearest number that the format holds, and the parameter holds that number, so everything that reads parameters (export, printing, a backward
    /// pass to the inputs) sees what inference computes with. All parameters are frozen, and compressed ones cannot be trained any more: train first, then compress; keep a file of the
    /// uncompressed model to train on.</para>
    /// <para>A weight that is written to afterwards is rounded where it is multiplied and saved, not where it stands.</para>
    /// <para>Results have the same bits for every number of rows and threads and every processor with fused multiply-add. With <see cref="WeightFormat.BFloat16"/> they are exactly those of the
    /// rounded weights; with <see cref="WeightFormat.Int8"/> what the weights multiply is rounded too. <see cref="MeasureCompression(Module{float}, WeightFormat, Func{Tensor{float}})"/> says
    /// what that does to results on data of your own.</para>
    /// <para><c>Save</c> writes compressed weights compressed, and <c>Open</c> gives the compressed module again, with the same bits. There is no compression in double precision.</para>
    /// </remarks>
    /// <example>
    /// <code>
    /// model.Compress(WeightFormat.Int8);
    /// model.Save("model-int8.safetensors");
    /// </code>
    /// </example>
    /// <exception cref="ArgumentException">There is no such format, or the module has no weights that can be compressed.</exception>
    /// <exception cref="InvalidOperationException">A weight is NaN or infinite; nothing has changed.</exception>
    public static void Compress(this Module<float> module, WeightFormat format)
    {
        ArgumentNullException.ThrowIfNull(module);
        foreach (var parameter in Matrices(module, format))
        {
            CompressMatrix(parameter, (PackedFormat)format);
        }

        if (format != WeightFormat.Single)
        {
            Freeze(module);
        }
    }

    /// <summary>Compares what a module gives before and after compression, on data of your own, and leaves the module as it was.</summary>
    /// <param name="module">The module, not compressed. No other thread may use it meanwhile.</param>
    /// <param name="format">The format to try.</param>
    /// <param name="evaluate">
    /// Runs the module on data that are like those it will meet, and gives its outputs in any shape. It is called twice, with dropout off and without a graph, and must do the same each time.
    /// </param>
    /// <returns>The sizes and the errors.</returns>
    /// <example>
    /// <code>
    /// CompressionReport report = model.MeasureCompression(WeightFormat.Int8, () => model.Forward(validation));
    /// Console.WriteLine(report);
    /// </code>
    /// </example>
    /// <exception cref="ArgumentException">There is no such format, the module has no weights that can be compressed, or the two results have not the same shape.</exception>
    /// <exception cref="InvalidOperationException">The module is compressed already, or a weight is NaN or infinite.</exception>
    public static CompressionReport MeasureCompression(this Module<float> module, WeightFormat format, Func<Tensor<float>> evaluate)
    {
        ArgumentNullException.ThrowIfNull(evaluate);
        return Measure(module, format, () =>
        {
            var output = evaluate() ?? throw new ArgumentException("evaluate: the result is null.", nameof(evaluate));
            return Array.ConvertAll(output.ToArray(), value => (double)value);
        });
    }

    /// <summary>The same for a single number, such as a loss or an error rate on data of your own.</summary>
    /// <param name="module">The module, not compressed. No other thread may use it meanwhile.</param>
    /// <param name="format">The format to try.</param>
    /// <param name="evaluate">Scores the module; called twice, with dropout off and without a graph.</param>
    /// <returns>The sizes and the errors.</returns>
    /// <exception cref="ArgumentException">There is no such format, or the module has no weights that can be compressed.</exception>
    /// <exception cref="InvalidOperationException">The module is compressed already, or a weight is NaN or infinite.</exception>
    public static CompressionReport MeasureCompression(this Module<float> module, WeightFormat format, Func<double> evaluate)
    {
        ArgumentNullException.ThrowIfNull(evaluate);
        return Measure(module, format, () => [evaluate()]);
    }

    /// <summary>Rounds one matrix of weights and has products read it compressed.</summary>
    internal static void CompressMatrix(Parameter<float> parameter, PackedFormat format)
    {
        var value = parameter.Value;
        WeightRounding.Round(value.AsSpan(), value.Shape[1], format);
        value.Memory.Format = format;
    }

    /// <summary>Freezes all parameters.</summary>
    internal static void Freeze(Module<float> module)
    {
        foreach (var parameter in module.Parameters)
        {
            parameter.Frozen = true;
        }
    }

    private static CompressionReport Measure(Module<float> module, WeightFormat format, Func<double[]> evaluate)
    {
        ArgumentNullException.ThrowIfNull(module);
        var matrices = Matrices(module, format);
        if (module.Parameters.FirstOrDefault(parameter => parameter.Format != WeightFormat.Single) is { } compressed)
        {
            throw new InvalidOperationException($"'{compressed.Name}' is compressed to {compressed.Format} already; measure before Compress.");
        }

        using var evaluation = Evaluation.Enter();
        using var noGradient = NoGradient.Enter();
        var full = evaluate();
        var saved = matrices.ConvertAll(parameter => parameter.Value.ToArray());
        try
        {
            matrices.ForEach(parameter => CompressMatrix(parameter, (PackedFormat)format));
            return CompressionReport.Compare(format, Bytes(module, WeightFormat.Single), Bytes(module, format), full, evaluate());
        }
        finally
        {
            for (var i = 0; i < saved.Count; i++)
            {
                saved[i].CopyTo(matrices[i].Value.AsSpan());
                matrices[i].Value.Memory.Format = PackedFormat.Full;
            }
        }
    }

    private static List<Parameter<float>> Matrices(Module<float> module, WeightFormat format)
    {
        if (!Enum.IsDefined(format))
        {
            throw new ArgumentOutOfRangeException(nameof(format), format, "format: expected Single, BFloat16 or Int8.");
        }

        var matrices = module.NamedParameters.Where(pair => pair.Value.IsWeightMatrix).ToList();
        if (matrices.Count == 0)
        {
            throw new ArgumentException($"module: this {module.TypeName} has no weights that can be compressed: no recurrent layer, Linear, convolution or embedding.", nameof(module));
        }

        foreach (var (path, parameter) in matrices)
        {
            if (parameter.Value.AsReadOnlySpan().ContainsAnyExceptFinite())
            {
                throw new InvalidOperationException($"'{path}' has a weight that is NaN or infinite; the training has failed, and compression would hide it.");
            }
        }

        return matrices.ConvertAll(pair => pair.Value);
    }

    private static bool ContainsAnyExceptFinite(this ReadOnlySpan<float> values)
    {
        foreach (var value in values)
        {
            if (!float.IsFinite(value))
            {
                return true;
            }
        }

        return false;
    }

    // Of all parameters and buffers, as a file holds them.
    private static long Bytes(Module<float> module, WeightFormat format) =>
        module.Parameters.Sum(parameter => parameter.IsWeightMatrix ? MatrixBytes(parameter, format) : sizeof(float) * (long)parameter.Length)
        + module.NamedBuffers.Sum(buffer => sizeof(float) * (long)buffer.Value.Length);

    private static long MatrixBytes(Parameter<float> matrix, WeightFormat format) => format switch
    {
        WeightFormat.BFloat16 => 2L * matrix.Length,
        WeightFormat.Int8 => matrix.Length + (sizeof(float) * (long)matrix.Shape[0]),
        _ => sizeof(float) * (long)matrix.Length,
    };
}
