using CharRnn;
using Rnn.Sequences;
using Rnn.Training;
using Samples;

// Trains a language model on the characters of a text, shows what it writes while it learns, and saves it.
var commandLine = new CommandLine();
commandLine.Command.SetAction((parsed, cancellation) => RunAsync(commandLine.Read(parsed), cancellation));
return await Sample.RunAsync(commandLine.Command, args);

static async Task<int> RunAsync(Settings settings, CancellationToken cancellation)
{
    using var processes = Processes.Start(settings);
    var model = settings.Load is null ? null : Files.LoadModel(settings.Load, settings.OnlyWrites || settings.OnlyCompresses);
    if (model is not null && settings.OnlyWrites)
    {
        Console.WriteLine(Writer.Write(model, settings.Prompt, settings.Length, settings, cancellation));
        return 0;
    }

    var text = settings.Text is null ? EmbeddedTexts.Read(typeof(Files).Assembly) : InputFiles.ReadText("--text", settings.Text);
    var vocabulary = model?.Vocabulary ?? CharVocabulary.FromText(text);
    var tokens = Files.Encode(vocabulary, text, "--text");
    var plan = Plan.For(settings, tokens.Length);
    _ = Files.Encode(vocabulary, settings.Prompt, "--prompt");
    if (model is not null && settings.OnlyCompresses)
    {
        Compression.Apply(model, tokens.AsMemory(plan.TrainingLength), settings, Report.Create(model.ToString()!));
        return 0;
    }

    model ??= plan.CreateModel(vocabulary);
    var trainer = new Trainer<float>(model, new Adam<float> { LearningRate = plan.LearningRate })
    {
        BatchSize = plan.Batch,
        SequenceLength = plan.Window,
        MaxGradientNorm = settings.Clip,
        MaxUpdates = plan.Steps,
        MaxTime = settings.Time,
        Schedule = new WarmUpAndDecay(plan.Total),
        ScheduleUnit = settings.Time is null ? ScheduleUnit.Updates : ScheduleUnit.Seconds,
        CheckpointPath = settings.Checkpoint,
        Resume = settings.Resume,
        Processes = processes.Group,
        Communication = new() { Gradients = settings.Gradients },
    };
    var report = processes.CreateReport($"{tokens.Length:N0} characters, {vocabulary.Count} different; {plan.TrainingLength:N0} to learn, the rest to validate\n{plan}\n{model}");
    if (settings.Resume)
    {
        report.Line(File.Exists(settings.Checkpoint) ? $"going on from {Path.GetFullPath(settings.Checkpoint)}" : $"there is no {settings.Checkpoint} to go on from; the training begins anew");
    }

    var watch = new Watch(report, model, settings, plan, cancellation);
    TrainingResult? result = null;
    try
    {
        result = await trainer.FitAsync(tokens.AsMemory(0, plan.TrainingLength), progress: watch, cancellationToken: cancellation);
    }
    catch (OperationCanceledException)
    {
    }
    catch (NonFiniteGradientException error)
    {
        throw new InputException($"--learning-rate: {plan.LearningRate} is too much here, the training diverged at step {watch.Update + 1}; choose less. {error.Message}", error);
    }
    catch (InvalidDataException error)
    {
        throw new InputException($"--resume: {error.Message}", error);
    }
    catch (ProcessGroupException error)
    {
        throw new InputException($"--mpi: {error.Message}", error);
    }
    finally
    {
        report.EndProgress();
    }

    if (!processes.IsFirst)
    {
        return result is null ? 130 : 0;
    }

    if (watch.Update > 0)
    {
        Files.Save(model, settings.Save);
    }

    if (result is null)
    {
        report.Line(watch.Update == 0
            ? "cancelled before the first step; nothing is saved"
            : $"cancelled after {watch.Update} steps; the model as it is now is saved in {Path.GetFullPath(settings.Save)}\nthe same command with --resume goes on from {Path.GetFullPath(settings.Checkpoint)}");
        return 130;
    }

    Ending.Show(model, tokens.AsMemory(plan.TrainingLength), result, settings, processes, report);
    return 0;
}
