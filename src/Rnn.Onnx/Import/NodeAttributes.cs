using Rnn.Onnx.Schema;
using AttributeType = Rnn.Onnx.Schema.AttributeProto.Types.AttributeType;

namespace Rnn.Onnx.Import;

/// <summary>The attributes of a node by name, each read as the type that the operator expects.</summary>
internal sealed class NodeAttributes
{
    private readonly Dictionary<string, AttributeProto> _attributes = new(StringComparer.Ordinal);

    internal NodeAttributes(IEnumerable<AttributeProto> attributes)
    {
        foreach (var attribute in attributes)
        {
            if (!_attributes.TryAdd(attribute.Name, attribute))
            {
                throw new InvalidDataException($"the attribute '{attribute.Name}' comes twice");
            }
        }
    }

    /// <summary>All attributes.</summary>
    internal IEnumerable<AttributeProto> All => _attributes.Values;

    internal bool Has(string name) => _attributes.ContainsKey(name);

    internal long Int(string name, long missing) => Find(name, AttributeType.Int)?.I ?? missing;

    internal bool Flag(string name) => Int(name, 0) != 0;

    internal double Float(string name, double missing) => Find(name, AttributeType.Float)?.F ?? missing;

    internal string? String(string name) => Find(name, AttributeType.String)?.S.ToStringUtf8();

    internal long[]? Ints(string name) => Find(name, AttributeType.Ints)?.Ints.ToArray();

    internal float[]? Floats(string name) => Find(name, AttributeType.Floats)?.Floats.ToArray();

    internal string[]? Strings(string name) => Find(name, AttributeType.Strings)?.Strings.Select(text => text.ToStringUtf8()).ToArray();

    internal TensorProto? Tensor(string name) => Find(name, AttributeType.Tensor)?.T;

    internal long RequiredInt(string name) => Find(name, AttributeType.Int)?.I ?? throw Missing(name);

    internal string RequiredString(string name) => String(name) ?? throw Missing(name);

    // Files of the first versions do not say the type of an attribute.
    private AttributeProto? Find(string name, AttributeType type)
    {
        if (!_attributes.TryGetValue(name, out var attribute))
        {
            return null;
        }

        var holds = attribute.Type == AttributeType.Undefined ? Guess(attribute, type) : attribute.Type;
        var complete = type switch
        {
            AttributeType.Tensor => attribute.T is not null,
            AttributeType.Graph => attribute.G is not null,
            _ => true,
        };
        return holds == type && complete
            ? attribute
            : throw new InvalidDataException($"the attribute '{name}' is of type {holds}; expected {type}");
    }

    private static AttributeType Guess(AttributeProto attribute, AttributeType expected) => expected switch
    {
        AttributeType.Int when attribute.HasI => expected,
        AttributeType.Float when attribute.HasF => expected,
        AttributeType.String when attribute.HasS => expected,
        AttributeType.Tensor when attribute.T is not null => expected,
        AttributeType.Graph when attribute.G is not null => expected,
        AttributeType.Ints when attribute.Floats.Count + attribute.Strings.Count == 0 => expected,
        AttributeType.Floats when attribute.Ints.Count + attribute.Strings.Count == 0 => expected,
        AttributeType.Strings when attribute.Ints.Count + attribute.Floats.Count == 0 => expected,
        _ => AttributeType.Undefined,
    };

    private static InvalidDataException Missing(string name) => new($"the attribute '{name}' is missing");
}
