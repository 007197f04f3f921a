namespace Samples;

/// <summary>Something the user gave is wrong: the message names it, says what was given and what would be right.</summary>
public sealed class InputException(string message, Exception? inner = null) : Exception(message, inner);
