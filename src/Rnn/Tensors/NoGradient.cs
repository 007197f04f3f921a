namespace Rnn.Tensors;

/// <summary>
/// Switches recording off: operations inside the scope keep no history, so inference holds no more memory than it needs.
/// </summary>
/// <example>
/// <code>
/// using (NoGradient.Enter())
/// {
///     var scores = model.Forward(x);
/// }
/// </code>
/// </example>
public static class NoGradient
{
    private static readonly AsyncLocal<bool> Switch = new();

    // Programs that never open a scope never pay for reading the ambient value.
    private static volatile bool _everUsed;

    /// <summary>Whether recording is switched off here.</summary>
    public static bool IsActive => _everUsed && Switch.Value;

    /// <summary>
    /// Switches recording off until the result is disposed. Scopes nest and follow the flow of the program: into awaited calls and
    /// parallel loops, but not out of the asynchronous method that opened them.
    /// </summary>
    public static IDisposable Enter()
    {
        _everUsed = true;
        return Set(true);
    }

    /// <summary>Switches recording on until the result is disposed, for work that has to record wherever it was started from.</summary>
    internal static IDisposable Suspend() => Set(false);

    private static Scope Set(bool isActive)
    {
        if (IsActive == isActive)
        {
            return Scope.Unchanged;
        }

        Switch.Value = isActive;
        return new() { ChangesTo = isActive };
    }

    // An object for each change: disposed a second time it must not end a later one.
    private sealed class Scope : IDisposable
    {
        internal static readonly Scope Unchanged = new();

        internal bool? ChangesTo { get; set; }

        public void Dispose()
        {
            if (ChangesTo is { } value)
            {
                ChangesTo = null;
                Switch.Value = !value;
            }
        }
    }
}
