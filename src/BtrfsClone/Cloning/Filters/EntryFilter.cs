namespace BtrfsClone.Cloning;

/// <summary>
/// Says whether an entry takes part. A directory that does not is not entered. It is asked on several threads at once.
/// </summary>
/// <param name="path">
/// The names on the way from the item that was given down to the entry: the item's own first, the entry's own last. Bytes
/// that are not UTF-8 are as <see cref="PathText"/> has them.
/// </param>
/// <param name="kind">What the entry is.</param>
public delegate bool EntryFilter(ReadOnlySpan<string> path, EntryKind kind);
