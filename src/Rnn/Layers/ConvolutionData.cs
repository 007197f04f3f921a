using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Layers;

/// <summary>Where the tensors of a causal convolution lie; see <see cref="ConvolutionShape"/> for the letters.</summary>
internal unsafe struct ConvolutionData<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>[N, T, I].</summary>
    internal T* Input;

    /// <summary>The inputs before the first step [N, (K − 1)·d, I].</summary>
    internal T* State;

    /// <summary>[N, T, C], or null.</summary>
    internal T* Condition;

    /// <summary>The weights [O, K·I + C] in packed form.</summary>
    internal PackedPanels<T> Packed;

    /// <summary>[O], or null.</summary>
    internal T* Bias;

    /// <summary>[N, T, O], or half of it where gated; in the backward pass its gradient.</summary>
    internal T* Output;

    /// <summary>The two factors of each gated unit [N, T, O]; null where no backward pass follows.</summary>
    internal T* Gates;

    /// <summary>The input with the residual product of the gated output added [N, T, I], or null; in the backward pass its gradient.</summary>
    internal T* Next;

    /// <summary>The weights of the residual product, [I, O/2] in packed form; in the backward pass packed for the other direction.</summary>
    internal PackedPanels<T> ResidualPacked;

    /// <summary>The bias of the residual product [I].</summary>
    internal T* ResidualBias;

    /// <summary>The gradients of the product [N, T, O].</summary>
    internal T* Gradients;

    /// <summary>Where the gradients of inputs or weights go.</summary>
    internal T* Target;

    /// <summary>Whether the output is tanh of the first half of the product times σ of the second.</summary>
    internal bool IsGated;

    /// <summary>Whether to add to the target.</summary>
    internal bool Accumulates;
}
