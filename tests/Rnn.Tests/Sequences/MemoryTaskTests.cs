using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Sequences;

/// <summary>The tasks over symbols: each batch is what its paper says.</summary>
public class MemoryTaskTests
{
    private const int None = TokenWindow.NoTarget;

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(37)]
    public void What_is_copied_stands_at_the_beginning(int delay)
    {
        var batch = new CopyMemory(delay, 100, new RandomSource(1)).First();
        Assert.Equal(new Shape(100, delay + 20), batch.Shape);
        Assert.Equal((10, 9), (batch.SymbolCount, batch.ClassCount));
        var seen = new HashSet<int>();
        for (var row = 0; row < 100; row++)
        {
            var (symbols, targets) = Row(batch, row);
            Assert.All(symbols[..10], symbol => Assert.InRange(symbol, 1, 8));
            Assert.Equal([.. symbols[..10], .. new int[delay - 1], .. Enumerable.Repeat(9, 11)], symbols);
            Assert.Equal([.. new int[delay + 10], .. symbols[..10]], targets);
            seen.UnionWith(symbols[..10]);
        }

        Assert.Equal(Enumerable.Range(1, 8), seen.Order());
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 3)]
    [InlineData(37, 5)]
    public void What_is_copied_with_gaps_stands_anywhere_in_its_order(int steps, int count)
    {
        var task = new SelectiveCopy(steps, count, 200, new RandomSource(1));
        var batch = task.First();
        Assert.Equal(new Shape(200, steps + count), batch.Shape);
        var places = new HashSet<int>();
        for (var row = 0; row < 200; row++)
        {
            var (symbols, targets) = Row(batch, row);
            int[] at = [.. Enumerable.Range(0, steps).Where(step => symbols[step] != 0)];
            int[] shown = [.. at.Select(step => symbols[step])];
            Assert.Equal(count, at.Length);
            Assert.All(shown, symbol => Assert.InRange(symbol, 1, 8));
            Assert.Equal(Enumerable.Repeat(9, count), symbols[steps..]);
            Assert.Equal([.. new int[steps], .. shown], targets);
            places.UnionWith(at);
        }

        Assert.Equal(Enumerable.Range(0, steps), places.Order());
        Assert.Equal(count * Math.Log(8) / (steps + count), task.Baseline, 1e-12);
    }

    // Who knows the time and remembers nothing: certain of 0 before the last ten steps, eight symbols equally likely at those.
    [Fact]
    public void The_baseline_of_copying_is_the_loss_without_memory()
    {
        var task = new CopyMemory(100, 3, new RandomSource(1));
        var batch = task.First();
        var logits = Tensor<double>.Zeros(3, 120, 9);
        for (var i = 0; i < 3 * 120; i++)
        {
            logits[i / 120, i % 120, 0] = i % 120 < 110 ? 1000 : -1000;
        }

        Assert.Equal(task.Baseline, Loss.CrossEntropy(logits, batch.Targets).Item(), 1e-12);
        Assert.Equal(0.1733, task.Baseline, 5e-5);
        Assert.Equal(0.0204, new CopyMemory(1000, 1).Baseline, 5e-5);
    }

    [Theory]
    [InlineData(10, 2)]
    [InlineData(100, 2)]
    [InlineData(10, 3)]
    [InlineData(37, 3)]
    [InlineData(100, 3)]
    public void Marks_stand_where_the_paper_puts_them_and_their_order_is_the_class(int steps, int marks)
    {
        var task = new TemporalOrder(steps, 1000, new RandomSource(2), marks);
        var batch = task.First();
        Assert.Equal((8, task.Classes), (batch.SymbolCount, batch.ClassCount));
        (int From, int To)[] places = marks == 2
            ? [(steps / 10, steps / 5), (steps / 2, 3 * steps / 5)]
            : [(steps / 10, steps / 5), (steps / 3, (steps / 3) + (steps / 10)), (2 * steps / 3, (2 * steps / 3) + (steps / 10))];
        var (classes, lengths, at) = (new HashSet<int>(), new HashSet<int>(), new HashSet<int>());
        for (var row = 0; row < 1000; row++)
        {
            var (symbols, targets) = Row(batch, row);
            var text = string.Concat(symbols.Select(symbol => TemporalOrder.Letters[symbol]));
            Assert.Matches("^E[abcdXY]+B$", text);
            int[] found = [.. Enumerable.Range(0, text.Length).Where(t => text[t] is 'X' or 'Y')];
            Assert.Equal(marks, found.Length);
            Assert.All(found.Zip(places), pair => Assert.InRange(pair.First, pair.Second.From, pair.Second.To));
            var expected = Convert.ToInt32(string.Concat(found.Select(t => text[t] == 'Y' ? '1' : '0')), 2);
            Assert.Equal([.. Enumerable.Repeat(None, text.Length - 1), expected], targets);
            classes.Add(expected);
            lengths.Add(text.Length);
            at.Add(found[0]);
        }

        Assert.Equal(1 << marks, classes.Count);
        Assert.Equal(Enumerable.Range(steps, (steps / 10) + 1), lengths.Order());
        Assert.Equal(Enumerable.Range(steps / 10, (steps / 10) + 1), at.Order());
    }

    [Theory]
    [InlineData(2, 2)]
    [InlineData(3, 5)]
    [InlineData(50, 3)]
    public void Spikes_follow_each_other_at_equal_distances(int interval, int spikes)
    {
        var batch = new SpikeTiming(interval, 500, new RandomSource(3), spikes).First();
        Assert.Equal((2, 2), (batch.SymbolCount, batch.ClassCount));
        var (leads, longs) = (new HashSet<int>(), 0);
        for (var row = 0; row < 500; row++)
        {
            var (symbols, targets) = Row(batch, row);
            int[] at = [.. Enumerable.Range(0, symbols.Length).Where(t => symbols[t] == 1)];
            Assert.Equal(spikes, at.Length);
            Assert.Equal(symbols.Length - 1, at[^1]);
            var distance = at[1] - at[0];
            Assert.InRange(distance, interval - 1, interval);
            Assert.All(Enumerable.Range(1, spikes - 1), i => Assert.Equal(distance, at[i] - at[i - 1]));
            Assert.All(Enumerable.Range(0, symbols.Length), t => Assert.Equal(at.AsSpan(1).Contains(t) ? distance - interval + 1 : None, targets[t]));
            leads.Add(at[0]);
            longs += distance - interval + 1;
        }

        Assert.Equal(250, longs);
        Assert.Equal(Enumerable.Range(0, interval), leads.Order());
    }

    [Fact]
    public void Words_of_counting_languages_are_written_out()
    {
        var batch = CountingLanguage.Words(3, 2, 1);
        Assert.Equal([3, 0, 0, 1, 1, 2, 2], Row(batch, 0).Symbols);
        Assert.Equal([0, 0, 1, 1, 2, 2, 3], Row(batch, 0).Targets);
        Assert.Equal([0b0001u, 0b0011u, 0b0011u, 0b0010u, 0b0100u, 0b0100u, 0b1000u], batch.RightAnswers[..7]);
        Assert.Equal([3, 0, 1, 2], Row(batch, 1).Symbols);
        Assert.Equal([0b0001u, 0b0011u, 0b0100u, 0b1000u, 0u, 0u, 0u], batch.RightAnswers[7..]);
        Assert.Equal([2, 0, 0, 0, 1, 1, 1], CountingLanguage.Words(2, 3).Tokens);
    }

    // What may come after a prefix is found by trying: a symbol is right where some word of the language goes on so.
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Right_answers_of_counting_languages_are_those_that_occur(int letters)
    {
        string[] words = [.. Enumerable.Range(1, 12).Select(n => Text(n) + "$")];
        var batch = CountingLanguage.Words(letters, [.. Enumerable.Range(1, 11)]);
        for (var row = 0; row < 11; row++)
        {
            for (var t = 0; t < batch.Lengths[row]; t++)
            {
                var prefix = words[row][..t];
                var expected = words.Where(word => word.StartsWith(prefix, StringComparison.Ordinal)).Select(word => word[t]).Distinct().Aggregate(0u, (bits, next) => bits | (1u << (next == '$' ? letters : next - 'a')));
                Assert.Equal(expected, batch.RightAnswers[(row * batch.Steps) + t]);
            }
        }

        string Text(int n) => string.Concat(Enumerable.Range(0, letters).Select(letter => new string((char)('a' + letter), n)));
    }

    [Fact]
    public void Counting_words_have_all_lengths()
    {
        var batch = new CountingLanguage(2, longest: 9, batchSize: 500, new RandomSource(1), shortest: 4).First();
        Assert.Equal(Enumerable.Range(4, 6).Select(n => (2 * n) + 1), batch.Lengths.ToArray().Distinct().Order());
    }

    [Fact]
    public void Wrong_settings_are_refused()
    {
        Refuses("delay: expected 1 or more but got 0", () => new CopyMemory(0, 1));
        Refuses("batchSize: expected 1 or more but got 0", () => new CopyMemory(1, 0));
        Refuses("steps: expected 1 or more but got 0", () => new SelectiveCopy(0, 1, 1));
        Refuses("count: expected 1 or more but got 0", () => new SelectiveCopy(1, 0, 1));
        Refuses("count: expected at most one symbol a step, 3, but got 4", () => new SelectiveCopy(3, 4, 1));
        Refuses("steps: expected 10 or more but got 9", () => new TemporalOrder(9, 1));
        Refuses("marks: expected 2 or 3 but got 4", () => new TemporalOrder(10, 1, null, 4));
        Refuses("interval: expected 2 or more but got 1", () => new SpikeTiming(1, 1));
        Refuses("spikes: expected 2 or more but got 1", () => new SpikeTiming(5, 1, null, 1));
        Refuses("letters: expected a number from 2 to 26 but got 1", () => new CountingLanguage(1, 5, 1));
        Refuses("letters: expected a number from 2 to 26 but got 27", () => CountingLanguage.Words(27, 1));
        Refuses("longest: expected 4 or more but got 3", () => new CountingLanguage(2, 3, 1, null, shortest: 4));
        Refuses("n: expected 1 or more but got 0", () => CountingLanguage.Words(2, 1, 0));
        Refuses("expected at least one sequence", () => CountingLanguage.Words(2));
        Refuses("batchSize: expected 1 or more but got 0", () => new ReberStrings(0));
        Refuses("rows: expected 1 or more but got 0", () => new ReberStream(0, 1));
        Refuses("steps: expected 1 or more but got 0", () => new ReberStream(1, 0));
        static void Refuses(string message, Action action) => Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(action).Message, StringComparison.Ordinal);
    }

    private static (int[] Symbols, int[] Targets) Row(SymbolBatch batch, int row)
    {
        var range = (row * batch.Steps)..((row * batch.Steps) + batch.Lengths[row]);
        return (batch.Tokens[range].ToArray(), batch.Targets[range].ToArray());
    }
}
