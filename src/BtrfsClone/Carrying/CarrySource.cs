using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Carrying;

/// <summary>
/// A filesystem whose extents are copied to another one: its identity, what may be read of it, and since when an address on it has
/// belonged to the same extent. It is btrfs or xfs, for which FIEMAP reports only addresses within one address space, and which
/// never write shared data in place.
/// </summary>
internal sealed class CarrySource
{
    private readonly (Guid Id, ulong Device) _identity;
    private readonly RunStart? _start;
    private readonly object _gate = new();
    private RunStart? _startOfNoCow;
    private volatile bool _mayReadTrees;

    private CarrySource((Guid, ulong) identity, Descriptor file, ulong inode)
    {
        _identity = identity;
        _mayReadTrees = IsBtrfs && new ItemSource().Start(file, "", inode).Succeeded;

        // After this, items of new data are in the extent tree, and count as old.
        _ = _mayReadTrees ? Sys.SyncFileSystem(file) : CallResult.Success;
        StartGeneration = _mayReadTrees && Sys.BtrfsGeneration(file, out ulong generation).Succeeded ? generation : 0;
        _start = StartGeneration == 0 ? RunStart.Take(file) : null;
    }

    /// <summary>Whether it is btrfs, not xfs.</summary>
    public bool IsBtrfs => _identity.Id != Guid.Empty;

    /// <summary>The transaction at the start of the run; 0 if the age of extents cannot be determined.</summary>
    public ulong StartGeneration { get; }

    /// <summary>
    /// Whether data that was copied before has to be compared: a balance of btrfs moves extents without changing the times of
    /// files.
    /// </summary>
    public bool MustCompare => StartGeneration == 0 && IsBtrfs;

    /// <summary>Whether its trees may be read, as far as known.</summary>
    public bool MayReadTrees => _mayReadTrees;

    /// <summary>The filesystem of a file that is open for reading, or null if it is of another type.</summary>
    public static CarrySource? Find(Descriptor file, in Statx status) =>
        TryIdentify(file, status, out (Guid, ulong) identity) ? new CarrySource(identity, file, status.Inode) : null;

    /// <summary>Whether both are the same filesystem.</summary>
    public bool IsSameAs(CarrySource other) => _identity == other._identity;

    /// <summary>Whether an open file is on it.</summary>
    public bool Holds(Descriptor file, in Statx status) =>
        TryIdentify(file, status, out (Guid, ulong) identity) && identity == _identity;

    /// <summary>
    /// The time since which a file must be unchanged, or null if this does not matter: if the age of its extents can be determined,
    /// and they are never written in place. Those of a NOCOW file are, once they are no longer shared, and the file may have been
    /// cloned again since. The time is taken when this is called for the first such file.
    /// </summary>
    public RunStart? StartFor(Descriptor file, bool isNoCow)
    {
        if (_start is not null || !isNoCow)
        {
            return _start;
        }

        lock (_gate)
        {
            return _startOfNoCow ??= RunStart.Take(file);
        }
    }

    /// <summary>Trees cannot be read after all.</summary>
    public void ForgoTrees() => _mayReadTrees = false;

    /// <summary>The identity of a filesystem: for btrfs its id, for xfs its device.</summary>
    public static bool TryIdentify(Descriptor file, in Statx status, out (Guid Id, ulong Device) identity)
    {
        identity = (Guid.Empty, status.Device);
        if (Sys.FileSystemMagic(file, out long magic).Failed)
        {
            return false;
        }

        if (magic != Sys.BtrfsMagic)
        {
            return magic == Sys.XfsMagic;
        }

        bool isKnown = Sys.BtrfsFsid(file, out Guid id).Succeeded && id != Guid.Empty;
        identity = (id, 0);
        return isKnown;
    }
}
