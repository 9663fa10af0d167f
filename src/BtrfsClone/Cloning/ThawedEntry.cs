using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// An immutable or append-only file or directory, which the kernel lets nobody rename, link or remove, without these
/// flags for a moment.
/// </summary>
internal readonly unsafe struct ThawedEntry
{
    private const InodeFlags Frozen = InodeFlags.Immutable | InodeFlags.AppendOnly;

    private readonly int _entry;
    private readonly InodeFlags _flags;

    private ThawedEntry(int entry, InodeFlags flags) => (_entry, _flags) = (entry, flags);

    /// <summary>Takes the flags from an entry. False where it has none, or they are not the caller's to take.</summary>
    public static bool TryThaw(int directory, byte* name, out ThawedEntry thawed)
    {
        int entry = Sys.OpenAt(directory, name, OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlock);
        if (entry >= 0 && Sys.GetFlags(entry, out InodeFlags flags) >= 0 && (flags & Frozen) != 0 &&
            Sys.SetLateFlags(entry, flags & ~Frozen) >= 0)
        {
            thawed = new ThawedEntry(entry, flags);
            return true;
        }

        if (entry >= 0)
        {
            Sys.Close(entry);
        }

        thawed = default;
        return false;
    }

    /// <summary>Gives the flags back. Returns 0 or a negative errno.</summary>
    public int Refreeze()
    {
        int result = Sys.SetLateFlags(_entry, _flags);
        Sys.Close(_entry);
        return result;
    }
}
