using System.Numerics;
using Rnn.Formats;
using Rnn.Training;

namespace Rnn.Tests.Training;

/// <summary>The state of things as a tree of its own.</summary>
internal static class SavedStates
{
    public static StateTree<T> SavedState<T>(this Optimizer<T> optimizer)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var state = new StateTree<T>();
        optimizer.SaveState(state);
        return state;
    }
}
