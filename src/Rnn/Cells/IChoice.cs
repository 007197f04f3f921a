namespace Rnn.Cells;

/// <summary>A choice that the JIT folds away, as a type parameter.</summary>
internal interface IChoice
{
    static abstract bool Value { get; }
}

internal readonly struct Yes : IChoice
{
    public static bool Value => true;
}

internal readonly struct No : IChoice
{
    public static bool Value => false;
}
