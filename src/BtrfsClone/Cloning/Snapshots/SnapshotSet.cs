using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>
/// A snapshot of a subvolume, with snapshots of its nested subvolumes, each in its place: all of them or none. It is built under a
/// temporary name, and gets its own when everything else is done.
/// </summary>
internal sealed class SnapshotSet : IDisposable
{
    private static readonly ErrorMeaning s_hidden = new(
        BtrfsError.MountInBetween, "something is mounted over it, or on the way to it",
        "Unmount that, or name the subvolume by a mount that shows all of it, such as one of its own ('mount -o subvol=').");

    private readonly CloneContext _context;
    private readonly HeldDirectory _source;
    private readonly HeldDirectory _container;
    private readonly string _target;
    private readonly Action<string> _onLeftEmpty;
    private readonly bool _readOnly;
    private readonly List<SnapshotMember> _taken = []; // A subvolume comes before those nested in it.
    private byte[] _name = new byte[TemporaryName.MaxSize];
    private HeldDirectory? _top;

    /// <param name="context">Receives what cannot be removed after a failure.</param>
    /// <param name="source">The subvolume's root.</param>
    /// <param name="container">The directory for the snapshot.</param>
    /// <param name="target">The snapshot's path, as known to the user.</param>
    /// <param name="readOnly">Whether all are to be read-only in the end.</param>
    /// <param name="onLeftEmpty">
    /// Receives the path of a nested subvolume that contains the snapshot, and so cannot be included in it.
    /// </param>
    public SnapshotSet(
        CloneContext context,
        HeldDirectory source,
        HeldDirectory container,
        string target,
        bool readOnly,
        Action<string> onLeftEmpty)
    {
        (_context, _source, _container, _target) = (context, source, container, target);
        (_readOnly, _onLeftEmpty) = (readOnly, onLeftEmpty);
        TemporaryName.Write(_name);
    }

    public SnapshotMoments Moments { get; } = new();

    /// <summary>Takes the snapshots.</summary>
    /// <exception cref="BtrfsException">One could not be taken, at the given path; nothing remains.</exception>
    /// <exception cref="OperationCanceledException">The operation was cancelled; nothing remains.</exception>
    public void Take(CancellationToken cancellation)
    {
        try
        {
            byte[] name = Utf8Z.From(CloneDestination.NameOf(_target));
            TakeOne(_source, _container, [], name);
            for (int i = 0; i < _taken.Count; i++)
            {
                foreach (NestedSubvolume nested in _taken[i].Nested)
                {
                    cancellation.ThrowIfCancellationRequested();
                    byte[] above = _taken[i].Path;
                    TakeNested(above.Length == 0 ? nested.Path : [.. above, (byte)'/', .. nested.Path], nested.Tree);
                }
            }

            for (int i = _taken.Count - 1; i > 0 && _readOnly; i--)
            {
                Seal(_taken[i]);
            }

            Publish(name);
        }
        catch
        {
            Failure failure = SnapshotRemoval.Remove(_container, _name, _top, _taken);
            if (failure.Failed)
            {
                _context.Report(failure.Leaving(_container.PathOf(_name)));
            }

            throw;
        }
    }

    public void Dispose() => _top?.Dispose();

    /// <summary>
    /// Takes a snapshot of one subvolume. One without nested subvolumes is created read-only, which preserves the identity of a
    /// received subvolume (create_pending_snapshot in fs/btrfs/transaction.c).
    /// </summary>
    private void TakeOne(HeldDirectory subvolume, HeldDirectory parent, byte[] path, byte[] name)
    {
        List<NestedSubvolume> before = [];
        Check(NestedSubvolumes.List(subvolume.Descriptor, before), path);
        bool isWhole = before.Count == 0;
        if (path.Length == 0 && isWhole)
        {
            _name = name;
        }

        name = path.Length == 0 ? _name : name;
        CallResult result = Sys.CreateSnapshot(subvolume.Descriptor, parent.Descriptor, name, _readOnly && isWhole);
        Check(Failure.Between(SystemCall.CreateSnapshot, result), path);
        SnapshotMember member = new(path);
        _taken.Add(member);
        result = parent.OpenBelow(name, out HeldDirectory? snapshot);
        Check(Failure.Destination(SystemCall.OpenAt, result), path);
        using HeldDirectory? closing = path.Length == 0 ? null : snapshot;
        if (path.Length == 0)
        {
            _top = new HeldDirectory(snapshot!.Release(), _target);
            snapshot = _top;
        }

        Check(Failure.Destination(SystemCall.GetSubvolInfo, Sys.SubvolumeInfo(snapshot!.Descriptor, out SubvolumeFacts facts)), path);
        member.Tree = facts.Tree;
        Moments.Add(facts.Created);

        // An entry that was deleted in the meantime may be missing in the snapshot, without any way to tell.
        Check(NestedSubvolumes.List(subvolume.Descriptor, member.Nested), path);
        Dictionary<ulong, byte[]> now = member.Nested.ToDictionary(nested => nested.Tree, nested => nested.Path);
        if ((isWhole && _readOnly && now.Count > 0) || !before.TrueForAll(nested => nested.IsStillIn(now)))
        {
            Check(Failure.Refused(BtrfsError.ChangedMeanwhile, atSource: true), path);
        }
    }

    private void TakeNested(byte[] path, ulong tree)
    {
        Check(NestedSubvolumes.FindPlace(_top!, path, out HeldDirectory? place), path);
        if (place is null)
        {
            return;
        }

        using HeldDirectory parent = place;
        CallResult result = NestedSubvolumes.Open(_source, path, out HeldDirectory? opened);
        using HeldDirectory? subvolume = opened;
        SubvolumeFacts facts = default;
        Statx status = default;
        SystemCall call = SystemCall.OpenAt;
        if (result.Succeeded)
        {
            call = SystemCall.GetSubvolInfo;
            result = Sys.SubvolumeInfo(subvolume!.Descriptor, out facts);
        }

        if (result.Succeeded)
        {
            call = SystemCall.Statx;
            result = subvolume!.Stat(out status);
        }

        if (result.Failed || facts.Tree != tree || status.Inode != Sys.SubvolumeRootInode)
        {
            Check(WhyNotThere(path, call, result), path);
        }

        if (Preconditions.IsAtOrBelow(new LookupPath(_container.Descriptor, "."), status))
        {
            _onLeftEmpty(_source.PathOf(path));
            return;
        }

        Replace(parent, path, subvolume!);
    }

    /// <summary>
    /// Replaces the empty directory by a snapshot. Otherwise the parent directory stays equal to the source's: what prevents its
    /// owner from changing it is removed and restored, and its times are preserved.
    /// </summary>
    private void Replace(HeldDirectory parent, byte[] path, HeldDirectory subvolume)
    {
        Check(Failure.Destination(SystemCall.Statx, parent.Stat(out Statx status)), path);
        bool isProtected = UnprotectedEntry.TryUnprotect(parent.Descriptor, out InodeFlags flags);
        byte[] name = NestedSubvolumes.NameOf(path);
        CallResult result = parent.RemoveDirectory(name);
        bool isOpenedUp = result.Is(Errno.EACCES) && Sys.Chmod(parent.Descriptor, status.Permissions | Sys.ModeOwner).Succeeded;
        result = isOpenedUp ? parent.RemoveDirectory(name) : result;
        Check(Failure.Destination(SystemCall.UnlinkAt, result), path);
        TakeOne(subvolume, parent, path, name);

        Check(Failure.Destination(SystemCall.UtimensAt, Sys.SetTimes(parent.Descriptor, status)), path);
        result = isOpenedUp ? Sys.Chmod(parent.Descriptor, status.Permissions) : CallResult.Success;
        Check(Failure.Destination(SystemCall.Fchmod, result), path);
        result = isProtected ? Sys.SetLateFlags(parent.Descriptor, flags) : CallResult.Success;
        Check(Failure.Destination(SystemCall.FsSetXattr, result), path);
    }

    private Failure WhyNotThere(byte[] path, SystemCall call, CallResult result)
    {
        Failure failure = PathInSubvolume.Find(_source.Descriptor, out byte[] root);
        if (!failure.Failed && MountsBelow.TryFind(root.AsSpan(..^1), out MountsBelow? mounts) &&
            mounts?.AreOnTheWayTo([.. root.AsSpan(..^1).TrimEnd((byte)'/'), (byte)'/', .. path]) == true)
        {
            return Failure.Refused(s_hidden, atSource: true);
        }

        return result.Failed ? Failure.Source(call, result) : Failure.Refused(BtrfsError.ChangedMeanwhile, atSource: true);
    }

    /// <summary>Makes the set appear under its name. A read-only one is read-only from then on, unless its root is immutable.</summary>
    private unsafe void Publish(byte[] name)
    {
        if (_name != name)
        {
            bool isProtected = UnprotectedEntry.TryUnprotect(_top!.Descriptor, out InodeFlags flags);
            if (_readOnly && !isProtected)
            {
                Seal(_taken[0]);
            }

            fixed (byte* from = _name, to = name)
            {
                CallResult renamed = Sys.RenameNoReplace(_container.Descriptor, from, _container.Descriptor, to);
                Check(Failure.Destination(SystemCall.RenameAt2, renamed), []);
            }

            _name = name;
            CallResult result = isProtected ? Sys.SetLateFlags(_top.Descriptor, flags) : CallResult.Success;
            Check(Failure.Destination(SystemCall.FsSetXattr, result), []);
        }

        if (_readOnly)
        {
            Seal(_taken[0]);
        }

        if (_top!.Stat(out Statx status).Succeeded)
        {
            _context.Created.Add(status);
        }
    }

    private void Seal(SnapshotMember member)
    {
        CallResult result = NestedSubvolumes.Open(_top!, member.Path, out HeldDirectory? snapshot);
        using (snapshot)
        {
            Check(Failure.Destination(SystemCall.OpenAt, result), member.Path);
            result = Sys.SetSubvolumeReadOnly(snapshot!.Descriptor, readOnly: true);
            Check(Failure.Destination(SystemCall.SubvolSetFlags, result), member.Path);
        }
    }

    private void Check(Failure failure, byte[] path)
    {
        if (failure.Failed)
        {
            HeldDirectory side = failure.AtSource ? _source : _top ?? new HeldDirectory(Descriptor.None, _target);
            throw failure.ToException(path.Length == 0 ? side.Path : side.PathOf(path));
        }
    }
}
