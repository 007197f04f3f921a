using PureHDF.Filters;

namespace Rnn.Keras;

/// <summary>
/// The checksum filter of HDF5 (Fletcher32) with a result of its own. The one of PureHDF 2.2.0 gives back a part of a buffer that is used again while a cache still holds it, so that chunks without
/// compression came out with the numbers of others.
/// </summary>
internal sealed class CopyingChecksumFilter : IH5Filter
{
    private static readonly Lock Gate = new();
    private static bool _isRegistered;

    private readonly Fletcher32Filter _filter = new();

    public ushort FilterId => _filter.FilterId;

    public string Name => _filter.Name;

    /// <summary>Takes the place of PureHDF's filter in this process, once.</summary>
    public static void Register()
    {
        lock (Gate)
        {
            if (!_isRegistered)
            {
                H5Filter.Register(new CopyingChecksumFilter());
                _isRegistered = true;
            }
        }
    }

    public Memory<byte> Filter(FilterInfo info) => _filter.Filter(info).ToArray();

    public uint[] GetParameters(uint[] chunkDimensions, uint typeSize, Dictionary<string, object>? options) => _filter.GetParameters(chunkDimensions, typeSize, options);
}
