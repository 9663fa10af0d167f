using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Reads an invocation's sources from temporary read-only snapshots: one of each subvolume, taken when the first
/// directory in it is reached. Paths stay the user's; only descriptors lead into the snapshots.
/// </summary>
internal sealed unsafe class PointInTime(CloneSession session) : IDisposable
{
    private static readonly int s_read = OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow | OpenFlags.NonBlock;
    private static readonly int s_pathOnly = OpenFlags.PathOnly | OpenFlags.Directory | OpenFlags.NoFollow;

    private readonly object _gate = new();

    /// <summary>By the number that the subvolume has while its root, here, is open.</summary>
    private readonly Dictionary<ulong, Taken> _taken = [];
    private MomentFolder? _folder;

    /// <summary>Where the first item goes: the snapshots are put beside it, where the invocation writes anyway.</summary>
    private CloneDestination? _destination;

    /// <summary>Says where an item goes, before anything of it is opened.</summary>
    public void BeginItem(CloneDestination destination) => _destination ??= destination;

    /// <summary>Puts the snapshot's directory into the place of an open source directory.</summary>
    public Fault Enter(DirectoryPair pair)
    {
        if (pair.InMoment)
        {
            return default;
        }

        Fault fault = pair.Parent is { InMoment: true } ? EnterBelow(pair) : EnterTop(pair);
        pair.InMoment = !fault.Failed;
        return fault;
    }

    /// <summary>Removes the snapshots.</summary>
    public void Dispose()
    {
        foreach (Taken taken in _taken.Values)
        {
            Sys.Close(taken.Subvolume);
            Sys.Close(taken.Snapshot);
        }

        _taken.Clear();
        _folder?.Dispose();
        _folder = null;
    }

    /// <summary>An item, or the directory that items are taken from: it is found in its subvolume by its path there.</summary>
    private Fault EnterTop(DirectoryPair pair)
    {
        Fault fault = OpenRoot(pair.Source, out int root);
        if (fault.Failed)
        {
            return fault;
        }

        byte[] path = PathOf(pair.Source);
        byte[] rootPath = PathOf(root);
        fault = Take(root, out int snapshot);
        if (fault.Failed)
        {
            return fault;
        }

        int source = OpenIn(snapshot, path, rootPath);
        if (source < 0)
        {
            return Fault.Source("openat", source);
        }

        // The path may have changed before the snapshot was taken, and lead through a link out of it.
        if (Sys.Stat(source, out Statx status) < 0 || status.Inode != pair.SourceStatus.Inode ||
            Sys.Stat(snapshot, out Statx top) < 0 || status.Device != top.Device)
        {
            Sys.Close(source);
            bool isMounted = MountsBelow.Of(rootPath.AsSpan(0, rootPath.Length - 1))?.AreOnTheWayTo(path) ?? false;
            return Fault.Refused(isMounted ? BtrfsError.MountInBetween : BtrfsError.ChangedMeanwhile, atSource: true);
        }

        if (session.Options.SingleItem && status.Inode != Sys.SubvolumeRootInode)
        {
            RemoveEarly(source, out status);
        }

        pair.Replaced = pair.Source;
        pair.Source = source;
        pair.SourceStatus = status;
        pair.Mounts = MountsBelow.Of(path.AsSpan(0, path.Length - 1));
        return default;
    }

    /// <summary>
    /// Removes the only snapshot that there is, of which a directory is open that is not its root: that one and all below
    /// it can be read on. With the last use of an entry the kernel then forgets it, where at the end it would have to
    /// forget them all, one by one, while nothing else goes on.
    /// </summary>
    private void RemoveEarly(int directory, out Statx status)
    {
        _folder!.RemoveSnapshots();

        // With it goes its device number (btrfs_delete_subvolume in fs/btrfs/inode.c).
        Sys.Stat(directory, out status);
        lock (_gate)
        {
            (ulong device, Taken taken) = _taken.Single();
            _taken[device] = taken with { SnapshotDevice = status.Device };
        }
    }

    /// <summary>
    /// A directory in a snapshot. Where a nested subvolume or a mount had been, the snapshot has another directory in
    /// its place: a snapshot of what is there now, taken now, stands in for that.
    /// </summary>
    private Fault EnterBelow(DirectoryPair pair)
    {
        ReadOnlySpan<byte> name = Utf8Z.Span(pair.Name);
        bool isMount = pair.Parent!.Mounts is { } mounts && mounts.Contains(name);
        pair.Mounts = pair.Parent.Mounts?.In(name);
        if (!isMount && pair.SourceStatus.Inode != Sys.EmptySubvolumeInode)
        {
            return default;
        }

        int live = DirectoryByNames.OpenSource(pair);
        if (live < 0)
        {
            return Fault.Source("openat", live);
        }

        int result = Sys.Stat(live, out Statx status);
        if (result < 0 || status.Inode != Sys.SubvolumeRootInode)
        {
            Sys.Close(live);
            return result < 0 ? Fault.Source("statx", result)
                : IsSeenIn(pair.SourceStatus, status) ? default
                : Fault.Refused(isMount ? BtrfsError.MountInBetween : BtrfsError.ChangedMeanwhile, atSource: true);
        }

        Fault fault = Take(live, out int snapshot);
        if (fault.Failed)
        {
            return fault;
        }

        int source = OpenIn(snapshot, [], []);
        if (source < 0)
        {
            return Fault.Source("openat", source);
        }

        pair.SourceAbove = pair.Source;
        pair.Source = source;
        result = Sys.Stat(source, out pair.SourceStatus);
        return result < 0 ? Fault.Source("statx", result) : default;
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

    /// <summary>
    /// Takes the snapshot of a subvolume, or finds the one that this invocation has taken. The open root is closed in
    /// the end.
    /// </summary>
    private Fault Take(int root, out int snapshot)
    {
        snapshot = -1;
        lock (_gate)
        {
            Fault fault = default;
            int result = Sys.Stat(root, out Statx status);
            if (result < 0)
            {
                fault = Fault.Source("statx", result);
            }
            else if (_taken.TryGetValue(status.Device, out Taken known))
            {
                Sys.Close(root);
                snapshot = known.Snapshot;
                return default;
            }
            else if (_folder is null)
            {
                string place = ItemParents.ExistingContainer(_destination!);
                fault = MomentFolder.Make(place, f => session.Report(f.ToException(place)), out _folder);
            }

            if (!fault.Failed)
            {
                snapshot = _folder!.Take(root);
                if (snapshot >= 0 && Sys.Stat(snapshot, out Statx taken) == 0)
                {
                    _taken.Add(status.Device, new Taken(root, snapshot, taken.Device));
                    return default;
                }

                fault = Fault.Source(Sys.CreateSnapshotCall, snapshot);
            }

            Sys.Close(root);
            return fault;
        }
    }

    /// <summary>Goes up to the subvolume's root, without leaving the subvolume, and opens it for reading.</summary>
    private static Fault OpenRoot(int directory, out int root)
    {
        root = -1;
        if (Sys.FileSystemMagic(directory, out long magic) == 0 && magic != Sys.BtrfsMagic)
        {
            return Fault.Refused(BtrfsError.NotBtrfs, atSource: true);
        }

        fixed (byte* here = ".\0"u8, up = "..\0"u8)
        {
            int at = Sys.OpenAt(directory, here, s_pathOnly);
            int result = Sys.Stat(at, out Statx status);
            while (result >= 0 && status.Inode != Sys.SubvolumeRootInode)
            {
                Statx below = status;
                int parent = Sys.OpenAt(at, up, s_pathOnly);
                Sys.Close(at);
                at = parent;
                result = at < 0 ? at : Sys.Stat(at, out status);
                if (result >= 0 && (status.Device != below.Device || status.Inode == below.Inode))
                {
                    Sys.Close(at);
                    return Fault.Refused(BtrfsError.MountInBetween, atSource: true);
                }
            }

            if (result >= 0)
            {
                result = root = Sys.OpenAt(at, here, s_read);
            }

            Sys.Close(at);
            return result < 0 ? Fault.Source("openat", result) : default;
        }
    }

    /// <summary>Opens the directory in the snapshot that has the same path in it as another one in the subvolume.</summary>
    private static int OpenIn(int snapshot, byte[] path, byte[] rootPath)
    {
        // Both end with a zero byte; the root of all is the one path that has a slash before it.
        int start = rootPath.Length == 2 ? 1 : rootPath.Length;
        byte[] relative = path.Length <= rootPath.Length ? [(byte)'.', 0] : path[start..];
        fixed (byte* name = relative)
        {
            int directory = Sys.OpenAt(snapshot, name, s_read);
            return directory == -Errno.EACCES ? Sys.OpenAt(snapshot, name, s_pathOnly) : directory;
        }
    }

    /// <summary>An open directory's real path, zero-terminated; empty where the kernel does not tell it.</summary>
    private static byte[] PathOf(int directory)
    {
        byte[] path = new byte[Sys.PathMax];
        fixed (byte* link = Utf8Z.From($"/proc/self/fd/{directory}"), target = path)
        {
            int length = Sys.ReadLink(Sys.WorkingDirectory, link, target, Sys.PathMax - 1);
            return length < 0 ? [0] : path[..(length + 1)];
        }
    }

    /// <summary>A subvolume's open root, its snapshot's, and the snapshot's device number.</summary>
    private readonly record struct Taken(int Subvolume, int Snapshot, ulong SnapshotDevice);
}
