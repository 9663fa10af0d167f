using BtrfsClone.Cloning;

namespace BtrfsClone.Syncing;

/// <summary>An entry of the destination that the source does not have.</summary>
/// <param name="Name">Its name, null-terminated.</param>
/// <param name="Kind">Its type.</param>
internal readonly record struct ExtraEntry(byte[] Name, EntryKind Kind);
