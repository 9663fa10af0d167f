using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>
/// The hidden folder that contains an invocation's temporary snapshots, beside the clones. Since only its owner may enter it, a
/// snapshot reveals nothing that the parent directories of its subvolume hide.
/// </summary>
internal sealed unsafe class SnapshotFolder : IDisposable
{
    /// <summary>Folders with such names are not user data.</summary>
    public static readonly HiddenFolder.Kind Kind = new(".btrfs-clone-moment."u8.ToArray(), Empty);

    private readonly HeldDirectory _container;
    private readonly HiddenFolder _folder;
    private readonly Action<BtrfsException> _onLeftBehind;
    private int _count;

    /// <summary>
    /// Whether a snapshot can be removed with one call, while what is open of it stays readable. Otherwise it has to be emptied.
    /// </summary>
    public bool MayDestroy { get; private set; }

    private SnapshotFolder(HeldDirectory container, HiddenFolder folder, Action<BtrfsException> onLeftBehind)
    {
        _container = container;
        _folder = folder;
        _onLeftBehind = onLeftBehind;
    }

    /// <summary>Creates it, after checking that snapshots can be removed again.</summary>
    /// <param name="directory">The directory to create it in.</param>
    /// <param name="onLeftBehind">Receives the failure to remove it, also in <see cref="Dispose"/>.</param>
    /// <param name="folder">The folder, or null if the result is a failure.</param>
    public static Failure Make(string directory, Action<BtrfsException> onLeftBehind, out SnapshotFolder? folder)
    {
        folder = null;
        CallResult opened = HeldDirectory.Open(directory, out HeldDirectory? container);
        if (opened.Failed)
        {
            return Failure.Destination(SystemCall.OpenAt, opened);
        }

        HiddenFolder.RemoveLeftovers(container!, Kind);
        Failure failure = HiddenFolder.Create(container!, Kind, onLeftBehind, out HiddenFolder? hidden);
        if (failure.Failed)
        {
            container!.Dispose();
            return failure;
        }

        var made = new SnapshotFolder(container!, hidden!, onLeftBehind);
        failure = CheckRemoval(hidden!.Directory, out bool mayDestroy);
        made.MayDestroy = mayDestroy;
        if (failure.Failed)
        {
            made.Dispose();
            return failure;
        }

        folder = made;
        return default;
    }

    /// <summary>
    /// Takes a read-only snapshot and opens its root, after checking that it can be removed again. On failure something may be left
    /// in the folder.
    /// </summary>
    public Failure Take(HeldDirectory subvolume, out HeldDirectory? snapshot)
    {
        snapshot = null;
        if (!MayDestroy && TreeRemover.Look(subvolume).Failed)
        {
            return Failure.Destination(SystemCall.DestroySnapshot, Errno.EPERM);
        }

        byte[] name = Utf8Z.From($"{_count++}");
        CallResult result = Sys.CreateSnapshot(subvolume.Descriptor, _folder.Directory.Descriptor, name, readOnly: true);
        if (result.Failed)
        {
            return Failure.Between(SystemCall.CreateSnapshot, result);
        }

        result = _folder.Directory.OpenBelow(name, out snapshot);
        return result.Failed ? Failure.Destination(SystemCall.OpenAt, result) : default;
    }

    /// <summary>Removes the snapshots that were taken. Failures are retried at the end.</summary>
    public void RemoveSnapshots() => _ = Empty(_folder.Directory);

    /// <summary>Removes the snapshots and the folder.</summary>
    public void Dispose()
    {
        Failure failure = _folder.Remove();
        if (failure.Failed)
        {
            _onLeftBehind(failure.Leaving(_folder.Directory.Path));
        }

        _folder.Dispose();
        _container.Dispose();
    }

    /// <summary>
    /// Asks the kernel to destroy a directory in the folder that is not a subvolume: the error shows whether the caller may destroy
    /// subvolumes here, before there is one. (The folder itself could have been replaced by a subvolume.)
    /// </summary>
    private static Failure CheckRemoval(HeldDirectory folder, out bool mayDestroy)
    {
        ReadOnlySpan<byte> probe = "probe\0"u8;
        mayDestroy = true;
        CallResult result = folder.MakeDirectory(probe, Sys.ModeOwner);
        if (result.Failed)
        {
            return Failure.Destination(SystemCall.MkdirAt, result);
        }

        CallResult answer = Sys.DestroySubvolume(folder.Descriptor, probe);
        result = folder.RemoveDirectory(probe);
        mayDestroy = !answer.Is(Errno.EPERM);
        return answer.Is(Errno.ENOTTY) ? Failure.Refused(BtrfsError.NotBtrfs)
            : answer.Failed && answer.Error is not (Errno.EINVAL or Errno.EPERM) ? Failure.Destination(SystemCall.DestroySnapshot, answer)
            : result.Failed ? Failure.Destination(SystemCall.UnlinkAt, result)
            : default;
    }

    private static Failure Empty(HeldDirectory folder)
    {
        Failure failure = default;
        fixed (byte* buffer = new byte[DirectoryBatch.BufferSize])
        {
            var listing = new DirectoryListing(folder.Descriptor, buffer);
            while (listing.Next(out DirectoryBatch.Entry entry))
            {
                Failure destroyed = SnapshotRemoval.Remove(folder, [.. entry.Name, 0]);
                failure = failure.Failed ? failure : destroyed;
            }

            return failure.Failed || !listing.Failed ? failure : Failure.Destination(listing.Call, listing.Result);
        }
    }
}
