namespace Rnn.Tensors;

public sealed partial class Tensor<T>
{
    /// <summary>Shape, element type and values, aligned; of long dimensions the first and last few.</summary>
    public override string ToString() => TensorFormatter.Format(this);
}
