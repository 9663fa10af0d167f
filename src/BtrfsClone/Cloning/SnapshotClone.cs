using System.Diagnostics;
using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Clones whole subvolumes: each becomes a writable snapshot, in the same time whatever its size. A snapshot ends at
/// nested subvolumes and has empty directories in their places.
/// </summary>
/// <param name="session">Takes failures below an item; and clones nested subvolumes, by its options.</param>
/// <param name="recurse">Clone nested subvolumes as directories into the places that the snapshot leaves empty.</param>
/// <param name="onLeftEmpty">Takes the path of each nested subvolume that the snapshot leaves empty.</param>
public sealed class SnapshotClone(CloneSession session, bool recurse, Action<string> onLeftEmpty) : IDisposable
{
    private readonly WorkerBuffers _buffers = session.NewBuffers();
    private readonly EntryCloner _entries = new(session);
    private readonly DirectoryCloner _directories = new(session);

    /// <summary>
    /// Takes a snapshot of one subvolume. Needs ownership of its root directory, or CAP_FOWNER; and to name nested
    /// subvolumes, read and search permission to the directories that hold them. It writes out first what is delayed
    /// in the subvolume.
    /// </summary>
    /// <param name="source">The absolute path of the subvolume's root.</param>
    /// <param name="destination">Where the snapshot goes, below the source too. Nothing that exists is replaced.</param>
    /// <param name="cancellation">Stops between two entries of nested subvolumes.</param>
    /// <returns>What it came to. It counts no entries and no bytes: they are null.</returns>
    /// <exception cref="BtrfsException">
    /// <see cref="BtrfsError.NotSubvolume"/>, or the snapshot could not be taken.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public CloneResult Clone(string source, CloneDestination destination, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(destination);
        cancellation.ThrowIfCancellationRequested();
        session.Cancellation = cancellation;
        long begin = Stopwatch.GetTimestamp();
        long failed = session.Counters.Failed;
        source = CloneDestination.Trim(source);
        string target = destination.TargetOf(source);
        var top = new DirectoryPair(source, target) { Source = OpenSubvolume(source) };
        try
        {
            top.Destination = TakeSnapshot(top.Source, source, destination, target);
            VisitNested(top, target);
        }
        finally
        {
            top.Close();
        }

        session.Drain();
        cancellation.ThrowIfCancellationRequested();
        return new CloneResult
        {
            Source = source,
            Path = target,
            Kind = EntryKind.Directory,
            Failed = session.Counters.Failed - failed,
            Elapsed = Stopwatch.GetElapsedTime(begin),
        };
    }

    /// <summary>Releases memory.</summary>
    public void Dispose() => _buffers.Dispose();

    private static int OpenSubvolume(string source)
    {
        int root = Sys.Open(
            source, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow | OpenFlags.NonBlock);
        if (root < 0)
        {
            throw root is -Errno.ENOTDIR or -Errno.ELOOP
                ? new BtrfsException(BtrfsError.NotSubvolume, source)
                : Fault.Source("openat", root).ToException(source);
        }

        if (Sys.Stat(root, out Statx status) < 0 || status.Inode != Sys.SubvolumeRootInode ||
            Sys.FileSystemMagic(root, out long magic) < 0 || magic != Sys.BtrfsMagic)
        {
            Sys.Close(root);
            throw new BtrfsException(BtrfsError.NotSubvolume, source);
        }

        return root;
    }

    /// <summary>Returns the open snapshot, or a negative errno where there is another entry in its place already.</summary>
    private static unsafe int TakeSnapshot(int subvolume, string source, CloneDestination destination, string target)
    {
        if (Sys.Stat(target, follow: false, out _) == 0)
        {
            throw new BtrfsException(BtrfsError.DestinationExists, target);
        }

        Sys.Stat(subvolume, out Statx status);
        CheckFileSystem(subvolume, status, ItemParents.ExistingContainer(destination), target);
        int parent = ItemParents.OpenDirectory(destination);
        byte[] name = Utf8Z.From(CloneDestination.NameOf(target));
        int result = Sys.CreateSnapshot(subvolume, parent, name, readOnly: false);
        int snapshot;
        fixed (byte* text = name)
        {
            snapshot = result < 0 ? -1 : Sys.OpenAt(
                parent, text, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow | OpenFlags.NonBlock);
        }

        Sys.Close(parent);
        if (result < 0)
        {
            // Who does not own the source gets EPERM; what the destination's directory forbids is mostly EACCES.
            bool atSource = result is -Errno.EPERM or -Errno.ETXTBSY;
            Fault fault = atSource
                ? Fault.Source(Sys.CreateSnapshotCall, result)
                : Fault.Destination(Sys.CreateSnapshotCall, result);
            throw fault.ToException(atSource ? source : target);
        }

        return snapshot;
    }

    private static void CheckFileSystem(int subvolume, in Statx status, string container, string target)
    {
        int directory = Sys.Open(container, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NonBlock);
        if (directory >= 0)
        {
            BtrfsError? reason = Preconditions.WhyNotClonable(subvolume, status, directory);
            Sys.Close(directory);
            if (reason is { } error)
            {
                throw new BtrfsException(error, target);
            }
        }
    }

    private void VisitNested(DirectoryPair top, string target)
    {
        List<byte[]> nested = [];
        int result = NestedSubvolumes.List(top.Source, nested);
        if (top.Destination < 0)
        {
            session.Report(Fault.Destination("openat", top.Destination), top, []);
            return;
        }

        if (result < 0)
        {
            // Which ones are missing in the snapshot cannot be told.
            session.Report(Fault.Source("BTRFS_IOC_INO_LOOKUP_USER", result), top, []);
        }

        foreach (byte[] path in nested)
        {
            session.Cancellation.ThrowIfCancellationRequested();
            DirectoryPair parent = top;
            int begin = 0;
            for (int end; (end = Array.IndexOf(path, (byte)'/', begin)) >= 0; begin = end + 1)
            {
                byte[] name = [.. path.AsSpan(begin, end - begin), 0];
                parent = new DirectoryPair(parent, name, name);
            }

            var pair = new DirectoryPair(parent, path[begin..], path[begin..]);
            Fault fault = Visit(pair, target);
            if (parent != top)
            {
                parent.Close();
            }

            if (fault.Failed)
            {
                session.Report(fault, pair, []);
            }
        }
    }

    private Fault Visit(DirectoryPair pair, string target)
    {
        DirectoryPair parent = pair.Parent!;
        if (parent.Destination < 0)
        {
            parent.Destination = DirectoryByNames.OpenDestination(parent, OpenFlags.ReadOnly | OpenFlags.NonBlock);
        }

        if (!IsLeftEmpty(pair))
        {
            return default; // It was made, moved or filled after the snapshot was taken.
        }

        if (!recurse)
        {
            onLeftEmpty(pair.SourcePath);
            return default;
        }

        if (parent.Source < 0 && (parent.Source = DirectoryByNames.OpenSource(parent)) < 0)
        {
            return Fault.Source("openat", parent.Source);
        }

        Fault fault = DirectoryCloner.ReadTop(_buffers, parent);
        return fault.Failed ? fault : Fill(pair, target);
    }

    private static unsafe bool IsLeftEmpty(DirectoryPair pair)
    {
        fixed (byte* name = pair.DestinationName)
        {
            return pair.Parent!.Destination >= 0 && Sys.StatEntry(pair.Parent.Destination, name, out Statx status) == 0 &&
                status.Inode == Sys.EmptySubvolumeInode;
        }
    }

    /// <summary>Clones the nested subvolume. Nothing can be put into the empty directory: a new one takes its place.</summary>
    private unsafe Fault Fill(DirectoryPair pair, string target)
    {
        DirectoryPair parent = pair.Parent!;
        fixed (byte* name = pair.Name)
        {
            int source = Sys.OpenAt(
                parent.Source, name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow | OpenFlags.NonBlock);
            if (source < 0)
            {
                return Fault.Source("openat", source);
            }

            int result = Sys.Stat(source, out Statx status);
            Sys.Close(source);
            if (result < 0 || Preconditions.IsAtOrBelow(target, status))
            {
                return result < 0 ? Fault.Source("statx", result)
                    : Fault.Refused(BtrfsError.DestinationInsideSource, atSource: true);
            }

            result = Sys.RemoveDirectory(parent.Destination, name);
            if (result < 0)
            {
                return Fault.Destination("unlinkat", result);
            }
        }

        Fault fault = _directories.Open(_buffers, pair);
        if (!fault.Failed)
        {
            Sys.Stat(pair.Destination, out session.TopDestination);
            new CloneWalk(session, _entries, _directories).Run(pair, _buffers);
            _buffers.CloseAll();
        }

        // The exchange of its entry has touched the directory, which is the source's in all else.
        int timed = Sys.SetTimes(parent.Destination, parent.DestinationStatus);
        return fault.Failed || timed >= 0 ? fault : Fault.Destination("futimens", timed);
    }
}
