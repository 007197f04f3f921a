using System.Numerics;
using Rnn.Onnx.Schema;
using Rnn.Onnx.Tests.Support;

namespace Rnn.Onnx.Tests.Import;

/// <summary>The vectors that the ONNX standard itself has for recurrent operators.</summary>
public class NodeTests
{
    [SharedDataFact("onnx-node-tests")]
    public void The_vectors_of_the_standard_agree_in_single_and_double_precision()
    {
        var folders = Directory.GetDirectories(SharedDataFactAttribute.PathOf("onnx-node-tests"));
        Assert.Equal(12, folders.Length);
        foreach (var folder in folders)
        {
            Check<float>(folder);
            Check<double>(folder);
        }
    }

    private static void Check<T>(string folder)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var model = OnnxModel.Load<T>(Path.Combine(folder, "model.onnx"));
        Assert.Equal(22, model.Opset);
        var data = Directory.Exists(Path.Combine(folder, "test_data_set_0")) ? Path.Combine(folder, "test_data_set_0") : folder;
        var inputs = model.Inputs.Select((input, i) => (input.Name, Read<T>(data, "input", i))).ToArray();
        var outputs = model.Run(inputs);
        for (var i = 0; i < model.Outputs.Count; i++)
        {
            Compare.Same(Read<T>(data, "output", i), outputs[model.Outputs[i].Name], 1e-5, $"{Path.GetFileName(folder)} {model.Outputs[i].Name}");
        }
    }

    private static OnnxValue<T> Read<T>(string folder, string kind, int index)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        TensorProtoConversion.Read<T>(TensorProto.Parser.ParseFrom(File.ReadAllBytes(Path.Combine(folder, $"{kind}_{index}.pb"))));
}
