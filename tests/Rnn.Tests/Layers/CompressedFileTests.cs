using Rnn.Formats;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Tensors;

namespace Rnn.Tests.Layers;

/// <summary>Compressed modules in files: they come back compressed, with the same bits.</summary>
public sealed class CompressedFileTests
{
    [Theory]
    [InlineData(WeightFormat.BFloat16, false)]
    [InlineData(WeightFormat.BFloat16, true)]
    [InlineData(WeightFormat.Int8, false)]
    [InlineData(WeightFormat.Int8, true)]
    public void A_saved_model_opens_compressed_with_the_same_bits(WeightFormat format, bool tied)
    {
        var model = Model(tied);
        var full = Saved(model).Length;
        model.Compress(format);
        var bytes = Saved(model);
        Assert.InRange(bytes.Length, full * (format == WeightFormat.Int8 ? 0.25 : 0.5), full * (format == WeightFormat.Int8 ? 0.36 : 0.58));

        var opened = LanguageModel<float>.Open(new MemoryStream(bytes));
        Assert.Contains($"parameters, {format}", opened.ToString(), StringComparison.Ordinal);
        foreach (var ((name, parameter), (otherName, other)) in model.NamedParameters.Zip(opened.NamedParameters))
        {
            Assert.Equal((name, parameter.Format, parameter.Frozen), (otherName, other.Format, other.Frozen));
            Assert.Equal(parameter.Value.ToArray(), other.Value.ToArray());
        }

        int[] tokens = [1, 5, 2, 39, 0, 7, 7, 3];
        Assert.Equal(model.Score(tokens), opened.Score(tokens));
        Assert.Equal(bytes, Saved(opened));

        // In double precision the same numbers, not compressed.
        var wide = LanguageModel<double>.Open(new MemoryStream(bytes));
        foreach (var (parameter, other) in model.Parameters.Zip(wide.Parameters))
        {
            Assert.Equal(parameter.Value.ToArray().Select(value => (double)value), other.Value.ToArray());
            Assert.Equal(WeightFormat.Single, other.Format);
            Assert.False(other.Frozen);
        }
    }

    [Theory]
    [InlineData(WeightFormat.BFloat16)]
    [InlineData(WeightFormat.Int8)]
    public void A_file_loads_into_a_module_of_the_other_kind(WeightFormat format)
    {
        var compressed = Model(false);
        compressed.Compress(format);
        var plain = new LanguageModel<float>(40, new Lstm<float>(24, 32, new() { Seed = 8 }), new() { Seed = 9 });
        plain.Load(new MemoryStream(Saved(compressed)));
        Assert.All(plain.Parameters, parameter => Assert.Equal(WeightFormat.Single, parameter.Format));
        Assert.Equal(compressed.Parameters.SelectMany(p => p.Value.ToArray()), plain.Parameters.SelectMany(p => p.Value.ToArray()));

        // Into compressed weights what is read is rounded.
        var target = new LanguageModel<float>(40, new Lstm<float>(24, 32, new() { Seed = 8 }), new() { Seed = 9 });
        target.Compress(format);
        target.Load(new MemoryStream(Saved(Model(false))));
        Assert.Equal(compressed.Parameters.SelectMany(p => p.Value.ToArray()), target.Parameters.SelectMany(p => p.Value.ToArray()));
        Assert.Equal(compressed.Score([1, 2, 3, 4]), target.Score([1, 2, 3, 4]));
    }

    [Fact]
    public void The_file_has_the_types_of_the_format()
    {
        var layer = new Linear<float>(3, 2, new() { Seed = 1 });
        new float[] { 127, -63.5f, 1, 0.5f, 0, -0.25f }.CopyTo(layer.Weight.Value.AsSpan());
        layer.Compress(WeightFormat.Int8);
        var bytes = Saved(layer);
        var file = SafeTensors.Read(bytes);
        Assert.Equal(["bias F32 [2]", "weight I8 [2, 3]", "weight.scale F32 [2]"], file.Entries.Select(entry => entry.ToString()).Order(StringComparer.Ordinal));
        Assert.Equal(1, file.Get<float>("weight.scale")[0]);
        Assert.Equal([127, unchecked((byte)-64), 1, 127, 0, unchecked((byte)-63)], bytes[^14..^8]);
    }

    [Fact]
    public void A_file_without_its_scales_is_refused()
    {
        var layer = new Linear<float>(3, 2, new() { Seed = 1 });
        layer.Compress(WeightFormat.Int8);
        var text = System.Text.Encoding.Latin1.GetString(Saved(layer)).Replace("weight.scale", "weight.scala", StringComparison.Ordinal);
        var message = Assert.Throws<InvalidDataException>(() => Module<float>.Open(new MemoryStream(System.Text.Encoding.Latin1.GetBytes(text)))).Message;
        Assert.Contains("unexpected: weight.scala [2]. of another type than F64, F32, F16 or BF16: weight is I8.", message, StringComparison.Ordinal);
    }

    private static LanguageModel<float> Model(bool tied) =>
        new(40, new Lstm<float>(24, tied ? 24 : 32, new() { Seed = 1 }), new() { TieWeights = tied, Seed = 2 });

    private static byte[] Saved(Module<float> module)
    {
        using var stream = new MemoryStream();
        module.Save(stream);
        return stream.ToArray();
    }
}
