using System.Diagnostics;
using BtrfsClone.Extents;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>
/// Clones whole subvolumes: each becomes a snapshot, in constant time. A snapshot does not include nested subvolumes; it contains
/// empty directories instead, unless these become snapshots too.
/// </summary>
/// <param name="session">Receives failures below an item, and what cannot be removed after a failure.</param>
/// <param name="options">The kind of snapshot.</param>
/// <param name="onLeftEmpty">
/// Receives the path of each nested subvolume that is empty in the snapshot: all of them, or with
/// <see cref="SnapshotOptions.Recurse"/> only the one that contains the snapshot itself.
/// </param>
public sealed class SnapshotClone(CloneSession session, SnapshotOptions options, Action<string> onLeftEmpty)
{
    private static readonly int s_rootFlags =
        OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow | OpenFlags.NonBlock;

    private readonly CloneContext _context = session.Context;
    private readonly SnapshotMoments _moments = new();

    /// <summary>The number of snapshots taken so far, for all items.</summary>
    public int Count => _moments.Count;

    /// <summary>The time between the first and the last of them: see <see cref="CloneResult.SnapshotSpread"/>.</summary>
    public TimeSpan Spread => _moments.Spread;

    /// <summary>
    /// Takes a snapshot of one subvolume. Requires ownership of its root directory, or CAP_FOWNER, and the same for nested
    /// subvolumes; to list nested subvolumes, also read and search permission for the directories that contain them. Writes delayed
    /// data in the subvolumes to disk first.
    /// </summary>
    /// <param name="source">The absolute path of the subvolume's root.</param>
    /// <param name="destination">The path of the snapshot, which may be below the source. Nothing that exists is replaced.</param>
    /// <param name="cancellation">Cancels between two nested subvolumes; then nothing remains.</param>
    /// <returns>The result. It counts no entries and no bytes: these are null.</returns>
    /// <exception cref="BtrfsException">
    /// <see cref="BtrfsError.NotSubvolume"/>, or the snapshot could not be taken, or with <see cref="SnapshotOptions.Recurse"/>
    /// that of a nested subvolume, which the path specifies; then nothing remains.
    /// </exception>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
    public CloneResult Clone(string source, CloneDestination destination, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(destination);
        cancellation.ThrowIfCancellationRequested();
        long begin = Stopwatch.GetTimestamp();
        long failed = _context.Counters.Failed;
        source = CloneDestination.Trim(source);
        string target = destination.TargetOf(source);
        SnapshotMoments moments;
        using (HeldDirectory subvolume = new(OpenSubvolume(source), source))
        {
            Check(subvolume.Descriptor, source, destination, target);
            using HeldDirectory container = new(DestinationDirectory.Open(destination), CloneDestination.ParentOf(target));
            moments = options.Recurse
                ? TakeSet(subvolume, container, target, cancellation)
                : TakeOne(subvolume, container, target);
        }

        _moments.Add(moments);
        _context.Drain();
        return new CloneResult
        {
            Source = source,
            Path = target,
            Kind = nameof(EntryKind.Directory),
            Snapshots = moments.Count,
            SnapshotSpread = moments.Spread,
            Failed = _context.Counters.Failed - failed,
            Elapsed = Stopwatch.GetElapsedTime(begin),
        };
    }

    private static Descriptor OpenSubvolume(string source)
    {
        CallResult result = Sys.Open(source, s_rootFlags, out Descriptor root);
        if (result.Failed)
        {
            throw result.Error is Errno.ENOTDIR or Errno.ELOOP
                ? new BtrfsException(BtrfsError.NotSubvolume, source)
                : Failure.Source(SystemCall.OpenAt, result).OnPath().ToException(source);
        }

        SystemCall call = SystemCall.Statx;
        result = Sys.Stat(root, out Statx status);
        long magic = 0;
        if (result.Succeeded)
        {
            call = SystemCall.Fstatfs;
            result = Sys.FileSystemMagic(root, out magic);
        }

        if (result.Failed || status.Inode != Sys.SubvolumeRootInode || magic != Sys.BtrfsMagic)
        {
            _ = Sys.Reject(ref root, result);
            throw result.Failed
                ? Failure.Source(call, result).ToException(source)
                : new BtrfsException(BtrfsError.NotSubvolume, source);
        }

        return root;
    }

    private void Check(Descriptor subvolume, string source, CloneDestination destination, string target)
    {
        if (Sys.Stat(target, follow: false, out Statx existing).Succeeded)
        {
            throw new BtrfsException(
                _context.Created.Contains(existing) ? BtrfsError.JustCreated : BtrfsError.DestinationExists, target);
        }

        CallResult result = Sys.Stat(subvolume, out Statx status);
        if (result.Failed)
        {
            throw Failure.Source(SystemCall.Statx, result).ToException(source);
        }

        CheckFileSystem(subvolume, status, DestinationDirectory.Nearest(destination), target);
    }

    private static void CheckFileSystem(Descriptor subvolume, in Statx status, string container, string target)
    {
        if (HeldDirectory.Open(container, out HeldDirectory? directory).Failed)
        {
            return; // Opening it for writing reports the reason.
        }

        using (directory)
        {
            if (ExtentSharing.WhyNot(subvolume, status, directory!.Descriptor) is { } error)
            {
                throw new BtrfsException(error, target);
            }
        }
    }

    private SnapshotMoments TakeSet(
        HeldDirectory subvolume, HeldDirectory container, string target, CancellationToken cancellation)
    {
        using SnapshotSet set = new(_context, subvolume, container, target, options.ReadOnly, onLeftEmpty);
        try
        {
            set.Take(cancellation);
        }
        finally
        {
            _context.Drain();
        }

        return set.Moments;
    }

    private SnapshotMoments TakeOne(HeldDirectory subvolume, HeldDirectory container, string target)
    {
        byte[] name = Utf8Z.From(CloneDestination.NameOf(target));
        CallResult result = Sys.CreateSnapshot(subvolume.Descriptor, container.Descriptor, name, options.ReadOnly);
        if (result.Failed)
        {
            Failure failure = Failure.Between(SystemCall.CreateSnapshot, result);
            throw failure.ToException(failure.AtSource ? subvolume.Path : target);
        }

        SnapshotMoments moments = new();
        result = container.OpenBelow(name, out HeldDirectory? snapshot);
        using (snapshot)
        {
            if (result.Failed)
            {
                Report(Failure.Destination(SystemCall.OpenAt, result), target);
                return moments;
            }

            if (snapshot!.Stat(out Statx made).Succeeded)
            {
                _context.Created.Add(made);
            }

            result = Sys.SubvolumeInfo(snapshot.Descriptor, out SubvolumeFacts facts);
            Report(Failure.Destination(SystemCall.GetSubvolInfo, result), target);
            moments.Add(facts.Created);
            NameLeftEmpty(subvolume, snapshot);
        }

        return moments;
    }

    private void NameLeftEmpty(HeldDirectory subvolume, HeldDirectory snapshot)
    {
        List<NestedSubvolume> nested = [];

        // If that fails, it is unknown which ones are missing in the snapshot.
        Report(NestedSubvolumes.List(subvolume.Descriptor, nested), subvolume.Path);
        foreach (NestedSubvolume one in nested)
        {
            Failure failure = NestedSubvolumes.FindPlace(snapshot, one.Path, out HeldDirectory? parent);
            Report(failure, snapshot.PathOf(one.Path));
            if (parent is not null)
            {
                parent.Dispose();
                onLeftEmpty(subvolume.PathOf(one.Path));
            }
        }
    }

    private void Report(Failure failure, string path)
    {
        if (failure.Failed)
        {
            _context.Counters.AddFailed();
            _context.Report(failure.ToException(path));
        }
    }
}
