using System.Globalization;
using System.Numerics;
using Rnn.Layers;
using Rnn.Models;

namespace Rnn.Onnx.Export;

/// <summary>The models that read a sequence by one sequence layer, in one file each.</summary>
internal static class SequenceModels
{
    internal static void Write<T>(ModelBuilder model, LanguageModel<T> module)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var x = ModelParts.Embedded(model, module.Embedding, module.Embedding.Size);
        var output = ModelParts.Run(model, module.SequenceLayer, x, model.Lengths());
        model.Output("scores", ModelParts.Apply(model.Graph, "output", module.Output, output.Values), model.Batch, model.Steps, module.VocabularySize);
        model.NextStates(module.SequenceLayer, output.States);
    }

    internal static void Write<T>(ModelBuilder model, SequenceClassifier<T> module)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var x = ModelParts.Embedded(model, module.Embedding, module.SequenceLayer.InputSize);
        var output = ModelParts.Run(model, module.SequenceLayer, x, model.Lengths());
        OnnxGraphValue pooled;
        using (model.Graph.Enter("pooling"))
        {
            pooled = PoolingWriter.Write(model.Graph, module.Pooling, output);
        }

        model.Output("scores", ModelParts.Apply(model.Graph, "output", module.Output, pooled), model.Batch, module.Classes.Count);
        model.NextStates(module.SequenceLayer, output.States);
        model.Describe("classes", string.Join('\n', module.Classes));
    }

    internal static void Write<T>(ModelBuilder model, SequenceTagger<T> module)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var graph = model.Graph;
        var words = model.Input("words", OnnxElementType.Int64, model.Batch, model.Steps);
        var lengths = model.Lengths();
        var x = ModelParts.Apply(graph, "word_embedding", module.WordEmbedding, words);
        if (module.CharacterLayer is { } characters)
        {
            var spellings = model.Input("spellings", OnnxElementType.Int64, "spellings", "characters");
            var spellingLengths = model.Input("spelling_lengths", OnnxElementType.Int32, "spellings");
            var spellingOf = model.Input("spelling_of", OnnxElementType.Int64, model.Batch, model.Steps);
            var embedded = ModelParts.Apply(graph, "character_embedding", module.CharacterEmbedding!, spellings);
            using var path = graph.Enter("character_layer");
            var spelled = LayerWriter.Last(graph, graph.Sequence(characters, new() { Values = embedded, Lengths = spellingLengths }), spellingLengths);
            x = graph.Concat(-1, x, graph.Gather(spelled, spellingOf));
        }

        var output = ModelParts.Run(model, module.SequenceLayer, x, lengths);
        var scores = ModelParts.Apply(graph, "output", module.Output, output.Values);
        model.Output("scores", scores, model.Batch, model.Steps, module.Tags.Count);
        if (module.Field is { } field)
        {
            using var path = graph.Enter("field");
            var tags = FieldWriter.Write(graph, field, scores, lengths);
            model.Output("tags", tags, model.Batch, model.Steps);
        }

        model.NextStates(module.SequenceLayer, output.States);
        model.Describe("tags", string.Join('\n', module.Tags));
    }

    internal static void Write<T>(ModelBuilder model, MultiLabelSequenceModel<T> module)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var x = model.Input("input", model.Batch, model.Steps, module.SequenceLayer.InputSize);
        var output = ModelParts.Run(model, module.SequenceLayer, x, model.Lengths());
        model.Output("scores", ModelParts.Apply(model.Graph, "output", module.Output, output.Values), model.Batch, model.Steps, module.Labels);
        model.NextStates(module.SequenceLayer, output.States);
    }

    internal static void Write<T>(ModelBuilder model, SequenceTranscriber<T> module)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (graph, stacking) = (model.Graph, module.Options.FrameStacking);
        var x = ModelParts.Embedded(model, module.Embedding, module.FeatureSize);
        var lengths = model.Lengths();
        var steps = model.Steps;
        if (stacking > 1)
        {
            // [N, L, I] → [N, ⌈L/k⌉, k·I]; the steps that the last one lacks are zeros.
            x = graph.ClearPastEnds(x, lengths);
            var missing = graph.Emit("Mod", [graph.Unary("Neg", graph.Size(x, 1)), graph.Integers(stacking)], [OnnxElementType.Int64])[0];
            x = graph.Emit("Pad", [x, graph.Concat(0, graph.Integers(0, 0, 0, 0), missing, graph.Integers(0)), graph.Scalar(0)], [x.ElementType])[0];
            x = graph.Reshape(x, 0, -1, module.SequenceLayer.InputSize);
            steps = steps.Name is null ? (steps.Size + stacking - 1) / stacking : "output_steps";
            if (lengths is not null)
            {
                var rounded = graph.Add(graph.Cast(lengths, OnnxElementType.Int64), graph.Integer(stacking - 1));
                lengths = graph.Cast(graph.Divide(rounded, graph.Integer(stacking)), OnnxElementType.Int32);
                model.Output("output_lengths", lengths, model.Batch);
            }
        }

        var output = ModelParts.Run(model, module.SequenceLayer, x, lengths);
        model.Output("scores", ModelParts.Apply(graph, "output", module.Output, output.Values), model.Batch, steps, module.Vocabulary.Count + 1);
        model.NextStates(module.SequenceLayer, output.States);
        model.Describe("blank", module.Blank.ToString(CultureInfo.InvariantCulture));
    }

    internal static void Write<T>(ModelBuilder model, WaveformModel<T> module)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var graph = model.Graph;
        var x = module.Embedding is { } embedding
            ? ModelParts.Lookup(graph, embedding, model.Input("levels", OnnxElementType.Int64, model.Batch, model.Steps))
            : graph.Unsqueeze(model.Input("samples", model.Batch, model.Steps), 2);
        if (module.ConditionSize > 0)
        {
            var classes = model.Input("classes", OnnxElementType.Int64, model.Batch, module.Conditions.Count);
            var vectors = new OnnxGraphValue[module.Conditions.Count];
            for (var i = 0; i < vectors.Length; i++)
            {
                var name = string.Create(CultureInfo.InvariantCulture, $"classes_{i}");
                vectors[i] = ModelParts.Apply(graph, name, LayerWriter.Child<T, Embedding<T>>(module, name), graph.Gather(classes, graph.Integer(i), 1));
            }

            x = graph.Concat(-1, x, ModelParts.Repeat(graph, graph.Concat(-1, vectors), x));
        }

        var output = ModelParts.Run(model, module.SequenceLayer, x, model.Lengths());
        model.Output("scores", ModelParts.Apply(graph, "output", module.Output, output.Values), model.Batch, model.Steps, module.Output.OutputSize);
        model.NextStates(module.SequenceLayer, output.States);
    }
}
