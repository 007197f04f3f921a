using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace Rnn.Tensors;

/// <summary>
/// The operations on tensors that gradients flow through. One file an operation: forward and gradient side by side.
/// </summary>
[SuppressMessage("Naming", "CA1708", Justification = "The analyser takes two extension blocks for two members of one name.")]
public static partial class TensorOperations
{
    extension<T>(Tensor<T>)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        /// <summary>Element by element left + right, with broadcasting.</summary>
        public static Tensor<T> operator +(Tensor<T> left, Tensor<T> right) => left.Add(right);

        /// <summary>left + right for every element.</summary>
        public static Tensor<T> operator +(Tensor<T> left, T right) => left.Add(right);

        /// <summary>left + right for every element.</summary>
        public static Tensor<T> operator +(T left, Tensor<T> right) => right.Add(left);

        /// <summary>Element by element left − right, with broadcasting.</summary>
        public static Tensor<T> operator -(Tensor<T> left, Tensor<T> right) => left.Subtract(right);

        /// <summary>left − right for every element.</summary>
        public static Tensor<T> operator -(Tensor<T> left, T right) => left.Add(-right);

        /// <summary>left − right for every element.</summary>
        public static Tensor<T> operator -(T left, Tensor<T> right) => SubtractFrom(right, left);

        /// <summary>Element by element left · right, with broadcasting; see <c>MatMul</c> for the matrix product.</summary>
        public static Tensor<T> operator *(Tensor<T> left, Tensor<T> right) => left.Multiply(right);

        /// <summary>left · right for every element.</summary>
        public static Tensor<T> operator *(Tensor<T> left, T right) => left.Multiply(right);

        /// <summary>left · right for every element.</summary>
        public static Tensor<T> operator *(T left, Tensor<T> right) => right.Multiply(left);

        /// <summary>Element by element left / right, with broadcasting.</summary>
        public static Tensor<T> operator /(Tensor<T> left, Tensor<T> right) => left.Divide(right);

        /// <summary>left / right for every element.</summary>
        public static Tensor<T> operator /(Tensor<T> left, T right) => left.Divide(right);

        /// <summary>left / right for every element.</summary>
        public static Tensor<T> operator /(T left, Tensor<T> right) => DivideInto(right, left);

        /// <summary>−operand.</summary>
        public static Tensor<T> operator -(Tensor<T> operand) => operand.Negate();
    }
}
