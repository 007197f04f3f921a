using System.Globalization;
using System.Text.Json;
using Rnn.Layers;

namespace Rnn.Keras;

/// <summary>What a file says of one layer: its class and options. Options of Keras 1 are known by their old names too.</summary>
internal sealed class KerasConfig
{
    private readonly JsonElement _options;
    private readonly string _source;

    /// <summary>Takes a layer's description apart.</summary>
    /// <param name="element">The object with <c>class_name</c> and <c>config</c>.</param>
    /// <param name="version">The version of Keras that has written the file, such as <c>3.5.0</c>; null where the file does not say.</param>
    /// <param name="source">The file, for messages.</param>
    internal KerasConfig(JsonElement element, string? version, string source)
    {
        (_source, Version) = (source, version);
        ClassName = element.GetProperty("class_name").GetString() ?? throw new JsonException("a layer has no class_name");
        _options = element.GetProperty("config");
        Name = _options.TryGetProperty("name", out var name) ? name.GetString() ?? ClassName : element.TryGetProperty("name", out name) ? name.GetString() ?? ClassName : ClassName;
    }

    /// <summary>The class, such as <c>LSTM</c>.</summary>
    internal string ClassName { get; }

    /// <summary>The name of the layer in its model.</summary>
    internal string Name { get; }

    /// <summary>The version of Keras that has written the file, null where the file does not say.</summary>
    internal string? Version { get; }

    /// <summary>Whether Keras 3 or a later one has written the file.</summary>
    private bool IsKeras3 => Version is { } version && int.TryParse(version.AsSpan(0, Math.Max(0, version.IndexOf('.', StringComparison.Ordinal))), NumberStyles.None, CultureInfo.InvariantCulture, out var major) && major >= 3;

    /// <summary>What is thrown for an option that cannot be said here.</summary>
    internal NotSupportedException Refusal(string option, string reason) => new($"{_source}: the layer '{Name}' ({ClassName}): {option}: {reason}");

    /// <summary>What is thrown for a layer that contradicts itself.</summary>
    internal InvalidDataException Damage(string reason) => new($"{_source}: the layer '{Name}' ({ClassName}): {reason}");

    /// <summary>Whether an option is there and not null.</summary>
    internal bool Has(string option) => _options.TryGetProperty(option, out var value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>A positive size.</summary>
    internal int Size(string option, string? oldName = null)
    {
        if (Find(option, oldName) is not { } value || value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out var size) || size < 1)
        {
            throw Damage($"{option}: expected a size of 1 or more");
        }

        return size;
    }

    /// <summary>A choice.</summary>
    internal bool Flag(string option, bool otherwise, string? oldName = null) => Find(option, oldName) switch
    {
        null => otherwise,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw Damage($"{option}: expected true or false"),
    };

    /// <summary>A number.</summary>
    internal double? Number(string option, string? oldName = null) => Find(option, oldName) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value => value.GetDouble(),

        // Some versions write numbers as arrays of NumPy.
        { ValueKind: JsonValueKind.Object } value when value.TryGetProperty("value", out var inner) && inner.ValueKind == JsonValueKind.Number => inner.GetDouble(),
        _ => throw Damage($"{option}: expected a number"),
    };

    /// <summary>The probability of a kind of dropout, 0 where it is not there.</summary>
    internal double Probability(string option, string? oldName = null)
    {
        var value = Number(option, oldName) ?? 0;
        return value is >= 0 and < 1 ? value : throw Damage($"{option}: expected a probability from 0 to below 1");
    }

    /// <summary>A text, or null.</summary>
    internal string? Text(string option) => Find(option, null) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => value.GetString(),
        _ => throw Damage($"{option}: expected a text"),
    };

    /// <summary>The numbers of an axis, written as one or as a list; null where it is not there.</summary>
    internal int[]? Axes(string option) => Find(option, null) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value => [value.GetInt32()],
        { ValueKind: JsonValueKind.Array } value => [.. value.EnumerateArray().Select(axis => axis.GetInt32())],
        _ => throw Damage($"{option}: expected a number or a list of them"),
    };

    /// <summary>A layer that is part of this one; null where it is not there.</summary>
    internal KerasConfig? Part(string option) => Find(option, null) is { ValueKind: JsonValueKind.Object } part ? new(part, Version, _source) : null;

    /// <summary>Refuses options that have a value other than the ones given, which change nothing here.</summary>
    internal void Allow(string option, params ReadOnlySpan<string> harmless)
    {
        if (Find(option, null) is { } value && !harmless.Contains(value.ToString()))
        {
            throw Refusal(option, $"{value} cannot be said; only {string.Join(" or ", harmless.ToArray())} can.");
        }
    }

    /// <summary>The name of an activation, as a text or as a function that was registered.</summary>
    internal string? ActivationName(string option, string? oldName = null) => Find(option, oldName) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => value.GetString(),
        { ValueKind: JsonValueKind.Object } value when value.TryGetProperty("config", out var name) && name.ValueKind == JsonValueKind.String => name.GetString(),
        var value => throw Refusal(option, $"{value} is no function of Keras by name."),
    };

    /// <summary>An activation; <paramref name="otherwise"/> where the option is not there, identity where it is null.</summary>
    internal ActivationFunction Activation(string option, string otherwise, string? oldName = null)
    {
        var isThere = _options.TryGetProperty(option, out _) || (oldName is not null && _options.TryGetProperty(oldName, out _));
        return Function(option, isThere ? ActivationName(option, oldName) ?? "linear" : otherwise);
    }

    /// <summary>The activation of a name.</summary>
    internal ActivationFunction Function(string option, string name) => name switch
    {
        "linear" => Layers.Activation.Identity,
        "tanh" => Layers.Activation.Tanh,
        "relu" => Layers.Activation.Relu,
        "relu6" => Layers.Activation.Relu6,
        "sigmoid" => Layers.Activation.Sigmoid,

        // 0.2·x + ½ until Keras 2, x/6 + ½ since Keras 3.
        "hard_sigmoid" => IsKeras3 ? Layers.Activation.HardSigmoid : ActivationFunction.HardSigmoid(0.2, 0.5),
        "softplus" => Layers.Activation.Softplus,
        "softsign" => Layers.Activation.Softsign,
        "elu" => Layers.Activation.Elu,
        "selu" => Layers.Activation.Selu,
        "exponential" => Layers.Activation.Exponential,
        "swish" or "silu" => Layers.Activation.Silu,
        "hard_swish" or "hard_silu" => Layers.Activation.HardSilu,
        "gelu" => Layers.Activation.Gelu,
        "mish" => Layers.Activation.Mish,
        "leaky_relu" => ActivationFunction.LeakyRelu(0.2),
        _ => throw Refusal(option, $"the activation '{name}' cannot be said."),
    };

    private JsonElement? Find(string option, string? oldName)
    {
        if (!_options.TryGetProperty(option, out var value) && (oldName is null || !_options.TryGetProperty(oldName, out value)))
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Null ? null : value;
    }
}
