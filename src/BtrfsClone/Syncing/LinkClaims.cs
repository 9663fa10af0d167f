using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>
/// Which source each destination inode with several names corresponds to: an inode cannot correspond to two. Memory grows with the
/// number of hard-linked inodes in the tree.
/// </summary>
internal sealed class LinkClaims
{
    private readonly Dictionary<(ulong Device, ulong Inode), (ulong Device, ulong Inode)> _claims = [];

    /// <summary>Whether an inode of the destination may correspond to a source; if so, it does from now on.</summary>
    public bool TryClaim(in Statx destination, in Statx source)
    {
        // It has more names than the source: at least one does not belong to the source.
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
