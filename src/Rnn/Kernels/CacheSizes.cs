using System.Globalization;
using System.Runtime.Intrinsics.X86;

namespace Rnn.Kernels;

/// <summary>
/// The sizes of the caches near a core, asked from the processor once: how large the blocks are that products and runs work on. They decide the order of work and never a result.
/// </summary>
/// <remarks>
/// x64: CPUID leaf 4 (Intel) or 0x8000001D (AMD), Intel's "Software Developer's Manual", volume 2A. Elsewhere what Linux tells under <c>/sys</c>, else small sizes that nearly all processors have.
/// </remarks>
internal static class CacheSizes
{
    private const int LeastFirst = 32 << 10;
    private const int LeastSecond = 256 << 10;

    // The largest there is. What is larger, as a virtual machine may say of itself, would leave no room for a panel in the second-level cache.
    private const int MostFirst = 128 << 10;

    // A larger second-level cache is one that many cores share.
    private const int MostSecond = 2 << 20;

    private static readonly (int First, int Second) Sizes = Find();

    /// <summary>Bytes of a core's first-level data cache.</summary>
    internal static int First => Sizes.First;

    /// <summary>Bytes of a core's second-level cache.</summary>
    internal static int Second => Sizes.Second;

    /// <summary>Sizes that blocks can be cut by, from those that were found, whatever they are: a block of a panel always fits into half of the second-level cache.</summary>
    /// <param name="first">Bytes of the first-level cache, 0 where unknown.</param>
    /// <param name="second">Bytes of the second-level cache, 0 where unknown.</param>
    internal static (int First, int Second) Usable(int first, int second) =>
        (Math.Clamp(first, LeastFirst, MostFirst), Math.Clamp(second == 0 ? 2 * LeastSecond : second, LeastSecond, MostSecond));

    private static (int First, int Second) Find()
    {
        var (first, second) = X86Base.IsSupported ? FromProcessor() : OperatingSystem.IsLinux() ? FromSystem() : default;
        return Usable(first, second);
    }

    private static (int First, int Second) FromProcessor()
    {
        const int Extended = unchecked((int)0x80000000);
        const int AmdCaches = unchecked((int)0x8000001D);
        var found = X86Base.CpuId(0, 0).Eax >= 4 ? FromLeaf(4) : default;
        return found.First == 0 && (uint)X86Base.CpuId(Extended, 0).Eax >= unchecked((uint)AmdCaches) ? FromLeaf(AmdCaches) : found;
    }

    private static (int First, int Second) FromLeaf(int leaf)
    {
        const int Data = 1;
        const int Unified = 3;
        int first = 0, second = 0;
        for (var index = 0; index < 16; index++)
        {
            var (eax, ebx, ecx, _) = X86Base.CpuId(leaf, index);
            var (kind, level) = (eax & 31, (eax >> 5) & 7);
            if (kind == 0)
            {
                break;
            }

            var size = (((ebx >> 22) & 1023) + 1L) * (((ebx >> 12) & 1023) + 1) * ((ebx & 4095) + 1) * ((uint)ecx + 1L);
            if (kind is Data or Unified && size <= int.MaxValue)
            {
                first = level == 1 ? (int)size : first;
                second = level == 2 ? (int)size : second;
            }
        }

        return (first, second);
    }

    private static (int First, int Second) FromSystem()
    {
        int first = 0, second = 0;
        for (var index = 0; index < 8; index++)
        {
            var folder = string.Create(CultureInfo.InvariantCulture, $"/sys/devices/system/cpu/cpu0/cache/index{index}/");
            if (Read(folder + "size") is not [.. var digits, 'K'] || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var size) || Read(folder + "type") is "Instruction")
            {
                continue;
            }

            var level = Read(folder + "level");
            first = level == "1" ? size << 10 : first;
            second = level == "2" ? size << 10 : second;
        }

        return (first, second);
    }

    private static string? Read(string file)
    {
        try
        {
            return File.Exists(file) ? File.ReadAllText(file).Trim() : null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
