using Rnn.Measure;

// Rnn.Measure FILE [--threads N] [--names A,B] [--phase infer|train]: one JSON object a line for each shape and phase.
try
{
    var parsed = Arguments.Parse("Rnn.Measure FILE [--threads N] [--names A,B] [--phase infer|train]", args, ["--threads", "--names", "--phase"], free: 1);
    var (threads, phase) = (parsed.Number("--threads", 1), parsed.Choice("--phase", ["infer", "train"]));
    foreach (var shape in RecurrentShape.Read(parsed.Free[0], parsed.List("--names")))
    {
        foreach (var timing in LayerTiming.Run(shape, threads, phase))
        {
            Console.WriteLine(timing.ToJson());
        }
    }

    return 0;
}
catch (UsageException wrong)
{
    Console.Error.WriteLine(wrong.Message);
    return 2;
}
