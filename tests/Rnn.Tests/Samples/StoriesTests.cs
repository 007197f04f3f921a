using Rnn.Tensors;
using Samples;
using Stories;

namespace Rnn.Tests.Samples;

/// <summary>The stories of the sample: those that it makes and those that it reads.</summary>
public sealed class StoriesTests
{
    [Fact]
    public void The_answers_of_the_small_world_follow_from_its_stories()
    {
        var task = SmallWorld.Generate(new RandomSource(1), 600, 30);
        Assert.Equal((600, 30), (task.Training.Count, task.Test.Count));
        Assert.Equal([1, 2, 3], task.Training.Select(text => text.Kind).Distinct().Order());
        foreach (var text in task.Training)
        {
            // Where everybody is, and where each thing that is held or lies has been, read back from the sentences.
            var (places, holders, ways) = (new Dictionary<string, string>(), new Dictionary<string, string>(), new Dictionary<string, List<string>>());
            foreach (var words in text.Story.Select(sentence => sentence.Split(' ')))
            {
                var (person, verb, last) = (words[0], words[1], words[^1]);
                if (verb == "took")
                {
                    Assert.False(holders.ContainsKey(last));
                    holders[last] = person;
                    Been(last, places[person], isFound: true);
                }
                else if (verb == "dropped")
                {
                    Assert.Equal(person, holders[last]);
                    holders.Remove(last);
                }
                else
                {
                    Assert.NotEqual(last, places.GetValueOrDefault(person));
                    places[person] = last;
                    foreach (var (thing, _) in holders.Where(pair => pair.Value == person))
                    {
                        Been(thing, last, isFound: false);
                    }
                }
            }

            var question = text.Question.Split(' ');
            Assert.Equal(text.Kind switch { 1 => places[question[2]], 2 => ways[question[3]][^1], _ => ways[question[3]][^2] }, text.Answer);
            Assert.True(text.Kind < 3 || question[^1] == ways[question[3]][^1]);

            void Been(string thing, string place, bool isFound)
            {
                var way = ways.TryGetValue(thing, out var known) ? known : ways[thing] = [];
                if (isFound && way.Count > 0)
                {
                    Assert.Equal(place, way[^1]);
                    return;
                }

                way.Add(place);
            }
        }
    }

    [Fact]
    public void A_file_of_the_tasks_is_read_story_by_story()
    {
        var texts = BabiFiles.Parse(
            ["1 Mary moved to the bathroom.", "2 Where is Mary? \tbathroom\t1", "3 Sandra got the milk there.", "4 What is Mary carrying? \tMilk,football\t1 3", "1 Greg is a frog.", "2 What color is Greg?\tgreen\t1"], kind: 8);
        Assert.Equal(3, texts.Count);
        Assert.Equal(["mary moved to the bathroom"], texts[0].Story);
        Assert.Equal(("where is mary", "bathroom", 8), (texts[0].Question, texts[0].Answer, texts[0].Kind));
        Assert.Equal(["mary moved to the bathroom", "sandra got the milk there"], texts[1].Story);
        Assert.Equal(("what is mary carrying", "milk,football"), (texts[1].Question, texts[1].Answer));
        Assert.Equal(["greg is a frog"], texts[2].Story);
        Assert.Contains("line 2: expected a number and a sentence", Assert.Throws<InvalidDataException>(() => BabiFiles.Parse(["1 A.", "where"], 1)).Message, StringComparison.Ordinal);
        Assert.Contains("expected questions", Assert.Throws<InvalidDataException>(() => BabiFiles.Parse(["1 A."], 1)).Message, StringComparison.Ordinal);
        Assert.Contains("there is no file no-such-folder", Assert.Throws<InputException>(() => BabiFiles.Read("no-such-folder", null)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("memory")]
    [InlineData("lstm")]
    public async Task Both_readers_learn_where_somebody_is(string kind)
    {
        var world = SmallWorld.Generate(new RandomSource(1), 900, 300);
        var task = world with { Training = [.. world.Training.Where(text => text.Kind == 1)], Test = [.. world.Test.Where(text => text.Kind == 1)] };
        StoryReader reader = kind == "lstm" ? new LstmReader(task, new RandomSource(2)) : new MemoryReader(task, new RandomSource(2));
        foreach (var (_, fit, _) in reader.Training(task.Training, 60, null, null, new RandomSource(3)))
        {
            await fit(null, CancellationToken.None);
        }

        // Guessing one of five places would err in four of five.
        Assert.InRange(reader.Score(task.Test).Error, 0, kind == "lstm" ? 0.6 : 0.1);
    }

    [SharedDataFact("babi")]
    public void All_tasks_have_a_thousand_questions_in_each_part()
    {
        var tasks = BabiFiles.Read(Path.Combine(SharedDataFactAttribute.PathOf("babi"), "en"), null);
        Assert.Equal(Enumerable.Range(1, 20), tasks.Select(task => task.Number));
        Assert.All(tasks, task => Assert.Equal((1000, 1000), (task.Training.Count, task.Test.Count)));
        Assert.Equal("single supporting fact", tasks[0].Name);
        Assert.Equal(["s,e"], tasks[18].Training.Take(1).Select(text => text.Answer));
        Assert.Equal(13.83, Published.MemoryNetwork.Average(), 1e-12);
        Assert.Equal(50.8, Published.Lstm.Average(), 1e-12);
    }
}
