namespace Stories;

/// <summary>A question about a story, in words of small letters without punctuation marks.</summary>
/// <param name="Story">The sentences, the oldest first.</param>
/// <param name="Question">The question.</param>
/// <param name="Answer">The right answer; one of several words counts as one.</param>
/// <param name="Kind">What kind of question it is: the number of the task.</param>
internal sealed record StoryText(string[] Story, string Question, string Answer, int Kind);

/// <summary>Questions to learn from and others to test on.</summary>
internal sealed record StoryTask(int Number, string Name, IReadOnlyList<StoryText> Training, IReadOnlyList<StoryText> Test)
{
    /// <summary>All words, each answer as one.</summary>
    internal IEnumerable<string> Words => Training.Concat(Test).SelectMany(text => text.Story.Append(text.Question).SelectMany(sentence => sentence.Split(' ')).Append(text.Answer));
}
