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
        if (IsActive)
        {
            return Inner.Instance;
        }

        _everUsed = true;
        Switch.Value = true;
        return new Outer();
    }

    /// <summary>Switches recording on until the result is disposed, for work that has to record wherever it was started from.</summary>
    internal static IDisposable Suspend()
    {
        if (!IsActive)
        {
            return Inner.Instance;
        }

        Switch.Value = false;
        return Suspended.Instance;
    }

    private sealed class Suspended : IDisposable
    {
        internal static readonly Suspended Instance = new();

        public void Dispose() => Switch.Value = true;
    }

    // An object for each scope: disposed a second time it must not end a later one.
    private sealed class Outer : IDisposable
    {
        private bool _isDisposed;

        public void Dispose()
        {
            if (!_isDisposed)
            {
                _isDisposed = true;
                Switch.Value = false;
            }
        }
    }

    private sealed class Inner : IDisposable
    {
        internal static readonly Inner Instance = new();

        public void Dispose()
        {
        }
    }
}
