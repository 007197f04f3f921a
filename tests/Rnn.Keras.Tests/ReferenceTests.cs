using PureHDF;

namespace Rnn.Keras.Tests;

/// <summary>The package's dependencies.</summary>
public class ReferenceTests
{
    [Fact]
    public void An_HDF5_file_of_memory_can_be_written_and_read()
    {
        using var stream = new MemoryStream();
        new H5File { ["kernel"] = new[] { 1f, 2f, 3f } }.Write(stream);
        stream.Position = 0;
        using var file = H5File.Open(stream);
        Assert.Equal([1f, 2f, 3f], file.Dataset("kernel").Read<float[]>());
    }
}
