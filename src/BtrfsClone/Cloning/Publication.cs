using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Moves the entries of a staging folder to their names: each in one step, and back again if one of them cannot be
/// moved. What is replaced changes places with the new, and so is still there to be put back.
/// </summary>
internal sealed unsafe class Publication(int staging, int container, CloneOptions options)
{
    private const uint PrivateMode = 0x1C0; // 0700
    private const InodeFlags Frozen = InodeFlags.Immutable | InodeFlags.AppendOnly;

    /// <summary>
    /// What somebody has put in the place of an entry came into the staging folder, and could not be put back: the folder
    /// must not be emptied.
    /// </summary>
    public bool HoldsOthers { get; private set; }

    /// <summary>Moves all. If it throws, nothing has changed.</summary>
    public void Run(WorkerBuffers buffers, string containerPath, CancellationToken cancellation)
    {
        List<Entry> entries = List(buffers);
        for (int done = 0; done < entries.Count; done++)
        {
            bool isCancelled = cancellation.IsCancellationRequested;
            fixed (byte* name = entries[done].Name)
            {
                Fault fault = isCancelled ? default : Move(name);
                if (fault.Failed || isCancelled)
                {
                    MoveBack(entries, done);
                    HoldsOthers = !AreOurs(entries, done + 1);
                    cancellation.ThrowIfCancellationRequested();
                    throw fault.ToException(CloneDestination.Join(
                        containerPath, Utf8Z.ToText(new ReadOnlySpan<byte>(name, Utf8Z.Length(name)))));
                }
            }
        }
    }

    /// <summary>The entries, all before the first is moved: a directory that changes may list an entry twice.</summary>
    private List<Entry> List(WorkerBuffers buffers)
    {
        var entries = new List<Entry>();
        int size;
        _ = Sys.Seek(staging, 0);
        while ((size = Sys.ReadDirectory(staging, buffers.Entries, DirectoryBatch.BufferSize)) > 0)
        {
            foreach (DirectoryBatch.Entry entry in new DirectoryBatch(buffers.Entries, size))
            {
                if (!entry.IsDotOrDotDot)
                {
                    entries.Add(new Entry([.. entry.Name, 0], entry.Inode));
                }
            }
        }

        return entries;
    }

    private Fault Move(byte* name)
    {
        int result = Sys.RenameNoReplace(staging, name, container, name);
        if (result is -Errno.EPERM or -Errno.EACCES && Sys.StatEntry(staging, name, out Statx made) >= 0 &&
            made.FileType is Sys.ModeRegular or Sys.ModeDirectory)
        {
            result = MoveProtected(name, made, result);
        }

        return result == -Errno.EEXIST ? Replace(name)
            : result < 0 ? Fault.Destination("renameat2", result)
            : default;
    }

    private Fault Replace(byte* name)
    {
        if (Sys.StatEntry(staging, name, out Statx made) < 0 || Sys.StatEntry(container, name, out Statx old) < 0)
        {
            return Fault.Refused(BtrfsError.ChangedMeanwhile);
        }

        BtrfsError? reason = made.FileType == Sys.ModeDirectory
            ? BtrfsError.DestinationExists
            : Preconditions.WhyNotReplaceable(old, options);
        if (reason is { } error)
        {
            return Fault.Refused(error);
        }

        int result = Sys.Exchange(staging, name, container, name);
        if (result == -Errno.EPERM && ThawedEntry.TryThaw(staging, name, out ThawedEntry thawed))
        {
            result = Sys.Exchange(staging, name, container, name);
            _ = thawed.Refreeze();
        }

        if (result < 0)
        {
            return Fault.Destination("renameat2", result);
        }

        // Whatever came in between is not ours to replace: another file may be new, a directory may hold others.
        if (Sys.StatEntry(staging, name, out Statx replaced) < 0 || !replaced.IsSameFileAs(old))
        {
            _ = Sys.Exchange(staging, name, container, name);
            return Fault.Refused(BtrfsError.ChangedMeanwhile);
        }

        return default;
    }

    /// <summary>
    /// An immutable or append-only entry cannot be moved, nor, into another directory, can a directory that its owner
    /// may not write in: the kernel has to change where its <c>..</c> leads.
    /// </summary>
    private int MoveProtected(byte* name, in Statx made, int error)
    {
        int result = error;
        if (error == -Errno.EPERM && ThawedEntry.TryThaw(staging, name, out ThawedEntry thawed))
        {
            result = Sys.RenameNoReplace(staging, name, container, name);
            if (result == -Errno.EACCES)
            {
                result = MoveUnwritable(name, made);
            }

            _ = thawed.Refreeze();
        }
        else if (error == -Errno.EACCES && made.FileType == Sys.ModeDirectory)
        {
            result = MoveUnwritable(name, made);
        }

        return result;
    }

    /// <summary>
    /// Moves it, as private as the folder that it is in, to a hidden name beside its own, where it gets its mode back: from there no parent
    /// changes. It never stands under its own name with another mode than its own.
    /// </summary>
    private int MoveUnwritable(byte* name, in Statx made)
    {
        int directory = Sys.OpenAt(
            staging, name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow | OpenFlags.NonBlock);
        if (directory < 0)
        {
            return directory;
        }

        fixed (byte* hidden = AtomicDestination.FolderKind.NewName())
        {
            int result = Sys.TryLock(directory);
            result = result < 0 ? result : Sys.Chmod(directory, PrivateMode);
            result = result < 0 ? result : HiddenFolder.SetMark(directory);
            result = result < 0 ? result : Sys.RenameNoReplace(staging, name, container, hidden);
            if (result >= 0)
            {
                HiddenFolder.ClearMark(directory);
                result = Sys.Chmod(directory, made.Permissions);
                result = result < 0 ? result : Sys.RenameNoReplace(container, hidden, container, name);
                if (result < 0)
                {
                    _ = Sys.Chmod(directory, PrivateMode);
                    _ = Sys.RenameNoReplace(container, hidden, staging, name);
                }
            }

            Sys.Close(directory);
            return result;
        }
    }

    private void MoveBack(List<Entry> entries, int count)
    {
        for (int i = count - 1; i >= 0; i--)
        {
            fixed (byte* name = entries[i].Name)
            {
                int result = MoveBack(name);
                if (result is -Errno.EPERM or -Errno.EACCES)
                {
                    Unprotect(name, entries[i].Inode);
                    result = MoveBack(name);
                }

                // Somebody else may have taken the name since: what is theirs must not be removed.
                if (result >= 0 && Sys.StatEntry(staging, name, out Statx moved) >= 0 && moved.Inode != entries[i].Inode)
                {
                    _ = MoveBack(name);
                }
            }
        }
    }

    private bool AreOurs(List<Entry> entries, int count)
    {
        for (int i = 0; i < count; i++)
        {
            fixed (byte* name = entries[i].Name)
            {
                if (Sys.StatEntry(staging, name, out Statx entry) >= 0 && entry.Inode != entries[i].Inode)
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>Lets what was replaced, and waits under the same name in the staging folder, take its place again.</summary>
    private int MoveBack(byte* name)
    {
        int result = Sys.Exchange(staging, name, container, name);
        return result != -Errno.ENOENT ? result
            : Sys.StatEntry(staging, name, out _) >= 0 ? Sys.RenameNoReplace(staging, name, container, name)
            : Sys.RenameNoReplace(container, name, staging, name);
    }

    private void Unprotect(byte* name, ulong inode)
    {
        int entry = Sys.OpenAt(container, name, OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlock);
        if (entry < 0)
        {
            return;
        }

        if (Sys.Stat(entry, out Statx status) >= 0 && status.Inode == inode)
        {
            if (Sys.GetFlags(entry, out InodeFlags flags) >= 0 && (flags & Frozen) != 0)
            {
                _ = Sys.SetLateFlags(entry, flags & ~Frozen);
            }

            if (status.FileType == Sys.ModeDirectory)
            {
                _ = Sys.Chmod(entry, PrivateMode);
            }
        }

        Sys.Close(entry);
    }

    private readonly record struct Entry(byte[] Name, ulong Inode);
}
