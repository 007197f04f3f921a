using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <content>The state of a module by path: parameters, buffers and random sources.</content>
public abstract partial class Module<T>
{
    private readonly List<KeyValuePair<string, Tensor<T>>> _buffers = [];
    private readonly List<KeyValuePair<string, RandomSource>> _randomSources = [];

    /// <summary>
    /// All buffers with their dotted paths: tensors that belong to the module and are saved with it but that no optimiser changes, such as running means.
    /// </summary>
    public IReadOnlyList<KeyValuePair<string, Tensor<T>>> NamedBuffers => Named(module => module._buffers);

    /// <summary>All random sources that the module and its children draw from in training, such as those of dropout, with their dotted paths; a shared one comes once.</summary>
    public IReadOnlyList<KeyValuePair<string, RandomSource>> NamedRandomSources => Named(module => module._randomSources);

    /// <summary>Options that act in training alone, such as probabilities of dropout; a training is resumed with the same ones only.</summary>
    private protected virtual string Regularization => string.Empty;

    /// <summary>Puts all parameters, buffers and random sources under their paths into a tree; nothing is copied.</summary>
    /// <param name="state">The tree.</param>
    public void SaveState(StateTree<T> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        foreach (var (path, tensor) in SavedTensors)
        {
            state.Add(path, tensor);
        }

        foreach (var (path, random) in NamedRandomSources)
        {
            state.Set(path, random.GetState());
        }
    }

    /// <summary>Takes the values of all parameters, buffers and random sources from a tree.</summary>
    /// <param name="state">What <see cref="SaveState"/> of a module of the same parts filled.</param>
    /// <exception cref="InvalidDataException">The tree lacks something or has another shape for it; nothing has changed.</exception>
    public void RestoreState(StateTree<T> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var tensors = SavedTensors.Select(pair => (pair.Value, state.GetTensor(pair.Key, pair.Value.Shape))).ToList();
        var randoms = NamedRandomSources.Select(pair => (pair.Value, state.GetRandomState(pair.Key))).ToList();
        foreach (var (target, saved) in tensors)
        {
            saved.AsReadOnlySpan().CopyTo(target.AsSpan());
        }

        foreach (var (random, saved) in randoms)
        {
            random.Adopt(saved);
        }
    }

    /// <summary>Registers a tensor that is saved with the module but not trained. Write to it in place; it stays the same object.</summary>
    /// <param name="name">Its name, unique in this module and without a dot.</param>
    /// <param name="value">Its initial values.</param>
    /// <exception cref="ArgumentException">The name is taken, empty or has a dot.</exception>
    protected Tensor<T> AddBuffer(string name, Tensor<T> value)
    {
        ArgumentNullException.ThrowIfNull(value);
        _buffers.Add(new(CheckName(name), value));
        return value;
    }

    /// <summary>Registers a random source that the module draws from in training, so that a resumed training draws the same numbers.</summary>
    /// <param name="name">Its name, unique in this module and without a dot.</param>
    /// <param name="random">The source.</param>
    /// <exception cref="ArgumentException">The name is taken, empty or has a dot.</exception>
    protected RandomSource AddRandomSource(string name, RandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        _randomSources.Add(new(CheckName(name), random));
        return random;
    }

    /// <summary>All that the module computes, beyond its tensors: what a training that goes on must find again.</summary>
    internal string Identity => $"{ToString()}\n{string.Join('\n', Named<string>(module => new KeyValuePair<string, string>[] { new("computes", module.Arithmetic), new("regularization", module.Regularization) })
        .Where(pair => pair.Value.Length > 0).Select(pair => $"{pair.Key}: {pair.Value}"))}";

    // What is saved in files: parameters, then buffers.
    private IEnumerable<KeyValuePair<string, Tensor<T>>> SavedTensors =>
        NamedParameters.Select(pair => new KeyValuePair<string, Tensor<T>>(pair.Key, pair.Value.Value)).Concat(NamedBuffers);

    // By path; what is shared comes once, under its first name.
    private List<KeyValuePair<string, TPart>> Named<TPart>(Func<Module<T>, IEnumerable<KeyValuePair<string, TPart>>> parts)
        where TPart : class
    {
        var found = new List<KeyValuePair<string, TPart>>();
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        Add(this, string.Empty);
        return found;

        void Add(Module<T> module, string prefix)
        {
            foreach (var (name, part) in parts(module))
            {
                if (part is string || seen.Add(part))
                {
                    found.Add(new(prefix + name, part));
                }
            }

            foreach (var (name, child) in module._children)
            {
                Add(child, $"{prefix}{name}.");
            }
        }
    }
}
