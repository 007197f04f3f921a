namespace Rnn.Tests.Learning;

/// <summary>As <see cref="LongFactAttribute"/>, for a test of several cases.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LongTheoryAttribute : TheoryAttribute
{
    public LongTheoryAttribute()
    {
        if (!LongFactAttribute.Enabled)
        {
            Skip = LongFactAttribute.Reason;
        }
    }
}
