using Rnn.Models;
using Rnn.Tensors;
using Samples;
using Stories;

// Reads a story, sentence by sentence, and answers a question about it; shows which sentences the answer comes from.
var sample = new Sample("stories", "Learns to answer questions about short stories.", "a folder with the bAbI tasks, qaN_*_train.txt and qaN_*_test.txt");
var choice = sample.Add(InputOptions.Choice<ReaderKind>("--model", "memory, a memory network, or lstm, one that reads all words in their order, for comparison; memory"));
var only = sample.Add(InputOptions.Text("--tasks", "N,N", "which tasks of --data; all 20"));
var starts = sample.Add(InputOptions.Whole<int>("--starts", "N", "the trainings of each task, of which the best one on the training part counts; 1"));
var epochs = sample.Add(InputOptions.Whole<int>("--epochs", "N", "how often all questions are read after a linear start of a fifth of it; 100 (lstm 40)"));
return await sample.RunAsync(args, async run =>
{
    var kind = run.Get(choice) ?? ReaderKind.Memory;
    var opened = run.Open<StoryReader>(path => kind == ReaderKind.Memory ? new MemoryReader(MemoryNetwork<float>.Open(path)) : new LstmReader(SequenceClassifier<float>.Open(path)));
    var random = new RandomSource(run.Seed);
    var tasks = run.Data is { } folder ? BabiFiles.Read(folder, Numbers(run.Get(only))) : [SmallWorld.Generate(random, 4500, 1500)];
    var (published, count, passes) = (kind == ReaderKind.Memory ? Published.MemoryNetwork : Published.Lstm, run.Get(starts) ?? 1, run.Get(epochs) ?? (kind == ReaderKind.Memory ? 100 : 40));
    var errors = new Dictionary<int, double>();
    try
    {
        foreach (var task in tasks)
        {
            Func<RandomSource, StoryReader> make = kind == ReaderKind.Memory ? source => new MemoryReader(task, source) : source => new LstmReader(task, source);
            var reader = opened ?? (count == 1 && tasks.Length == 1 ? await Training.ShownAsync(run, task, make, passes) : await Training.BestAsync(run, task, make, count, passes));
            if (opened is null && (count > 1 || tasks.Length > 1))
            {
                reader.Model.Save(tasks.Length == 1 ? run.SavePath : run.PathBeside($".qa{task.Number}.safetensors"));
            }

            foreach (var group in task.Test.GroupBy(text => text.Kind))
            {
                var (error, _) = InputFiles.Guard("--open", run.OpenPath ?? run.SavePath, () => reader.Score([.. group]));
                errors[group.Key] = error;
                run.Line(FormattableString.Invariant($"{group.Key,2} {(run.Data is null ? "kind of question" : task.Name),-24} error {100 * error,5:F1} %{(run.Data is null ? string.Empty : $"   published {published[group.Key - 1],5:F1} %")}"));
            }

            if (reader is MemoryReader { Network: var network } && tasks.Length == 1)
            {
                foreach (var text in task.Test.GroupBy(text => text.Kind).Select(group => group.First()))
                {
                    AttentionTable.Show(run, text, network.Answer(text.Story, text.Question));
                }
            }
        }
    }
    finally
    {
        if (errors.Count > 0)
        {
            run.Line(FormattableString.Invariant($"{errors.Count} tasks: mean error {100 * errors.Values.Average():F1} %"));
        }
    }

    run.Result($"error={errors.Values.Average():F4} task{errors.Keys.First()}={errors.Values.First():F4}");
});

static int[]? Numbers(string? text) => text is null ? null : [.. text.Split(',').Select(part => int.TryParse(part, out var number) && number is >= 1 and <= 20
    ? number
    : throw new InputException($"--tasks: expected numbers from 1 to 20 with commas between them but got '{text}'."))];

/// <summary>What reads.</summary>
internal enum ReaderKind
{
    /// <summary>A memory network.</summary>
    Memory,

    /// <summary>An LSTM over all words.</summary>
    Lstm,
}
