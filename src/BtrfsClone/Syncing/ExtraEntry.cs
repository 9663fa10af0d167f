using BtrfsClone.Cloning;

namespace BtrfsClone.Syncing;

/// <summary>An entry of the destination that the source has not.</summary>
/// <param name="Name">Its name, ended by a zero.</param>
/// <param name="Kind">What it is.</param>
internal readonly record struct ExtraEntry(byte[] Name, EntryKind Kind);
