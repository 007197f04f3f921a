namespace Rnn.Training;

/// <summary>What the trainings of this process change, so that a second one that would change the same at the same time throws.</summary>
internal static class RunRegister
{
    private static readonly HashSet<object> InUse = new(ReferenceEqualityComparer.Instance);

    /// <summary>Marks things as in use, all or none.</summary>
    /// <param name="things">The things.</param>
    /// <param name="taken">The first one that is in use already, where there is one.</param>
    /// <returns>Dispose it to free them; a second time does nothing. Null where one is in use already.</returns>
    internal static IDisposable? TryEnter(IReadOnlyCollection<object> things, out object? taken)
    {
        lock (InUse)
        {
            taken = things.FirstOrDefault(InUse.Contains);
            if (taken is not null)
            {
                return null;
            }

            InUse.UnionWith(things);
        }

        return new Mark(things);
    }

    /// <summary>Whether something is being trained.</summary>
    internal static bool IsInUse(object thing)
    {
        lock (InUse)
        {
            return InUse.Contains(thing);
        }
    }

    private sealed class Mark(IReadOnlyCollection<object> things) : IDisposable
    {
        private IReadOnlyCollection<object>? _things = things;

        public void Dispose()
        {
            lock (InUse)
            {
                InUse.ExceptWith(_things ?? []);
                _things = null;
            }
        }
    }
}
