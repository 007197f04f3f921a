using System.Globalization;
using Rnn.Formats;

namespace Rnn.Sequences;

/// <summary>
/// Cuts one long stream of tokens into N parallel rows and walks through them in windows, for truncated backpropagation through time: every
/// k₁ steps the gradient runs back over the last k₂ (k₁ ≤ k₂). Each step's loss counts once.
/// </summary>
/// <remarks>
/// Williams and Peng, "An Efficient Gradient-Based Algorithm for On-Line Training of Recurrent Network Trajectories" (1990). Tokens that do
/// not fill a last step of all rows are left out: at most N of them.
/// </remarks>
public sealed class TokenStreamSource : BatchSource<TokenWindow>
{
    private readonly ReadOnlyMemory<int> _tokens;
    private readonly TokenFile? _file;
    private readonly int[] _read = [];
    private readonly string _cut;
    private StreamPlan _plan;

    /// <summary>Windows of a stream.</summary>
    /// <param name="tokens">The stream; from each token the next one is to be predicted.</param>
    /// <param name="rows">N, the parallel rows.</param>
    /// <param name="steps">k₂, the steps of a window.</param>
    /// <param name="stride">k₁, the steps between two windows; null for windows that do not overlap.</param>
    /// <exception cref="ArgumentException">A number is out of range, or the stream is shorter than one window.</exception>
    public TokenStreamSource(ReadOnlyMemory<int> tokens, int rows, int steps, int? stride = null)
        : this(tokens.Length, rows, steps, stride) => _tokens = tokens;

    /// <summary>Windows of a stream in a file, which is read window by window: the same as those of its tokens in memory.</summary>
    /// <param name="tokens">The stream; from each token the next one is to be predicted. It stays open.</param>
    /// <param name="rows">N, the parallel rows.</param>
    /// <param name="steps">k₂, the steps of a window.</param>
    /// <param name="stride">k₁, the steps between two windows; null for windows that do not overlap.</param>
    /// <exception cref="ArgumentException">A number is out of range, or the stream is shorter than one window.</exception>
    public TokenStreamSource(TokenFile tokens, int rows, int steps, int? stride = null)
        : this(CountOf(tokens), rows, steps, stride) => (_file, _read) = (tokens, new int[steps + 1]);

    private TokenStreamSource(long tokens, int rows, int steps, int? stride)
    {
        _plan = new(Math.Max(0, tokens - 1), rows, steps, stride, nameof(tokens), $"that is what {tokens} tokens give, each predicting the next. Use more text, or fewer rows or steps.");
        _cut = string.Create(CultureInfo.InvariantCulture, $"{rows} rows, windows of {steps} steps every {stride ?? steps}");
        Current = new(rows, steps);
    }

    /// <inheritdoc/>
    public override TokenWindow Current { get; }

    /// <summary>The windows of one pass.</summary>
    public int WindowCount => _plan.WindowCount;

    /// <summary>The steps of one pass whose loss counts, over all rows.</summary>
    public long TargetCount => _plan.RowSteps * _plan.Rows;

    /// <inheritdoc/>
    public override string Identity
    {
        get
        {
            if (_file is not null)
            {
                return $"stream of {_file.Count} tokens ({_file.Hash}), {_cut}";
            }

            var hash = new Fingerprint();
            hash.Add(_tokens.Span);
            return $"stream of {_tokens.Length} tokens ({hash}), {_cut}";
        }
    }

    /// <inheritdoc/>
    protected internal override TokenWindow CopyCurrent() => Current.Copy();

    /// <inheritdoc/>
    protected override void OnBeginPass() => _plan.Reset();

    /// <inheritdoc/>
    protected override bool OnSkip() => _plan.MoveNext();

    /// <inheritdoc/>
    protected override bool OnMoveNext()
    {
        if (!_plan.MoveNext())
        {
            return false;
        }

        var window = Current;
        window.Steps = _plan.Steps;
        window.CarrySteps = _plan.CarrySteps;
        window.TargetCount = (_plan.Steps - _plan.SeenSteps) * window.Rows;
        window.Resets.AsSpan().Fill(_plan.Start == 0);
        for (var row = 0; row < window.Rows; row++)
        {
            var source = Read((row * _plan.RowSteps) + _plan.Start, window.Steps + 1);
            source[..^1].CopyTo(window.InputArray.AsSpan(row * window.Steps));
            var targets = window.TargetArray.AsSpan(row * window.Steps, window.Steps);
            source[1..].CopyTo(targets);
            targets[.._plan.SeenSteps].Fill(TokenWindow.NoTarget);
        }

        return true;
    }

    private ReadOnlySpan<int> Read(long start, int count)
    {
        if (_file is null)
        {
            return _tokens.Span.Slice((int)start, count);
        }

        _file.Read(start, _read.AsSpan(0, count));
        return _read.AsSpan(0, count);
    }

    private static long CountOf(TokenFile tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        return tokens.Count;
    }
}
