using BtrfsClone.Interop;

namespace BtrfsClone.Finding;

/// <summary>Asks the kernel whether anything refers to an extent that is not searched.</summary>
/// <param name="descriptor">Any file of the filesystem.</param>
internal sealed class SnapshotHolders(Descriptor descriptor)
{
    // What the kernel takes at most (fs/btrfs/ioctl.c, btrfs_ioctl_logical_to_ino).
    private const int LargestAnswer = 16 << 20;

    private byte[] _answer = new byte[64 << 10];

    /// <summary>Whether there are more references than those that were found.</summary>
    public bool IsHeld(ExtentEntry extent)
    {
        while (true)
        {
            CallResult result = Sys.ExtentOwners(
                descriptor, (ulong)extent.Disk, _answer, out ReadOnlySpan<ExtentOwner> owners, out bool isAll);
            if (result.Failed || owners.Length > extent.Pieces)
            {
                return true;
            }

            if (isAll)
            {
                return owners.Length != extent.Pieces;
            }

            if (_answer.Length == LargestAnswer)
            {
                return true;
            }

            _answer = new byte[LargestAnswer];
        }
    }
}
