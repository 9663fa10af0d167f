using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>
/// Which source each inode of the destination stands for that has several names: an inode cannot stand for two. Grows with
/// the linked inodes of the tree.
/// </summary>
internal sealed class LinkClaims
{
    private readonly Dictionary<(ulong Device, ulong Inode), (ulong Device, ulong Inode)> _claims = [];

    /// <summary>Whether an inode of the destination may stand for a source, and does from now on.</summary>
    public bool TryClaim(in Statx destination, in Statx source)
    {
        // More names than the source has: at least one is not the source's.
        if (destination.LinkCount > source.LinkCount)
        {
            return false;
        }

        if (destination.LinkCount == 1)
        {
            return true;
        }

        lock (_claims)
        {
            (ulong, ulong) key = (destination.Device, destination.Inode);
            (ulong, ulong) claimer = (source.Device, source.Inode);
            return _claims.TryAdd(key, claimer) || _claims[key] == claimer;
        }
    }
}
