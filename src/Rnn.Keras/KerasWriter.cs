using System.Globalization;
using System.IO.Compression;
using System.Numerics;
using System.Text.Json.Nodes;
using PureHDF;

namespace Rnn.Keras;

/// <summary>Writes layers as files of Keras 3.</summary>
internal static class KerasWriter
{
    // The version whose layout this is.
    private const string LayoutVersion = "3.5.0";

    /// <summary>Writes an archive of a whole model.</summary>
    internal static void WriteArchive<T>(string path, string name, List<KerasExportedLayer<T>> layers)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var config = new JsonObject
        {
            ["module"] = "keras",
            ["class_name"] = "Sequential",
            ["config"] = new JsonObject
            {
                ["name"] = name,
                ["trainable"] = true,
                ["dtype"] = typeof(T) == typeof(double) ? "float64" : "float32",
                ["layers"] = new JsonArray([.. layers.Select(layer => (JsonNode)layer.Config)]),
            },
            ["registered_name"] = null,
        };
        using var weights = new MemoryStream();
        WriteWeights(weights, layers);
        WriteWhole(path, stream =>
        {
            using var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
            var metadata = new JsonObject { ["keras_version"] = LayoutVersion, ["date_saved"] = DateTime.UtcNow.ToString("yyyy-MM-dd@HH:mm:ss", CultureInfo.InvariantCulture) };
            Add(zip, "metadata.json", System.Text.Encoding.UTF8.GetBytes(metadata.ToJsonString()));
            Add(zip, "config.json", System.Text.Encoding.UTF8.GetBytes(config.ToJsonString()));
            Add(zip, "model.weights.h5", weights.ToArray());
        });
    }

    /// <summary>Writes a file of weights.</summary>
    internal static void WriteWeightFile<T>(string path, List<KerasExportedLayer<T>> layers)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var weights = new MemoryStream();
        WriteWeights(weights, layers);
        WriteWhole(path, stream => weights.WriteTo(stream));
    }

    private static void WriteWeights<T>(Stream stream, List<KerasExportedLayer<T>> layers)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        HdfFile.RequireDynamicCode();

        // Groups are named by class and number, the input layer aside, which Keras does not count in a sequential model.
        var root = new H5Group();
        foreach (var layer in layers)
        {
            if (layer.ClassName == "InputLayer")
            {
                continue;
            }

            var name = KerasWeightGroup.SnakeCase(layer.ClassName);
            var number = layers.TakeWhile(other => other != layer).Count(other => other.ClassName == layer.ClassName);
            var group = new H5Group { ["vars"] = new H5Group() };
            root[number == 0 ? name : $"{name}_{number.ToString(CultureInfo.InvariantCulture)}"] = group;
            foreach (var (part, arrays) in layer.Weights)
            {
                var at = group;
                foreach (var step in part.Split('/', StringSplitOptions.RemoveEmptyEntries))
                {
                    if (!at.TryGetValue(step, out var inner))
                    {
                        at[step] = inner = new H5Group { ["vars"] = new H5Group() };
                    }

                    at = (H5Group)inner;
                }

                var vars = (H5Group)at["vars"];
                for (var i = 0; i < arrays.Count; i++)
                {
                    vars[i.ToString(CultureInfo.InvariantCulture)] = new H5Dataset(arrays[i].Values, fileDims: [.. arrays[i].Shape.Select(size => (ulong)size)]);
                }
            }
        }

        new H5File { ["layers"] = root, ["vars"] = new H5Group() }.Write(stream);
    }

    // To a file beside it first, so that a file that was there is whole whatever happens.
    private static void WriteWhole(string path, Action<Stream> write)
    {
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var stream = File.Create(temporary))
            {
                write(stream);
            }

            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    // Keras stores entries as they are.
    private static void Add(ZipArchive zip, string name, byte[] content)
    {
        using var stream = zip.CreateEntry(name, CompressionLevel.NoCompression).Open();
        stream.Write(content);
    }
}
