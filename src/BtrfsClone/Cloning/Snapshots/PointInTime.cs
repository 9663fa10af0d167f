using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>
/// Reads an invocation's sources from temporary read-only snapshots: one of each subvolume, taken when the first
/// directory in it is reached. Paths stay the user's; only descriptors lead into the snapshots.
/// </summary>
internal sealed class PointInTime(CloneContext context) : IDisposable
{
    private readonly object _gate = new();

    /// <summary>By the number that the subvolume has while its root, here, is open.</summary>
    private readonly Dictionary<ulong, Taken> _taken = [];
    private SnapshotFolder? _folder;

    /// <summary>Where the first item goes: the snapshots are put beside it, where the invocation writes anyway.</summary>
    private CloneDestination? _destination;

    /// <summary>Says where an item goes, before anything of it is opened.</summary>
    public void BeginItem(CloneDestination destination) => _destination ??= destination;

    /// <summary>Puts the snapshot's directory into the place of an open source directory.</summary>
    public Failure Enter(DirectoryPair pair)
    {
        bool isBelow = pair.Parent is { InSnapshot: true };
        if (pair.InSnapshot || (!isBelow && GivenUp.Hold(pair.SourceStatus)))
        {
            return default;
        }

        Failure failure = isBelow ? EnterBelow(pair) : EnterTop(pair);
        bool isForbidden = failure.Call is SystemCall.CreateSnapshot or SystemCall.DestroySnapshot && failure.Errno == Errno.EPERM;
        if (isForbidden && context.Options.PerFile)
        {
            return GiveUp(pair, isBelow);
        }

        pair.InSnapshot = !failure.Failed;
        return failure;
    }

    /// <summary>What is cloned without a snapshot, since none may be taken or removed.</summary>
    public LiveSubvolumes GivenUp { get; } = new();

    /// <summary>Removes the snapshots.</summary>
    public void Dispose()
    {
        foreach (Taken taken in _taken.Values)
        {
            taken.Subvolume.Dispose();
            taken.Snapshot.Dispose();
        }

        _taken.Clear();
        _folder?.Dispose();
        _folder = null;
    }

    /// <summary>Goes on in the subvolume as it is.</summary>
    private Failure GiveUp(DirectoryPair pair, bool isBelow)
    {
        if (isBelow)
        {
            CallResult result = DirectoryByNames.OpenSource(pair, out Descriptor opened);
            if (result.Failed)
            {
                return Failure.Source(SystemCall.OpenAt, result);
            }

            (pair.SourceAbove, pair.Source) = (pair.Source, opened);
            result = Sys.Stat(opened, out pair.SourceStatus);
            if (result.Failed)
            {
                return Failure.Source(SystemCall.Statx, result);
            }
        }

        GivenUp.Add(pair.SourceStatus, pair.SourcePath);
        return default;
    }

    /// <summary>An item, or the directory that items are taken from: it is found in its subvolume by its path there.</summary>
    private Failure EnterTop(DirectoryPair pair)
    {
        Failure failure = PathInSubvolume.OpenRoot(pair, out HeldDirectory? root);
        byte[] path = [], rootPath = [];
        failure = failure.Failed ? failure : PathInSubvolume.Find(pair.Source, out path);
        failure = failure.Failed ? failure : PathInSubvolume.Find(root!.Descriptor, out rootPath);
        if (failure.Failed)
        {
            root?.Dispose();
            return failure;
        }

        failure = Take(root!, out HeldDirectory? snapshot);
        if (failure.Failed)
        {
            return failure;
        }

        CallResult result = PathInSubvolume.OpenIn(snapshot!, path, rootPath, out HeldDirectory? opened);
        if (result.Failed)
        {
            return Failure.Source(SystemCall.OpenAt, result);
        }

        // The path may have changed before the snapshot was taken, and lead through a link out of it.
        using HeldDirectory source = opened!;
        result = source.Stat(out Statx status);
        Statx top = default;
        result = result.Failed ? result : snapshot!.Stat(out top);
        if (result.Failed || status.Inode != pair.SourceStatus.Inode || status.Device != top.Device)
        {
            return result.Failed ? Failure.Source(SystemCall.Statx, result) : WhyNotTheSame(path, rootPath);
        }

        if (!MountsBelow.TryFind(path.AsSpan(..^1), out MountsBelow? mounts))
        {
            return Failure.Refused(BtrfsError.ProcNotMounted, atSource: true);
        }

        if (context.Options.SingleItem && _folder!.MayDestroy && status.Inode != Sys.SubvolumeRootInode)
        {
            result = RemoveEarly(source, out status);
            if (result.Failed)
            {
                return Failure.Source(SystemCall.Statx, result);
            }
        }

        pair.Replaced = pair.Source;
        pair.Source = source.Release();
        pair.SourceStatus = status;
        pair.Mounts = mounts;
        return default;
    }

    private static Failure WhyNotTheSame(byte[] path, byte[] rootPath)
    {
        bool isTold = MountsBelow.TryFind(rootPath.AsSpan(..^1), out MountsBelow? mounts);
        BtrfsError reason = !isTold ? BtrfsError.ProcNotMounted
            : mounts?.AreOnTheWayTo(path) ?? false ? BtrfsError.MountInBetween
            : BtrfsError.ChangedMeanwhile;
        return Failure.Refused(reason, atSource: true);
    }

    /// <summary>
    /// Removes the only snapshot that there is, of which a directory is open that is not its root: that one and all below
    /// it can be read on. With the last use of an entry the kernel then forgets it, where at the end it would have to
    /// forget them all, one by one, while nothing else goes on.
    /// </summary>
    private CallResult RemoveEarly(HeldDirectory directory, out Statx status)
    {
        _folder!.RemoveSnapshots();

        // With it goes its device number (btrfs_delete_subvolume in fs/btrfs/inode.c).
        CallResult result = directory.Stat(out status);
        lock (_gate)
        {
            (ulong device, Taken taken) = _taken.Single();
            _taken[device] = taken with { SnapshotDevice = status.Device };
        }

        return result;
    }

    /// <summary>
    /// A directory in a snapshot. Where a nested subvolume or a mount had been, the snapshot has another directory in
    /// its place: a snapshot of what is there now, taken now, stands in for that.
    /// </summary>
    private Failure EnterBelow(DirectoryPair pair)
    {
        ReadOnlySpan<byte> name = Utf8Z.Span(pair.Name);
        bool isMount = pair.Parent!.Mounts is { } mounts && mounts.Contains(name);
        pair.Mounts = pair.Parent.Mounts?.In(name);
        if (!isMount && pair.SourceStatus.Inode != Sys.EmptySubvolumeInode)
        {
            return default;
        }

        CallResult result = DirectoryByNames.OpenSource(pair, out Descriptor opened);
        if (result.Failed)
        {
            return Failure.Source(SystemCall.OpenAt, result);
        }

        var live = new HeldDirectory(opened, pair.SourcePath);
        result = live.Stat(out Statx status);
        if (result.Failed || status.Inode != Sys.SubvolumeRootInode)
        {
            live.Dispose();
            return result.Failed ? Failure.Source(SystemCall.Statx, result)
                : IsSeenIn(pair.SourceStatus, status) ? default
                : Failure.Refused(isMount ? BtrfsError.MountInBetween : BtrfsError.ChangedMeanwhile, atSource: true);
        }

        Failure failure = Take(live, out HeldDirectory? snapshot);
        if (failure.Failed)
        {
            return failure;
        }

        result = PathInSubvolume.OpenIn(snapshot!, [], [], out HeldDirectory? source);
        if (result.Failed)
        {
            return Failure.Source(SystemCall.OpenAt, result);
        }

        pair.SourceAbove = pair.Source;
        pair.Source = source!.Release();
        result = Sys.Stat(pair.Source, out pair.SourceStatus);
        return result.Failed ? Failure.Source(SystemCall.Statx, result) : default;
    }

    /// <summary>
    /// Whether a snapshot's directory stands for one that is outside: an empty directory that the subvolume itself, a
    /// snapshot, has in the place of another, or one that no mount hides, or a clone's destination.
    /// </summary>
    public bool IsSeenIn(in Statx snapshot, in Statx live)
    {
        lock (_gate)
        {
            return live.IsSameFileAs(snapshot) || (live.Inode == snapshot.Inode &&
                _taken.TryGetValue(live.Device, out Taken taken) && taken.SnapshotDevice == snapshot.Device);
        }
    }

    /// <summary>Takes the snapshot of a subvolume, or finds the one that this invocation has taken.</summary>
    /// <param name="root">The subvolume's root. It is kept open, or closed.</param>
    /// <param name="snapshot">The snapshot's root. It stays open until the end of the invocation.</param>
    private Failure Take(HeldDirectory root, out HeldDirectory? snapshot)
    {
        bool isKept = false;
        try
        {
            lock (_gate)
            {
                return Take(root, out snapshot, out isKept);
            }
        }
        finally
        {
            if (!isKept)
            {
                root.Dispose();
            }
        }
    }

    private Failure Take(HeldDirectory root, out HeldDirectory? snapshot, out bool isKept)
    {
        snapshot = null;
        isKept = false;
        CallResult result = root.Stat(out Statx status);
        if (result.Failed)
        {
            return Failure.Source(SystemCall.Statx, result);
        }

        if (_taken.TryGetValue(status.Device, out Taken known))
        {
            snapshot = known.Snapshot;
            return default;
        }

        Failure failure = _folder is not null ? default
            : SnapshotFolder.Make(DestinationDirectory.Nearest(_destination!), context.Report, out _folder);
        failure = failure.Failed ? failure : _folder!.Take(root, out snapshot);
        if (failure.Failed)
        {
            return failure;
        }

        result = snapshot!.Stat(out Statx taken);
        if (result.Failed)
        {
            snapshot.Dispose();
            return Failure.Source(SystemCall.Statx, result);
        }

        _taken.Add(status.Device, new Taken(root, snapshot, taken.Device));
        isKept = true;
        return default;
    }

    /// <summary>A subvolume's open root, its snapshot's, and the snapshot's device number.</summary>
    private readonly record struct Taken(HeldDirectory Subvolume, HeldDirectory Snapshot, ulong SnapshotDevice);
}
