using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Finding;

/// <summary>Asks the kernel whether anything refers to an extent that is not searched.</summary>
internal sealed class SnapshotHolders
{
    private readonly OwnerSearch _owners = new();

    /// <param name="file">Any file of the filesystem that is open.</param>
    /// <param name="path">What to call it in errors.</param>
    public SnapshotHolders(Descriptor file, string path) => _owners.Start(file, path);

    /// <summary>Whether there are more references than those that were found. Where that cannot be told, there may be.</summary>
    public bool IsHeld(ExtentEntry extent) =>
        _owners.TryCount(extent.Disk, extent.Pieces, out int? count).Failed || count != extent.Pieces;
}
