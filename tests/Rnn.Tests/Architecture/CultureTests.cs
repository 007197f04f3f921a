using System.Globalization;
using Rnn.Formats;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Architecture;

/// <summary>
/// Files, descriptions and messages are the same in every culture. The test's own culture writes numbers as no other does; that a real one with
/// globalisation on changes nothing either is tested with the sample, as a program of its own.
/// </summary>
public sealed class CultureTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("rnn-culture-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Everything_reads_the_same()
    {
        var expected = Everything();
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        culture.NumberFormat.NumberDecimalSeparator = ",";
        culture.NumberFormat.NumberGroupSeparator = ".";
        culture.NumberFormat.PercentDecimalSeparator = ",";
        culture.NumberFormat.NegativeInfinitySymbol = "minus";
        culture.NumberFormat.PositiveInfinitySymbol = "plus";
        culture.NumberFormat.NaNSymbol = "none";
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = culture;
            Assert.Equal("1,5", $"{1.5}");
            Assert.Equal(expected, Everything());
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    private List<string> Everything()
    {
        var vocabulary = WordVocabulary.FromText("It IS ice, ISN'T it?", new() { Lowercase = true });
        var model = new LanguageModel<double>(
            vocabulary,
            new Lstm<double>(3, 4, new() { Layers = 2, Dropout = 0.25, HiddenZoneout = 0.125, Seed = 1 }),
            new() { Dropout = 0.5, EmbeddingDropout = 0.0625, Seed = 1 });
        var chain = new Sequential<float>(new Linear<float>(3, 1000, new() { Seed = 1 }), new Dropout<float>(0.5, 1), new LayerNorm<float>(1000, new() { Epsilon = 0.5 }));
        var path = Path.Combine(_folder, "model.safetensors");
        model.Save(path);
        var text = new List<string> { Convert.ToHexString(File.ReadAllBytes(path)), model.ToString(), chain.ToString(), vocabulary.ToMetadata() };
        var opened = LanguageModel<double>.Open(path);
        text.Add(opened.ToString());
        text.Add($"{opened.Score("IT is ICE")}");
        text.Add(string.Join(' ', opened.Generate([1], 20, new() { Seed = 3 })));
        text.Add(new RandomSource(5).GetState().ToString());
        text.Add(RandomState.Parse(new RandomSource(5).GetState().ToString()).ToString());
        text.Add(Tensor<double>.From([1.5, -2.25, double.NaN]).ToString());
        var linear = new Linear<double>(2, 2, new() { Seed = 1 });
        text.Add(GradientCheck.Run(linear, () => linear.Forward(Tensor<double>.Ones(1, 2))).ToString());
        chain.Save(path);
        text.Add(Error(() => new LayerNorm<float>(1000, new() { Epsilon = 0.25 }).Load(path)));
        text.Add(SafeTensors.Read(path).Metadata["rnn.arithmetic"]);
        text.Add(Error(() => new Gru<float>(2, 3, new() { HiddenZoneout = 1.5 })));
        text.Add(Error(() => new LanguageModelOptions { Dropout = 1.5 }));
        text.Add(Error(() => new SamplingOptions { Temperature = double.NegativeInfinity }));
        text.Add(Error(() => new SamplingOptions { TopP = 1.5 }));
        text.Add(Error(() => new Sampler().Sample<double>([double.NaN])));
        text.Add(Error(() => Initializer.Uniform(1.5, 0.5)));
        text.Add(Error(() => new Embedding<float>(3, 2).Forward(Tensor<float>.From([0.5f]))));
        return text;
    }

    // The first line: the second is the base library's and tells the value in the user's culture.
    private static string Error(Func<object> make) => Assert.ThrowsAny<Exception>(make).Message.Split('\n')[0];
}
