using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>
/// A hidden folder that only its owner can enter, for what an invocation needs while it runs. Its maker holds a lock on
/// it, which the kernel drops with the process: what cannot be locked is alive, and all else is a killed run's and is
/// removed.
/// </summary>
internal sealed unsafe class HiddenFolder : IDisposable
{
    private readonly HeldDirectory _container;
    private readonly byte[] _name; // Zero-terminated.

    private HiddenFolder(HeldDirectory container, Kind folderKind, byte[] name, HeldDirectory directory)
    {
        _container = container;
        FolderKind = folderKind;
        _name = name;
        Directory = directory;
    }

    /// <summary>
    /// The mark of a folder that may be emptied, if nobody else may write in it. The name alone would let whoever may
    /// write in its parent rename another of the caller's directories to it.
    /// </summary>
    private static ReadOnlySpan<byte> Mark => "user.btrfs-clone.temporary\0"u8;

    public Kind FolderKind { get; }

    /// <summary>The folder, open; entries are named by it, so that no path leads elsewhere.</summary>
    public HeldDirectory Directory { get; }

    /// <summary>Makes a folder.</summary>
    /// <param name="container">The directory to make it in.</param>
    /// <param name="kind">What it is for.</param>
    /// <param name="onLeftBehind">Takes the failure to remove one that could be made and not be used.</param>
    /// <param name="folder">The folder, or null where the result is a failure.</param>
    public static Failure Create(
        HeldDirectory container, Kind kind, Action<BtrfsException> onLeftBehind, out HiddenFolder? folder)
    {
        folder = null;
        while (true)
        {
            byte[] name = kind.NewName();
            CallResult made = container.MakeDirectory(name, Sys.ModeOwner);
            if (made.Is(Errno.EEXIST))
            {
                continue;
            }

            if (made.Failed)
            {
                return Failure.Destination(SystemCall.MkdirAt, made);
            }

            Failure failure = OpenNew(container, name, out HeldDirectory? directory);
            if (failure.Errno == Errno.ENOENT)
            {
                continue; // Another run found it before it was locked, and took it for a dead one's.
            }

            if (failure.Failed)
            {
                CallResult removed = container.RemoveDirectory(name);
                if (removed.Failed)
                {
                    onLeftBehind(Failure.Destination(SystemCall.UnlinkAt, removed).Leaving(container.PathOf(name)));
                }

                return failure;
            }

            folder = new HiddenFolder(container, kind, name, directory!);
            return default;
        }
    }

    /// <summary>Marks an open directory as one that a later run may remove unless it is locked.</summary>
    public static Failure SetMark(Descriptor directory)
    {
        byte value = 1;
        fixed (byte* mark = Mark)
        {
            CallResult result = Sys.SetXattr(directory, mark, &value, 1);
            return result.Failed && !result.Is(Errno.EOPNOTSUPP) // There, what a killed run leaves is left for good.
                ? Failure.Destination(SystemCall.SetXattr, result)
                : default;
        }
    }

    public static Failure ClearMark(Descriptor directory)
    {
        fixed (byte* mark = Mark)
        {
            CallResult result = Sys.RemoveXattr(directory, mark);
            return result.Failed && result.Error is not (Errno.EOPNOTSUPP or Errno.ENODATA)
                ? Failure.Destination(SystemCall.RemoveXattr, result)
                : default;
        }
    }

    /// <summary>
    /// Removes what killed runs of this user have left in a directory. What cannot be removed or found stays without a
    /// word: it is not of this run, and the one that failed to remove it has said so.
    /// </summary>
    public static void RemoveLeftovers(HeldDirectory container, Kind kind)
    {
        // Of its own, since the container may be open as a path only.
        if (container.OpenBelow(".\0"u8, out HeldDirectory? directory).Failed)
        {
            return;
        }

        using (directory)
        {
            fixed (byte* buffer = new byte[DirectoryBatch.BufferSize])
            {
                var listing = new DirectoryListing(directory!.Descriptor, buffer);
                while (listing.Next(out DirectoryBatch.Entry entry))
                {
                    if (kind.HasName(entry.Name))
                    {
                        RemoveLeftover(container, kind, [.. entry.Name, 0]);
                    }
                }
            }
        }
    }

    /// <summary>Removes the folder with all that is in it.</summary>
    public Failure Remove()
    {
        CallResult removed = _container.RemoveDirectory(_name);
        if (removed.Is(Errno.ENOTEMPTY))
        {
            Failure failure = FolderKind.Empty(Directory);
            if (failure.Failed)
            {
                return failure;
            }

            removed = _container.RemoveDirectory(_name);
        }

        // Whoever has moved it away has an empty one.
        return removed.Failed && !removed.Is(Errno.ENOENT) ? Failure.Destination(SystemCall.UnlinkAt, removed) : default;
    }

    public void Dispose() => Directory.Dispose();

    private static Failure OpenNew(HeldDirectory container, byte[] name, out HeldDirectory? directory)
    {
        CallResult result = container.OpenBelow(name, out directory);
        if (result.Failed)
        {
            return Failure.Destination(SystemCall.OpenAt, result);
        }

        Failure failure = Claim(directory!);
        if (failure.Failed)
        {
            directory!.Dispose();
            directory = null;
        }

        return failure;
    }

    private static Failure Claim(HeldDirectory directory)
    {
        CallResult result = Sys.TryLock(directory.Descriptor);
        if (result.Failed)
        {
            return Failure.Destination(SystemCall.Flock, result.Is(Errno.EAGAIN) ? Errno.ENOENT : result);
        }

        result = directory.Stat(out Statx status);
        if (result.Failed || status.LinkCount == 0)
        {
            return Failure.Destination(SystemCall.Statx, result.Failed ? result : Errno.ENOENT);
        }

        // Who may write in the parent may have put another directory in its place: an empty one is no loss.
        if (status.Uid != Sys.EffectiveUid || (status.Mode & Sys.ModeOthersWrite) != 0)
        {
            return Failure.Refused(BtrfsError.ChangedMeanwhile);
        }

        Failure failure = CheckEmpty(directory.Descriptor);
        return failure.Failed ? failure : SetMark(directory.Descriptor);
    }

    private static Failure CheckEmpty(Descriptor directory)
    {
        const int Size = 1024; // Bytes; at least three entries.
        byte* buffer = stackalloc byte[Size];
        var listing = new DirectoryListing(directory, buffer, Size);
        return listing.Next(out _) ? Failure.Refused(BtrfsError.ChangedMeanwhile)
            : listing.Failed ? Failure.Destination(listing.Call, listing.Result)
            : default;
    }

    private static void RemoveLeftover(HeldDirectory container, Kind kind, byte[] name)
    {
        if (container.OpenBelow(name, out HeldDirectory? directory).Failed)
        {
            return;
        }

        using (directory)
        {
            Descriptor descriptor = directory!.Descriptor;
            bool isDead = !directory.Stat(out Statx status).Failed && status.Uid == Sys.EffectiveUid &&
                (status.Mode & Sys.ModeOthers) == 0 && !Sys.TryLock(descriptor).Failed;

            // One without the mark was not finished or is none of ours: rmdir(2) takes it only if it is empty.
            if (isDead && (!IsMarked(descriptor) || !kind.Empty(directory).Failed))
            {
                _ = container.RemoveDirectory(name);
            }
        }
    }

    private static bool IsMarked(Descriptor directory)
    {
        byte value;
        fixed (byte* mark = Mark)
        {
            return !Sys.GetXattr(directory, mark, &value, 1).Failed;
        }
    }

    /// <summary>What a folder is for.</summary>
    /// <param name="Prefix">What its name begins with; sixteen hexadecimal digits follow.</param>
    /// <param name="Empty">Removes what is in an open folder.</param>
    public sealed record Kind(byte[] Prefix, Func<HeldDirectory, Failure> Empty)
    {
        /// <summary>A zero-terminated name that nobody else chooses.</summary>
        public byte[] NewName() => [.. Prefix, .. Utf8Z.From($"{Random.Shared.NextInt64():x16}")];

        public bool HasName(ReadOnlySpan<byte> name) => name.StartsWith(Prefix);
    }
}
