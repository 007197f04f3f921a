namespace Rnn.Onnx;

/// <summary>How an ONNX model is loaded, and limits on what it may compute, so that a damaged or hostile file ends in an error and not in a machine without memory.</summary>
public sealed record OnnxOptions
{
    /// <summary>
    /// The most elements that a tensor may have which an operator makes larger than its inputs (Expand, Tile, Range, ConstantOfShape, Pad, Concat, broadcasting, products); default 2²⁴. Where a run is
    /// given much, the limit is 64 times the elements of all its inputs.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The limit is not positive.</exception>
    public long MaxElements
    {
        get;
        init => field = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "MaxElements: expected a positive number.");
    } = 1L << 24;

    /// <summary>The most iterations of all loops (Loop, Scan) in one run; default 20,000.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The limit is not positive.</exception>
    public long MaxIterations
    {
        get;
        init => field = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "MaxIterations: expected a positive number.");
    } = 20_000;
}
