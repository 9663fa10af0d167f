using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Finding;

/// <summary>Asks the kernel whether an extent has references that are not searched.</summary>
internal sealed class SnapshotHolders
{
    private readonly OwnerSearch _owners = new();

    /// <param name="file">Any open file on the filesystem.</param>
    /// <param name="path">The path to use in error messages.</param>
    public SnapshotHolders(Descriptor file, string path) => _owners.Start(file, path);

    /// <summary>Whether there are more references than those that were found. If this cannot be determined, the answer is yes.</summary>
    public bool IsHeld(ExtentEntry extent) =>
        _owners.TryCount(extent.Disk, extent.Pieces, out int? count).Failed || count != extent.Pieces;
}
