using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>An entry that is not a directory, by its names on both sides; valid as long as the memory of these names.</summary>
/// <param name="sourceName">The name at the source, null-terminated.</param>
/// <param name="name">The name at the destination, null-terminated.</param>
/// <param name="isRegular">Whether it is a regular file.</param>
/// <param name="inode">The source's inode number.</param>
/// <param name="status">The source's status, if it was just read.</param>
internal readonly unsafe struct SyncEntry(byte* sourceName, byte* name, bool isRegular, ulong inode, Statx* status = null)
{
    public byte* SourceName => sourceName;

    public byte* Name => name;

    public bool IsRegular => isRegular;

    public ulong Inode => inode;

    public Statx* Status => status;

    /// <summary>The name at the destination.</summary>
    public ReadOnlySpan<byte> Text => new(name, Utf8Z.Length(name));
}
