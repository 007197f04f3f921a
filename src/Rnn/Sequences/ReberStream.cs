using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>
/// Streams of strings of <see cref="ReberGrammar"/>, one after another without a sign between them and without end, in N parallel rows: what a language model is trained on with its state carried from window to window. A network has
/// to notice by itself where a string begins and to forget the one before.
/// </summary>
/// <remarks>
/// The continual embedded Reber grammar of Gers, Schmidhuber and Cummins, "Learning to Forget: Continual Prediction with LSTM" (2000). <see cref="ReberGrammar.Next"/> and <see cref="ReberGrammar.Legal"/> follow a
/// stream from <see cref="ReberGrammar.Start"/> on. A pass has no end; training ends by <c>MaxUpdates</c> or <c>MaxTime</c>.
/// </remarks>
/// <example>
/// <code>
/// var model = new LanguageModel&lt;float&gt;(ReberGrammar.Letters.Length, new Lstm&lt;float&gt;(inputSize: 8, hiddenSize: 16));
/// var trainer = new Trainer&lt;float&gt;(model, new Adam&lt;float&gt;()) { MaxUpdates = 5000, MaxGradientNorm = 1 };
/// await trainer.FitAsync(new ReberStream(rows: 16, steps: 40, new RandomSource(1)));
/// </code>
/// </example>
[SuppressMessage("Naming", "CA1711", Justification = "A stream of symbols, the field's word, not a stream of bytes.")]
public sealed class ReberStream : BatchSource<TokenWindow>
{
    private readonly ReberGrammar _grammar;
    private readonly RandomSource[] _ofRow;
    private readonly int[] _state;
    private readonly int[] _symbol;

    /// <summary>Streams.</summary>
    /// <param name="rows">N, the parallel rows.</param>
    /// <param name="steps">T, the steps of a window.</param>
    /// <param name="random">Where the strings come from; null for the next seed of the process.</param>
    /// <param name="grammar">The grammar; null for <see cref="ReberGrammar.Embedded"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive.</exception>
    public ReberStream(int rows, int steps, RandomSource? random = null, ReberGrammar? grammar = null)
        : base(random ?? new RandomSource())
    {
        _grammar = grammar ?? ReberGrammar.Embedded;
        Current = new(OptionRange.AtLeast(1, rows, nameof(rows)), OptionRange.AtLeast(1, steps, nameof(steps)));
        (_ofRow, _state, _symbol) = (new RandomSource[rows], new int[rows], new int[rows]);
        Current.Steps = Current.CarrySteps = steps;
        Current.TargetCount = rows * steps;
    }

    /// <inheritdoc/>
    public override TokenWindow Current { get; }

    /// <inheritdoc/>
    public override string Identity => string.Create(CultureInfo.InvariantCulture, $"{base.Identity} {_grammar.States} states, {Current.Rows} rows, windows of {Current.Steps} steps");

    /// <inheritdoc/>
    internal override bool IsEndless => true;

    /// <inheritdoc/>
    protected internal override TokenWindow CopyCurrent() => Current.Copy();

    /// <inheritdoc/>
    protected override void OnBeginPass()
    {
        var ofPass = new RandomSource(Random!.NextUInt64());
        for (var row = 0; row < _ofRow.Length; row++)
        {
            _ofRow[row] = ofPass.Split((ulong)row);
            _state[row] = ReberGrammar.Start;
            Advance(row);
        }

        Current.Resets.AsSpan().Fill(true);
    }

    /// <inheritdoc/>
    protected override bool OnMoveNext()
    {
        Current.Resets.AsSpan().Fill(Position == 0);
        for (var i = 0; i < Current.InputArray.Length; i++)
        {
            var row = i / Current.Steps;
            Current.InputArray[i] = _symbol[row];
            Advance(row);
            Current.TargetArray[i] = _symbol[row];
        }

        return true;
    }

    private void Advance(int row)
    {
        _symbol[row] = _grammar.Choose(_state[row], _ofRow[row]);
        _state[row] = _grammar.Next(_state[row], _symbol[row]);
    }
}
