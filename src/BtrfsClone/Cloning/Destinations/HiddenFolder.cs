using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>
/// A hidden folder that only its owner can enter, for temporary data of an invocation. Its creator holds a lock on it, which the
/// kernel releases with the process: a folder that cannot be locked is in use, and all others were left by killed runs and are
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
    /// The mark of a folder that may be emptied, if no one else may write to it. The name alone is not sufficient: whoever may
    /// write to its parent could rename another of the caller's directories to it.
    /// </summary>
    private static ReadOnlySpan<byte> Mark => "user.btrfs-clone.temporary\0"u8;

    public Kind FolderKind { get; }

    /// <summary>The folder, open; entries are accessed through it, so that no path can lead elsewhere.</summary>
    public HeldDirectory Directory { get; }

    /// <summary>Creates a folder.</summary>
    /// <param name="container">The directory to create it in.</param>
    /// <param name="kind">Its purpose.</param>
    /// <param name="onLeftBehind">Receives the failure to remove a folder that was created but could not be used.</param>
    /// <param name="folder">The folder, or null if the result is a failure.</param>
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
                continue; // Another run found it before it was locked, and treated it as that of a killed run.
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
            return result.Failed && !result.Is(Errno.EOPNOTSUPP) // There, folders of killed runs are never removed.
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
    /// Removes what killed runs of this user have left in a directory. Folders that cannot be removed or found are silently kept:
    /// they do not belong to this run, and the run that failed to remove one has reported it.
    /// </summary>
    public static void RemoveLeftovers(HeldDirectory container, Kind kind)
    {
        // Opened separately, since the container may be open with O_PATH only.
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

    /// <summary>Removes the folder with everything in it.</summary>
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

        // If someone has moved it away, they have an empty folder.
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

        // A user who may write to the parent may have replaced it by another directory: if that is empty, its removal does no harm.
        if (status.Uid != Sys.EffectiveUid || (status.Mode & Sys.ModeOthersWrite) != 0)
        {
            return Failure.Refused(BtrfsError.ChangedMeanwhile);
        }

        Failure failure = CheckEmpty(directory.Descriptor);
        return failure.Failed ? failure : SetMark(directory.Descriptor);
    }

    private static Failure CheckEmpty(Descriptor directory)
    {
        const int Size = 1024; // In bytes; sufficient for at least three entries.
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

            // A folder without the mark was not finished or is not ours: rmdir(2) only removes it if it is empty.
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

    /// <summary>The purpose of a folder.</summary>
    /// <param name="Prefix">The start of its name; sixteen hexadecimal digits follow.</param>
    /// <param name="Empty">Empties an open folder.</param>
    public sealed record Kind(byte[] Prefix, Func<HeldDirectory, Failure> Empty)
    {
        /// <summary>A null-terminated name that no one else uses.</summary>
        public byte[] NewName() => [.. Prefix, .. Utf8Z.From($"{Random.Shared.NextInt64():x16}")];

        public bool HasName(ReadOnlySpan<byte> name) => name.StartsWith(Prefix);
    }
}
