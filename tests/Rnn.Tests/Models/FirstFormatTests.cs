using System.IO.Compression;
using Rnn.Layers;
using Rnn.Models;

namespace Rnn.Tests.Models;

/// <summary>Files that versions before <c>rnn.format</c> 2 wrote still open, with the scores they had then.</summary>
public sealed class FirstFormatTests
{
    // A GRU over characters, with dropout.
    private const string Gru =
        "G68GAIzUYk2Z7jSIZ4HO/bsDT1tyELrr1LP7JJInkTosv/93uHCxbIU/rjEG9bJszbsGjTEsDDww7Hkgnm3/wyiMBsVGPF+q5/m9LdNuYnA0dQGGqWGbNaoyhgFhXcBoNQAaa2v58z08L1kQuH8Bum"
        + "gQsZsJ6RMNwmQUDdgaLdtXbga8VF1Ls04nlEfCfPHkYnMFq2dyyTXRgEEFGjSyiYE4uzak0GcahNGgrLGFBhQN8rM71UkYTBpFW6liqWoXyEUr6pQijoS2AodFTbVfQTr5kv9rIvlWf3hBq6aZrdU0"
        + "szSw49a4Qrzp6eemCn2LQcFVH1NZD1MGxxwVDCVlFTJHZsgch4IA6XcSiGwAjzzHAap4Un9zwRylocTkERV2BWymOg2LL63RoANBs7cAEIF4wK6w5egxiXJkUHBRhoK4XMJoavUMu9p13D5UzSwNNL"
        + "DTnUFn0GvZFxUHOCoZLx8MJLFb39WtAIiTiEGgs1qBYhklUVGA6txIriZFpZCSC1Ucla+bX99hrQzYnXIxDhk1EAtSZ4h4ROIoBr8vZKqFrzUiubhEckIslloTJNmivNzkWHF0cAYp6TXYqG0VFiSw"
        + "hilZvl+O8xO+gGlER0SWR1Dfs23k2eAhqOxbBdlnfJxE+sVCIV9Afo0wIl/MMsh9l/P7DT1HI2vxIfxpNR8ZfPxe/uMuK3c888D/c4II2u6K/NwoFDC6F/I0P46PLtq6v/8FO9Jcfgkal6/DnxQhxM"
        + "CkGU8tV2D3LRNg36Zv+DZ/JK6870caI0Yp+M++QoPl75D3V01EinT4ceZGvGrICJiQNg3v1N6DaYoHcEdxOBm1Zr0iKvoc7Ajph1a9DkC1xw/iXovjCZT+hymRDfsOzYvHz/88h7O5QnK3BEFH9jG8"
        + "fS8ZhUzbA1/OjYQDba3IzNuz94nypsL08UnIWSlEAU/O4IH+g3DJHxskVjGkewa1rzYuCev3PcHb9Sw2eqVFupKJ8P7L6fDCuUv4yaQ9OC06Zv+XzlwUybOFzj5T4EVBPVkgtIO7lziT51hC9L5z8P"
        + "KUaPh+kIYcGKRDp937wh+qROI8TIgGFicrM/8ISH1KD/Iy98O+5J2zcZ5LDurm90fByiwEu2IRf7sxOlx4HSslu+H+7tHKPTcGwtXW1Wj02lzkcNufTO3cAQ8XCFDhvMu476p++OQ/MG+jmJhoBGTV"
        + "ah9SvPPE/lXZVgo=";

    // Two projected, normalised layers with peepholes, residual connection, learned initial states, zoneout and tied weights; in double, without a vocabulary.
    private const string Lstm =
        "G/cWERWzGMCPBRsX1AeM27N0amkJiw6/nTXEC3D3Z09kOeB/gGs+yMFXuy6Or7mmampCf3HxErckDKz2LuEvcXWOqxH+/x/qiSWWKI9tCVhE3n1/ZO62Njau9X/H2Da2la0AlgIXACqENSm3mK1bGi"
        + "0vOOl93m91vwLz5zT40CRmJApEpyPBPs/y/Jy4Sx8I668SqC84zjJL6e8Rd0D91ZRXcZVl5XWW66w6lvQrcx/KibOrShYlc0zC8oNf7JVYjrTq2IGwRfn88TgnsVbVGp85oU/9a5rSQVwnJNZsuFyp"
        + "XrGXyY9+PPJ/hdLmjW6ZL2jlnW6y2f2EQdEpRzT3mn9/ouDI/mUMUv+uACzBBdPZmclRPbqnjrFXuW+BjZ1jy+hTbOVYarCUaEjGvqQ1W7WdihWlDunzRSaJcN2vNcikRtRLM6YMhjPtPRYv6zZCkw"
        + "yJ5c+0UtzkDBYFNRk0ss52AU7rzJRyWDr0CjY0cZCXErA/ZssARd55BN5FIkgWIvkE5P4IXitjInMcWGKR7Xk/TXfMSrusl8waJUpKnthJiS+ne/KYDsRmL+0C6UGCDokIH7WjkIjAbQRdQ2hP2v8d"
        + "5vbQzZE9jqCnTaLoo7YXPYDgi97+rfnzooNEOJ+BfhY4baTbCPpE3bHPbmQ8i0So3PrEe+jr6xL0WdubXlJ9XYKB7uVaWztb2UAX8Q0NSJs7fdXQgETQJup0TpvNjYMKUaeLq61P3GQGmRql1QNLPi"
        + "02pr61HxqgiOkeBkRdshvic00wxccQSNqG2L8Lp3vq+B8T/ByBRDIkUvVZ24segxCDLvHQbbQJioQESAaGAbcBCAnokPT1e9Em65TJfp6go6NPpL3JmuVESTyuq34as//nRZ17HfaieQCs6nIbahyp"
        + "eFpyujPrxAr8XdrXo0WnoZr9kcpTY3SI2tWWGESn4oNeDdnqlyvIyLa1ynBthASWj+kf40l8nm57QnB8CA2KBV/X881i9snVWmTUoAfhz9pANwPucDZmZPL34c9gAue83iTsOphFrk39iDyCBVe2HG"
        + "RBrtkRl/xbw8DxOh+sdw8uBvjhsXGZu1Bnv/KQ/ZW/sd7yV7nXGGQ89kqT1e/FY8V6KisTi1BCn3Y4eW4BTSfkpVxd5iD799vUzbVTsFCgNKDqP4ebqYmVl52W8Mrm71LmVARR9ZLUHvs30BnYZLbR"
        + "uQMst94aPuo+CZKj7zp7+On4k6er5+nmJVinbcWbnVKLm19MeWyVbYf9MjG7W6WzUG84NtMc+vBRQ+jjUokCvP1BpIg+Xo//ljb7XVy3hsIeh63P0hfBlETvPHuKDh1hf/k3DhVicPDG+19Mu9BgfX"
        + "7Fs08UTNmZ5+7ox0SZ8hV/tSsrYMyUfXvi1Rh6WZ6XElZFOPxw94LS3SGwDHOkHbC+D5o60jmF+xZw+7ny5+Jjw6BPe6dqk/0OAlQ2hIVKFmHNpplaul4zqH8x7FlpnUGrKT3KK/IY+iafJ1ukjWA3"
        + "GHh9LqZjzeTTYPswGkaMf/zAeDEJNfmK3muCLORxtx94+pgBpj4/EoQUljGpbYwW+boNIw8VDky6zcAjYuyTiR0tkHlyQ+zyy1k41PIwy6riPtyd5qUSe0ewMGvG88r1bhiV6W5q7h2ElZsP5Lk+9S"
        + "D7h1q5nsQcdvuUGxKeLEB9fTi1yYIClM1qKVlkFjRam6k1ydPgX6JDt93bFajjCEpp0OpF//o47uvcPeD4Y2XbqbYxKLWs9N5EZ+GrpIPV8UJUsEmZZ36JLYOPFtvoxrPj8His5tyuLR14L+PDkumG"
        + "RXw8nRzR5zSFBbYmGgFNifh7dZUyNNYG6UUiwWUis+h8+qq58NoSqk3w8ydEzkJWZ1FeTHoZ2nxa5HmW9hKb1HoEzqnmwFae0QZ/0hhEuages7ufiVujJGqvWzDA3a7Fe9SyFbe3ld5biF2A6a+aP/"
        + "h9i6DAePXwNe9xVDW97Od7oAralPtO/VJYBKPi8ssRP5Lx5v2yZvEBBrpXrjWsjVIw/RhnfO7OZfwzfFr65nwrehRv/Of4tATU16q4/lr3ocOVSzuCPy3DorZH8/yRZ5BEThovKltF5Rtm3++kUjCH"
        + "LfyNb7ABx8XKxC6HFePPog6ewMQ2JAdkXBgxYeMVqqlsp1cZ5LF/1e9eHAWLmRG5Pz5sEPxTqMm10g4mJzOUyF2D4N6jKH9BcwE8lq9OinxiQuD5839t1dPB5/Dnwz8WXeCMV9K8tcoM+LtwjedJ0r"
        + "AxdMHGaJgNesbG3+6KvIaJD0qiD59Hw/7EdT4ta/H4yufhyCXLTjyu8dBQlrwGfx5rfb3KxYLVi+LvGq+O4rOdzn32Zl3oLcctTRKbBP3DYmSXRCreXi3aIejDAP//2JqmSf/jXEflEentj8FN+eNV"
        + "g41MtHr9WuvHsym4fNs+M1ulGz5+44Xh8AroPY5NT7yWgbxhYY7SOAX78nw8wkd7wa+UomVBpuOcjNjSjAcbF3S5fasPDeP7VKnCZJsuOO9UM6lKXMERY9vf8k4roLE79/qP9e1g8sZVHHcsItcbaY"
        + "tgCTYM8L2dd7SrgEQBC6nIfyzkf3+FKzaCiRRF981NQrn4TOqo5aL+MIZSsx5FBi9B34hMXP9/LGg0t6CVHlsCX3Pxdqu6BXhjnvaoxJ0KQ2ErNw2Xp5DcN1BqtXkcwpnPk9J2PoSbqxk68r/6QcK/"
        + "QsMt6B2wtec0nZ8uwULnfpHbvxhI8dpqfqZ/DNa7n7RUWGZBCzqrRblOIdHNfBPv+XY85kqWmLzBxPxTHXms82xM+mcdrrHCwrNkj++6KQxcuPf4xrLcS6S4Dwu7HQ8Co+aJ5tPLK3jR596t9LBx0B"
        + "k2ss26R0cFhZapsvK3oGDg5+51vRl5zmXv2UuYhGTu/sPbG2bhQvAre/U4Ft7cHWJiF5CL4bUphYmhYzBWfZtP6hIV6nclvN4mNQIvhGwCuYdfouSXFKrB9BIOWPSHBoaXgIStRkHLwT7wLFBWa6a0"
        + "w0CX4mfXB2+AUsc882kwCjROhL2SZA6Bxj/+fbktz3Gbc2J8pBYdBUoDnJxVFyHZKCr/XsP/eLiuL5QtPQ2XFcDpd/8IcuSFzhD3NcDAuhiu1W90IC55VV9JocKLK+ZT1iULKDH7maeo4BXGr9wUeN"
        + "jXB39zs9LuBC3jAwtNt+xzU5C5P38zdZaKwT7X3eIl50HuxdOSQPYicLzZs+ngvlsocyTJfMpyEes1Nu742TIOZtP+0a0Xx+CRMY/KlDIL2g1Gs+t7aShkaBOTacrG+BT5Ox3RDDhL2MVNe8hChVOZ"
        + "Tas5NFQ59q3H4+o4WP6rfBxp2ov5PjsNvOVaQN9OlN7AouOlE6f+/+/EJHq2/wnRKRgCjdZvN4N101CjIuE+qaAGmUVKZhtvTMK+I7eKbahM5Ejaa51O7MUzNHBsIM6ju/rel4NGbLj4MPd2sGsXnP"
        + "soNRQhyMCTjzI3LIQtYePifGCE6TjqHP5Rky44g0ORiVri0Qso49+jwRvchWYRD069kmvD4hix6kEXKiw8utv4Vn8AnDS552YpNLBueHdjm0kn8Ml8vpBgOQ1Ov022KCf2AIfAlo/2lDpU+HlOWJbS"
        + "hAPX8jxKNPOB/MEo+vPkBHpOSxk3C70AnoBeMbPBTqTGpB2TU87Gn+lKrPq+cTDrOXS0/+kIGn/bw/FpchxOeHGrZO0chtZrCuuMDvUi0dDilt9kAhi3u6v57n2Cp/7YrD+bM4l2+gc/xq2OnvNdYs"
        + "6vUa4n4rXIV97bDKYwWkbzerwlYpY28c+g6BDsP5WbZGA7gt95N1Jq97/Biww4bHu2GH6ebJ3Oez6EH8P2PWhq6wc=";

    // A plain network without biases over words.
    private const string Words =
        "G3MFAByFcWO9q49+uMQiJtBSHQY6hbbUTiHgzMmZT+lHXZuq/Gsgc8gY9b0HMrfqxdrKWNnUYbn7v1M1FzqsaIXzSkXJ3f+/Yw4rjjGowVprwY7lBeQCSNWVbIo7BiqT0Z65Nk3fmo3h4Tj66oGSC+"
        + "tLuZqIIK4H0HYAx7KI+V6+Sg6CaxP4IkTsoZC+IcT2DEJdqOu+8hB56fW+fMxsjqVx9XVFiSgnyaeOcNRZCXumHkE/FYQ4IRwXP/l0Z1kCZOhYllkgnWCVgOl4J3EQd4V+XaYzs6TumThU0+Iku2mr"
        + "ax5qa0yAv15gpa56URfg7FFxn599dSOSXP1UXC9VwjFnPh/OxGdZc6YmxeN0AC3zXkAlAsij2tgIrH5TLY41c1bnGCG2zJI/n3KUPPjox2ssCI8f5HYRgAXpAdeTrQdfA10CFslR7NDlUQQ1fyBVVF"
        + "FdVLmgU4ylKgj2FBS4hnB1tciW6roGBFk1skXXood6mj6N8DD5+gRfUuqeqvcHARSWNgT9NwjiI8ZOZKAhsN3cpyNlMsEeb2TY8AgNLIuyYOjjhFlm4X3VSDQc8aww29w/nRUjtAdS19FkYmo64q3f"
        + "7FvbNvVaNre2ua0fbtT4+J2qmb1ngzAdzQUvEYPb1fi2tY1k/3PxDPdVdFXzZM1MTPF3Fxd+5QvBZzJ3z3Iq9hJhiwv0804Tonqd41yszzgx8OYjHNvfjNY/7jyZx0PVykVxfYuT/OWXJcn2EuRzwh"
        + "76Z3j+rGTCD/rX9se+D5qkwkPq+DwsnK4ZatGfeucDRY/pY+28t35KEI/8z3e6vz5iefiPsjnH/Np66zqfVTd3jDqeUM1EBsX+1lPz17+cD3h6I7uhSqjXeadGSzXU4b74gbsJIzRfnn2zkusctt8E"
        + "R/dG4IvYY/SRTDb7NqcTD053EQ==";

    // Linear, normalisation, GRU: a module that could only be loaded.
    private const string Chain =
        "GxMDIDwU2Mb0yeovKEWx0H2YsiVDR0/t6MfiTztYGfQ/42whzVm/zfyDk09wohPgNLAfVNXvHTjkTvp5KoFp4kGtjrTxgBY60ETygLJHfb2Med6G0k1lCfqylG/3KcoPJRHKLUW29ppBCple/npaps"
        + "BL0dRNbXrAkXahr4Fjg3TRoj4cNCaNJZhyZPnuPk8x+0IEY8qf7gI1QgD6FRc3VnaUtrwVF4P22dbU9G8IcUD/B2KCtOKnS4gC4EMSSMtfa4IMo7b9LWc4217bUM6wHPHbH5XGqts6C2AwAyB+Wlva"
        + "Lk6r0H8R4JBpQgdZoDxpScKGi+1AwdIZLWy+Ki0gYuCT5p4l0qM01Y6mpMST1ThQ6cHiBjFTNOlgC5ceL66pmabRGoD2elVEWrUUyVodHcXzjiD9v/9gRe9x1NhNBw78ZsLFbv1uYwTjjCDXQe7/x6"
        + "XPc0YMGlaBe86G+IdgkY/AHo3EagXN+IyXQgvnwdhX7o++0quNr3mx67VRjOoy2tJk017cXm8xrO3YSpWFOmKE/nUfnf3rU/eUB5nJHswc1wo=";

    [Fact]
    public void A_model_of_characters_opens()
    {
        var model = LanguageModel<float>.Open(FileOf(Gru));
        Assert.Equal("abcde", model.Vocabulary!.Decode(model.Vocabulary.Encode("abcde")));
        Assert.Equal((0.25, false), (model.Options.Dropout, model.IsTraining));
        Assert.Equal(9.060087203979492, model.Score([0, 1, 2, 3, 4, 3, 2]).NegativeLogLikelihood, 1e-5);

        // Saved again it is of the present format.
        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        Assert.Equal(model.Score("abcde"), LanguageModel<float>.Open(stream).Score("abcde"));
    }

    [Fact]
    public void A_model_with_many_options_opens()
    {
        var model = LanguageModel<double>.Open(FileOf(Lstm));
        var layer = Assert.IsAssignableFrom<RecurrentLayer<double>>(model.SequenceLayer);
        Assert.Equal(("lstm-peephole-layernorm", 3, true, 0.125), (layer.Layout.Name, layer.ProjectionSize, layer.Options.LearnedInitialState, layer.Options.HiddenZoneout));
        Assert.Equal([4, 5], layer.HiddenSizes);
        Assert.Null(model.Vocabulary);
        Assert.Equal(12.930989947946308, model.Score([0, 5, 2, 3, 4, 3, 2]).NegativeLogLikelihood, 1e-12);
    }

    [Fact]
    public void A_model_of_words_opens_and_loads()
    {
        var model = LanguageModel<float>.Open(FileOf(Words));
        Assert.Equal(11.669100761413574, model.Score("the cat sat on the cat").NegativeLogLikelihood, 1e-5);
        var other = new LanguageModel<float>(model.Vocabulary!, new SimpleRnn<float>(2, 3, new() { Activation = Activation.Relu, Bias = false }));
        other.Load(FileOf(Words));
        Assert.Equal(model.Score("the cat sat"), other.Score("the cat sat"));
        Assert.Contains("another vocabulary", Assert.Throws<InvalidDataException>(() => other.Load(Changed(FileOf(Words), "\\\"mat\\\"", "\\\"hat\\\""))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"version\":\"1\"", "\"version\":\"7\"", "expected version 1 of the first format but the file has 7")]
    [InlineData("\\\"vocabulary_size\\\":5", "\\\"vocabulary_size\\\":9", "more weights than the file")]
    [InlineData("\\\"cell\\\":\\\"gru\\\"", "\\\"cell\\\":\\\"gro\\\"", "the cell 'gro' is none of the built-in ones")]
    public void Damage_is_found_as_before(string from, string to, string message) =>
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => LanguageModel<float>.Open(Changed(FileOf(Gru), from, to))).Message, StringComparison.Ordinal);

    [Fact]
    public void A_plain_module_loads_and_does_not_open()
    {
        var chain = new Sequential<float>(new Linear<float>(2, 3), new LayerNorm<float>(3), new Gru<float>(3, 2));
        chain.Load(FileOf(Chain));
        var same = new Sequential<float>(new Linear<float>(2, 3, new() { Seed = 1 }), new LayerNorm<float>(3), new Gru<float>(3, 2, new() { Seed = 1 }));
        Assert.Equal(Values(same), Values(chain));
        Assert.Contains("does not say how to make its module", Assert.Throws<InvalidDataException>(() => Module<float>.Open(FileOf(Chain))).Message, StringComparison.Ordinal);
        var other = new Sequential<float>(new Linear<float>(2, 3), new LayerNorm<float>(3), new Gru<float>(3, 2, new() { UpdateGateKeepsState = false }));
        Assert.Contains("is saved from 'gru'", Assert.Throws<InvalidDataException>(() => other.Load(FileOf(Chain))).Message, StringComparison.Ordinal);
    }

    private static float[] Values(Module<float> module) => [.. module.Parameters.SelectMany(parameter => parameter.Value.ToArray())];

    private static MemoryStream FileOf(string packed)
    {
        using var brotli = new BrotliStream(new MemoryStream(Convert.FromBase64String(packed)), CompressionMode.Decompress);
        var file = new MemoryStream();
        brotli.CopyTo(file);
        file.Position = 0;
        return file;
    }

    // Texts of one length, so that no offset moves.
    private static MemoryStream Changed(MemoryStream file, string from, string to)
    {
        var bytes = file.ToArray();
        var place = bytes.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(from));
        Assert.True(place >= 0);
        System.Text.Encoding.UTF8.GetBytes(to).CopyTo(bytes, place);
        return new(bytes);
    }
}
