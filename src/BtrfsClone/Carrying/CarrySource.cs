using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Carrying;

/// <summary>
/// A filesystem whose extents are brought elsewhere: what it is, what of it may be read, and since when an address on it has
/// stood for one extent. It is btrfs or xfs, which tell by FIEMAP where data lies, on which other addresses than those of one
/// device do not appear, and which never write in place what is shared.
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

        // What is new has its items in the extent tree then, and is old.
        _ = _mayReadTrees ? Sys.SyncFileSystem(file) : CallResult.Success;
        StartGeneration = _mayReadTrees && Sys.BtrfsGeneration(file, out ulong generation).Succeeded ? generation : 0;
        _start = StartGeneration == 0 ? RunStart.Take(file) : null;
    }

    /// <summary>Whether it is btrfs, and not xfs.</summary>
    public bool IsBtrfs => _identity.Id != Guid.Empty;

    /// <summary>The transaction when the run began; 0 where the age of extents cannot be found out.</summary>
    public ulong StartGeneration { get; }

    /// <summary>
    /// Whether what was brought before has to be compared: a balance of btrfs moves extents, and changes no file's time.
    /// </summary>
    public bool MustCompare => StartGeneration == 0 && IsBtrfs;

    /// <summary>Whether its trees may be read, as far as that was tried.</summary>
    public bool MayReadTrees => _mayReadTrees;

    /// <summary>The filesystem of a file that is open for reading, or null where it is of another kind.</summary>
    public static CarrySource? Find(Descriptor file, in Statx status) =>
        TryIdentify(file, status, out (Guid, ulong) identity) ? new CarrySource(identity, file, status.Inode) : null;

    /// <summary>Whether both are one filesystem.</summary>
    public bool IsSameAs(CarrySource other) => _identity == other._identity;

    /// <summary>Whether an open file is on it.</summary>
    public bool Holds(Descriptor file, in Statx status) =>
        TryIdentify(file, status, out (Guid, ulong) identity) && identity == _identity;

    /// <summary>
    /// The time before which a file has to be unchanged, or null where that does not matter: where the age of its extents can be
    /// found out, and they are never written in place. A NOCOW file's are, once nobody shares them any more, and it may have been
    /// cloned again since. No such file has been asked for before the first is, and that makes the time.
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

    /// <summary>What a filesystem is known by: btrfs by its id, and xfs by its device.</summary>
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
