namespace BtrfsClone.Cloning;

/// <summary>Returns whether an entry is included. An excluded directory is not entered. Called on several threads at once.</summary>
/// <param name="path">
/// The names from the given item down to the entry: first the item's own, last the entry's own. Bytes that are not UTF-8 are
/// encoded as in <see cref="PathText"/>.
/// </param>
/// <param name="kind">The entry's type.</param>
public delegate bool EntryFilter(ReadOnlySpan<string> path, EntryKind kind);
