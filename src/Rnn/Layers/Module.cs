using System.Globalization;
using System.Numerics;
using System.Text;
using Rnn.Formats;

namespace Rnn.Layers;

/// <summary>
/// Something with parameters, made of parameters of its own and of child modules: a layer, a model. A subclass registers both in its
/// constructor; names, saving, training mode, counting and printing follow from that.
/// </summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public abstract partial class Module<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly List<KeyValuePair<string, Parameter<T>>> _parameters = [];
    private readonly List<KeyValuePair<string, Module<T>>> _children = [];

    private bool _isTraining = true;

    /// <summary>
    /// Whether the module is being trained: dropout and its relatives act only then. True at first. Scoring, validation and generation read false,
    /// for themselves alone and without switching the mode, so ask in the forward pass and do not keep the answer. To set it is to call <see cref="Train"/> or <see cref="Evaluate"/>.
    /// </summary>
    public bool IsTraining
    {
        get => _isTraining && !Evaluation.IsActive;
        set => SetTraining(value);
    }

    /// <summary>The child modules with their names, in the order of registration.</summary>
    public IReadOnlyList<KeyValuePair<string, Module<T>>> Children => _children;

    /// <summary>All parameters of the module and its children, each once, in a fixed order.</summary>
    public IEnumerable<Parameter<T>> Parameters => NamedParameters.Select(pair => pair.Value);

    /// <summary>All parameters with their dotted paths, such as <c>encoder.weight_ih_l0</c>; a shared parameter comes once, under its first name.</summary>
    public IReadOnlyList<KeyValuePair<string, Parameter<T>>> NamedParameters
    {
        get
        {
            var found = new List<KeyValuePair<string, Parameter<T>>>();
            Collect(string.Empty, found, []);
            return found;
        }
    }

    /// <summary>The number of trainable numbers.</summary>
    public long ParameterCount => Parameters.Sum(parameter => (long)parameter.Length);

    /// <summary>What stands behind the name in the printed tree, such as the sizes of a layer; unless overridden, the sizes and options that <see cref="Describe"/> writes.</summary>
    protected virtual string Description => FileType is null ? string.Empty : DescriptionWriter.ToText(this);

    /// <summary>
    /// What the module computes beyond what the names and shapes of its parameters tell, such as the name of a cell or an epsilon; empty where they tell all.
    /// <c>Save</c> writes it and <c>Load</c> refuses a file that says something else, so that no weights come to compute something else unnoticed.
    /// </summary>
    protected virtual string Arithmetic => string.Empty;

    /// <summary>Switches the module and its children to training.</summary>
    public void Train() => SetTraining(true);

    /// <summary>Switches the module and its children to evaluation: dropout and its relatives pass values through.</summary>
    public void Evaluate() => SetTraining(false);

    /// <summary>Clears the gradients of all parameters.</summary>
    public void ZeroGradients()
    {
        foreach (var parameter in Parameters)
        {
            parameter.Value.ZeroGradient();
        }
    }

    /// <summary>The tree of modules with sizes and parameter counts, one a line.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        Print(text, string.Empty, 0);
        return text.ToString().TrimEnd();
    }

    /// <summary>Registers a parameter of this module itself.</summary>
    /// <param name="name">Its name, unique in this module and without a dot.</param>
    /// <param name="value">Its initial values.</param>
    /// <exception cref="ArgumentException">The name is taken, empty or has a dot.</exception>
    protected Parameter<T> AddParameter(string name, Tensors.Tensor<T> value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return AddParameter(name, new Parameter<T>(CheckName(name), value));
    }

    /// <summary>Registers a parameter that another module owns too, as tied weights do, under its own name.</summary>
    /// <param name="parameter">The shared parameter.</param>
    /// <exception cref="ArgumentException">The parameter's name is taken in this module; register it under another.</exception>
    protected Parameter<T> AddParameter(Parameter<T> parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        return AddParameter(parameter.Name, parameter);
    }

    /// <summary>Registers a parameter that another module owns too under a name of this module's.</summary>
    /// <param name="name">Its name here, unique in this module and without a dot.</param>
    /// <param name="parameter">The shared parameter.</param>
    /// <exception cref="ArgumentException">The name is taken, empty or has a dot.</exception>
    protected Parameter<T> AddParameter(string name, Parameter<T> parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        _parameters.Add(new(CheckName(name), parameter));
        return parameter;
    }

    /// <summary>Registers a child module.</summary>
    /// <param name="name">Its name, unique in this module and without a dot.</param>
    /// <param name="module">The child.</param>
    /// <exception cref="ArgumentException">The name is taken, empty or has a dot.</exception>
    protected TModule AddModule<TModule>(string name, TModule module)
        where TModule : Module<T>
    {
        ArgumentNullException.ThrowIfNull(module);
        _children.Add(new(CheckName(name), module));
        return module;
    }

    /// <summary>
    /// Called when <see cref="Train"/> or <see cref="Evaluate"/> changes the module's mode, after the change. Not called where the library evaluates for itself, as in
    /// scoring and validation: what is prepared here may save time, but the forward pass must go by <see cref="IsTraining"/>.
    /// </summary>
    protected virtual void OnModeChanged()
    {
    }

    internal string TypeName => GetType().Name.Split('`')[0];

    private string CheckName(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (name.Contains('.', StringComparison.Ordinal))
        {
            throw new ArgumentException($"name: '{name}' has a dot; dots separate the levels of a path.", nameof(name));
        }

        UnicodeText.Check(name, nameof(name), "the character");
        if (name == "__metadata__")
        {
            throw new ArgumentException("name: '__metadata__' is reserved by the format of saved files.", nameof(name));
        }

        if (_parameters.Any(p => p.Key == name) || _children.Any(c => c.Key == name) || _buffers.Any(b => b.Key == name) || _randomSources.Any(r => r.Key == name))
        {
            throw new ArgumentException($"name: '{name}' is taken in this module.", nameof(name));
        }

        return name;
    }

    private void Collect(string prefix, List<KeyValuePair<string, Parameter<T>>> found, HashSet<Parameter<T>> seen)
    {
        foreach (var (name, parameter) in _parameters)
        {
            if (seen.Add(parameter))
            {
                found.Add(new(prefix + name, parameter));
            }
        }

        foreach (var (name, child) in _children)
        {
            child.Collect($"{prefix}{name}.", found, seen);
        }
    }

    /// <summary>The mode of the module and of each below it, to be put back later.</summary>
    internal List<(Module<T> Module, bool IsTraining)> SaveModes() => [(this, _isTraining), .. _children.SelectMany(child => child.Value.SaveModes())];

    /// <summary>Puts modes back that <see cref="SaveModes"/> gave.</summary>
    internal static void RestoreModes(List<(Module<T> Module, bool IsTraining)> modes)
    {
        foreach (var (module, isTraining) in modes)
        {
            module.SetMode(isTraining);
        }
    }

    private void SetTraining(bool training)
    {
        SetMode(training);
        foreach (var (_, child) in _children)
        {
            child.SetTraining(training);
        }
    }

    private void SetMode(bool training)
    {
        if (_isTraining != training)
        {
            _isTraining = training;
            OnModeChanged();
        }
    }

    private void Print(StringBuilder text, string name, int depth)
    {
        text.Append(' ', depth * 2);
        if (name.Length > 0)
        {
            text.Append(name).Append(": ");
        }

        text.Append(TypeName);
        if (Description.Length > 0)
        {
            text.Append('(').Append(Description).Append(')');
        }

        var compressed = _parameters.FirstOrDefault(parameter => parameter.Value.Format != WeightFormat.Single).Value;
        text.Append(CultureInfo.InvariantCulture, $" {ParameterCount:N0} parameters{(compressed is null ? string.Empty : $", {compressed.Format}")}").AppendLine();
        foreach (var (childName, child) in _children)
        {
            child.Print(text, childName, depth + 1);
        }
    }
}
