using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Temporarily removes the flags of an immutable or append-only file or directory, which the kernel does not allow to be renamed,
/// linked or removed.
/// </summary>
internal readonly unsafe struct UnprotectedEntry
{
    private readonly Descriptor _entry;
    private readonly InodeFlags _flags;

    private UnprotectedEntry(Descriptor entry, InodeFlags flags) => (_entry, _flags) = (entry, flags);

    /// <summary>Removes the flags from an entry. False if it has none, or the caller may not change them.</summary>
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
    /// Permanently removes from an entry, if it is the expected inode, what prevents its owner from moving it: the flags, and a
    /// directory's mode. If this fails, moving it reports the failure.
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

    /// <summary>Removes the flags from an open entry. Returns its previous flags.</summary>
    public static bool TryUnprotect(Descriptor entry, out InodeFlags flags) =>
        !Sys.GetFlags(entry, out flags).Failed && (flags & InodeFlags.Protected) != 0 &&
        !Sys.SetLateFlags(entry, flags & ~InodeFlags.Protected).Failed;

    /// <summary>Restores the flags.</summary>
    public CallResult Protect()
    {
        CallResult result = Sys.SetLateFlags(_entry, _flags);
        Sys.Close(_entry);
        return result;
    }

    /// <summary>Gives up the flags together with the entry.</summary>
    public void Release() => Sys.Close(_entry);
}
