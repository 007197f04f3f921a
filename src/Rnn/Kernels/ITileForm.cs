namespace Rnn.Kernels;

/// <summary>How the factors of a tile lie in memory. Where the distances are constants, addresses of several k are one register and a number.</summary>
internal interface ITileForm
{
    /// <summary>A row of A lies in one piece and B is a panel.</summary>
    static abstract bool IsInPlace { get; }

    /// <summary>A is packed, the rows of the tile side by side for each k, and B is a panel.</summary>
    static abstract bool IsPacked { get; }
}

internal readonly struct InPlaceTile : ITileForm
{
    public static bool IsInPlace => true;

    public static bool IsPacked => false;
}

internal readonly struct PackedTile : ITileForm
{
    public static bool IsInPlace => false;

    public static bool IsPacked => true;
}

/// <summary>Any distances.</summary>
internal readonly struct StridedTile : ITileForm
{
    public static bool IsInPlace => false;

    public static bool IsPacked => false;
}
