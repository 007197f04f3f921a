using System.Globalization;
using System.Runtime.InteropServices;

namespace Rnn.Formats;

/// <summary>A 64-bit hash that is the same on every machine: tells data from other data, not for cryptography.</summary>
internal struct Fingerprint
{
    private ulong _hash;

    public Fingerprint() => _hash = 0xCBF29CE484222325UL;

    /// <summary>Takes numbers into the hash. The bytes are those of little-endian machines, on which alone it is the same.</summary>
    internal void Add<TValue>(ReadOnlySpan<TValue> values)
        where TValue : unmanaged
    {
        AddLength(MemoryMarshal.AsBytes(values).Length);
        AddPart(values);
    }

    /// <summary>Begins numbers that come in parts, with their bytes in all: the hash is that of all at once.</summary>
    internal void AddLength(long bytes) => Mix((ulong)bytes);

    /// <summary>Takes a part of the numbers; each but the last has a whole number of eight bytes.</summary>
    internal void AddPart<TValue>(ReadOnlySpan<TValue> values)
        where TValue : unmanaged
    {
        var bytes = MemoryMarshal.AsBytes(values);
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(bytes))
        {
            Mix(word);
        }

        foreach (var value in bytes[(bytes.Length / sizeof(ulong) * sizeof(ulong))..])
        {
            Mix(value);
        }
    }

    /// <summary>Sixteen hexadecimal digits.</summary>
    public override readonly string ToString() => _hash.ToString("x16", CultureInfo.InvariantCulture);

    // FNV-1a by words; the shift brings high bits down, which the product alone never does.
    private void Mix(ulong word)
    {
        _hash = (_hash ^ word) * 0x100000001B3UL;
        _hash ^= _hash >> 32;
    }
}
