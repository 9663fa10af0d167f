using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// An immutable or append-only file or directory, which the kernel lets nobody rename, link or remove, without these
/// flags for a moment.
/// </summary>
internal readonly unsafe struct UnprotectedEntry
{
    private readonly Descriptor _entry;
    private readonly InodeFlags _flags;

    private UnprotectedEntry(Descriptor entry, InodeFlags flags) => (_entry, _flags) = (entry, flags);

    /// <summary>Takes the flags from an entry. False where it has none, or they are not the caller's to take.</summary>
    public static bool TryUnprotect(Descriptor directory, byte* name, out UnprotectedEntry unprotected)
    {
        CallResult opened = Sys.OpenAt(
            directory, name, OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlock, out Descriptor entry);
        if (!opened.Failed && TryUnprotect(entry, out InodeFlags flags))
        {
            unprotected = new UnprotectedEntry(entry, flags);
            return true;
        }

        _ = Sys.Reject(ref entry, opened);
        unprotected = default;
        return false;
    }

    /// <summary>
    /// Takes for good from an entry, if it is the inode that is meant, what keeps its owner from moving it: the flags,
    /// and a directory's mode. What this does not achieve, moving it tells.
    /// </summary>
    public static void OpenUp(Descriptor directory, byte* name, ulong inode)
    {
        CallResult result = Sys.OpenAt(
            directory, name, OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlock, out Descriptor entry);
        using DescriptorScope closing = new(entry);
        if (result.Succeeded && Sys.Stat(entry, out Statx status).Succeeded && status.Inode == inode)
        {
            _ = TryUnprotect(entry, out _);
            if (status.FileType == Sys.ModeDirectory)
            {
                _ = Sys.Chmod(entry, Sys.ModeOwner);
            }
        }
    }

    /// <summary>Takes the flags from an open one. It had them before.</summary>
    public static bool TryUnprotect(Descriptor entry, out InodeFlags flags) =>
        !Sys.GetFlags(entry, out flags).Failed && (flags & InodeFlags.Protected) != 0 &&
        !Sys.SetLateFlags(entry, flags & ~InodeFlags.Protected).Failed;

    /// <summary>Gives the flags back.</summary>
    public CallResult Protect()
    {
        CallResult result = Sys.SetLateFlags(_entry, _flags);
        Sys.Close(_entry);
        return result;
    }

    /// <summary>Lets the flags go with the entry.</summary>
    public void Release() => Sys.Close(_entry);
}
