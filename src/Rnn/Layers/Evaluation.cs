namespace Rnn.Layers;

/// <summary>
/// Lets modules read that they are evaluated, for the flow of the program that opens the scope and for no other: what scores, validates or
/// writes with a model changes nothing that another thread, or the owner of the model, could see.
/// </summary>
internal static class Evaluation
{
    private static readonly AsyncLocal<bool> Switch = new();

    // Programs that never open a scope never pay for reading the ambient value.
    private static volatile bool _everUsed;

    /// <summary>Whether <see cref="Module{T}.IsTraining"/> reads false here whatever the module's mode.</summary>
    internal static bool IsActive => _everUsed && Switch.Value;

    /// <summary>Evaluates until the result is disposed. Scopes nest and follow the flow into awaited calls and parallel loops.</summary>
    internal static Scope Enter() => new(active: true);

    /// <summary>
    /// Ends the effect of scopes further out until the result is disposed: a training that is started from inside of one, in a thread of its own
    /// too, trains.
    /// </summary>
    internal static Scope Suspend() => new(active: false);

    /// <summary>Restores on disposal what held before.</summary>
    internal readonly struct Scope : IDisposable
    {
        private readonly bool _before;

        internal Scope(bool active)
        {
            _before = IsActive;
            Set(active);
        }

        public void Dispose() => Set(_before);

        private static void Set(bool active)
        {
            // Writing the ambient value allocates, so only where it changes.
            if (active != IsActive)
            {
                _everUsed = true;
                Switch.Value = active;
            }
        }
    }
}
