namespace Rnn.Sequences;

/// <summary>The prefixes of one row that a prefix beam search follows. Each has two probabilities, of the ways that end in a blank and of those that end in its last label, since a label that comes again begins anew after a blank only.</summary>
internal sealed class CtcBeam
{
    private const double Impossible = double.NegativeInfinity;

    private readonly int _width;
    private readonly int _blank;

    // All prefixes that ever were in the beam, as a tree: the prefix without its last label, the last label, and its place in the beam or −1. One that comes back is the same as before, and so are those that go on from it.
    private readonly List<(int Parent, int Label)> _tree = [(-1, -1)];
    private readonly List<int> _places = [0];
    private readonly Dictionary<(int Parent, int Label), int> _children = [];

    private readonly bool[] _isInBeam;
    private Prefix[] _beam;
    private Prefix[] _next;
    private int _count = 1;
    private int _nextCount;

    internal CtcBeam(int width, int blank, int classes)
    {
        (_width, _blank) = (width, blank);
        _isInBeam = new bool[classes];
        (_beam, _next) = (new Prefix[Math.Min(width, 16)], new Prefix[Math.Min(width, 16)]);
        _beam[0] = new(0, -1, 0, Impossible);
    }

    /// <summary>Goes one step on, by the logarithms of the probabilities of its classes.</summary>
    internal void Step(double[] logarithms)
    {
        _nextCount = 0;
        var likeliest = Impossible;
        for (var label = 0; label < logarithms.Length; label++)
        {
            likeliest = label == _blank ? likeliest : Math.Max(likeliest, logarithms[label]);
        }

        for (var i = 0; i < _count; i++)
        {
            Stay(_beam[i], logarithms);
        }

        for (var i = 0; i < _count; i++)
        {
            // No label makes it better than this.
            if (_nextCount < _width || _beam[i].Total + likeliest > _next[_nextCount - 1].Total)
            {
                Extend(_beam[i], logarithms);
            }
        }

        for (var i = 0; i < _count; i++)
        {
            _places[_beam[i].Node] = -1;
        }

        (_beam, _next, _count) = (_next, _beam, _nextCount);
        for (var i = 0; i < _count; i++)
        {
            var prefix = _beam[i];
            if (prefix.Extension >= 0)
            {
                _beam[i] = prefix = new(Child(prefix.Node, prefix.Extension), -1, prefix.Blank, prefix.Label);
            }

            _places[prefix.Node] = i;
        }
    }

    /// <summary>The prefixes of the beam, the likeliest first.</summary>
    internal CtcHypothesis[] Hypotheses()
    {
        var found = new CtcHypothesis[_count];
        for (var i = 0; i < _count; i++)
        {
            var labels = new List<int>();
            for (var node = _beam[i].Node; node > 0; node = _tree[node].Parent)
            {
                labels.Add(_tree[node].Label);
            }

            labels.Reverse();
            found[i] = new([.. labels], _beam[i].Total);
        }

        return found;
    }

    // The same labels: by a blank, by the last label once more, or by the last label where the prefix without it is in the beam too.
    private void Stay(in Prefix prefix, double[] logarithms)
    {
        var (parent, label) = _tree[prefix.Node];
        var ofLabel = Impossible;
        if (label >= 0)
        {
            ofLabel = prefix.Label + logarithms[label];
            if (_places[parent] is >= 0 and var place)
            {
                ofLabel = Sum(ofLabel, _beam[place].Before(label, _tree) + logarithms[label]);
            }
        }

        Offer(new(prefix.Node, -1, prefix.Total + logarithms[_blank], ofLabel));
    }

    private void Extend(in Prefix prefix, double[] logarithms)
    {
        for (var i = 0; i < _count; i++)
        {
            var (parent, label) = _tree[_beam[i].Node];
            if (parent == prefix.Node)
            {
                _isInBeam[label] = true;
            }
        }

        for (var label = 0; label < logarithms.Length; label++)
        {
            if (_isInBeam[label])
            {
                _isInBeam[label] = false;
            }
            else if (label != _blank)
            {
                Offer(new(prefix.Node, label, Impossible, prefix.Before(label, _tree) + logarithms[label]));
            }
        }
    }

    // Keeps the best in order; of equal ones those that came first.
    private void Offer(in Prefix prefix)
    {
        if (prefix.Total == Impossible || (_nextCount == _width && !(prefix.Total > _next[_nextCount - 1].Total)))
        {
            return;
        }

        if (_nextCount < _width && ++_nextCount > _next.Length)
        {
            Array.Resize(ref _next, Math.Min(_width, 2 * _next.Length));
        }

        var at = _nextCount - 1;
        for (; at > 0 && prefix.Total > _next[at - 1].Total; at--)
        {
            _next[at] = _next[at - 1];
        }

        _next[at] = prefix;
    }

    private int Child(int parent, int label)
    {
        if (!_children.TryGetValue((parent, label), out var node))
        {
            _children.Add((parent, label), node = _tree.Count);
            _tree.Add((parent, label));
            _places.Add(-1);
        }

        return node;
    }

    private static double Sum(double a, double b)
    {
        var (largest, other) = a > b ? (a, b) : (b, a);
        return largest == Impossible ? Impossible : largest + Math.Log(1 + Math.Exp(other - largest));
    }

    /// <summary>A prefix: its place in the tree, and the label that makes another one of it or −1; the logarithms of the probabilities of the ways that end in a blank, in its last label, and of all.</summary>
    private readonly struct Prefix(int node, int extension, double blank, double label)
    {
        internal readonly int Node = node;
        internal readonly int Extension = extension;
        internal readonly double Blank = blank;
        internal readonly double Label = label;
        internal readonly double Total = Sum(blank, label);

        // The ways that a label may follow as a new one.
        internal double Before(int label, List<(int Parent, int Label)> tree) => tree[Node].Label == label ? Blank : Total;
    }
}
