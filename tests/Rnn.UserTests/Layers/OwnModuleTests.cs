using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.UserTests.Layers;

/// <summary>A module of a user's own opens from its file like those of the library.</summary>
public sealed class OwnModuleTests
{
    [Fact]
    public void A_type_of_ones_own_opens_when_it_is_registered()
    {
        var chain = new Sequential<double>(new Unknown(), new Linear<double>(4, 2));
        using var saved = new MemoryStream();
        chain.Save(saved);
        var bytes = saved.ToArray();
        var error = Assert.Throws<InvalidDataException>(() => Module<double>.Open(new MemoryStream(bytes)));
        Assert.Contains("the type 'a-type-of-this-test' is unknown", error.Message, StringComparison.Ordinal);
        Assert.Contains("ModuleCatalog.Register", error.Message, StringComparison.Ordinal);
        ModuleCatalog.Register<double>("a-type-of-this-test", _ => new Unknown());
        var opened = (Sequential<double>)Module<double>.Open(new MemoryStream(bytes));
        Assert.IsType<Unknown>(opened[0]);
        new Sequential<double>(new Unknown(), new Linear<double>(4, 2)).Load(new MemoryStream(bytes));
    }

    private sealed class Unknown : Layer<double>
    {
        protected override string? FileType => "a-type-of-this-test";

        public override Tensor<double> Forward(Tensor<double> input) => input;
    }
}
