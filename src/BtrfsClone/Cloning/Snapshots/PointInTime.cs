using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>
/// Reads an invocation's sources from temporary read-only snapshots: one of each subvolume, taken when the first directory in it is
/// reached. Paths stay the user's; only descriptors refer to the snapshots.
/// </summary>
internal sealed class PointInTime(CloneContext context) : IDisposable
{
    private readonly object _gate = new();

    /// <summary>By the device number that the subvolume has while its root is open.</summary>
    private readonly Dictionary<ulong, Taken> _taken = [];
    private SnapshotFolder? _folder;

    /// <summary>The destination of the first item: the snapshots are created beside it, where the invocation writes anyway.</summary>
    private CloneDestination? _destination;

    /// <summary>Sets the destination of an item, before anything of it is opened.</summary>
    public void BeginItem(CloneDestination destination) => _destination ??= destination;

    /// <summary>Replaces an open source directory by the snapshot's.</summary>
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

    /// <summary>What is cloned without a snapshot, because none may be created or removed.</summary>
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

    /// <summary>Continues in the subvolume itself.</summary>
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

    /// <summary>An item, or the directory that contains items: it is found in its snapshot by its path in the subvolume.</summary>
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

        // The path may have changed before the snapshot was taken, and lead out of it through a link.
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
    /// Removes the only snapshot, in which a directory other than the root is open: that directory and everything below it stay
    /// readable. The kernel then discards each entry after its last use, instead of discarding all of them at the end, one by one,
    /// while nothing else is going on.
    /// </summary>
    private CallResult RemoveEarly(HeldDirectory directory, out Statx status)
    {
        _folder!.RemoveSnapshots();

        // This also removes its device number (btrfs_delete_subvolume in fs/btrfs/inode.c).
        CallResult result = directory.Stat(out status);
        lock (_gate)
        {
            (ulong device, Taken taken) = _taken.Single();
            _taken[device] = taken with { SnapshotDevice = status.Device };
        }

        return result;
    }

    /// <summary>
    /// A directory in a snapshot. Instead of a nested subvolume or a mount, the snapshot contains another directory: it is replaced
    /// by a snapshot of what is there now, taken now.
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
    /// Whether a snapshot's directory corresponds to the live one: an empty directory that the subvolume, itself a snapshot,
    /// contains instead of a nested one, or one that no mount hides, or a clone's destination.
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
