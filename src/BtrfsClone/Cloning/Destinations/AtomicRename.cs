using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>
/// Moves the entries of a staging folder to their names: each atomically, and back again if one of them cannot be moved. A replaced
/// entry is exchanged with the new one, so it still exists and can be restored.
/// </summary>
/// <param name="folder">The staging folder.</param>
/// <param name="container">The directory that contains the names.</param>
/// <param name="context">Determines what may be replaced, and receives what cannot be undone.</param>
internal sealed unsafe class AtomicRename(HiddenFolder folder, HeldDirectory container, CloneContext context)
{
    private readonly HeldDirectory _staging = folder.Directory;

    /// <summary>
    /// An entry of someone else is, or may be, in the staging folder and could not be put back: the folder must not be emptied.
    /// </summary>
    public bool HoldsOthers { get; private set; }

    /// <summary>Moves all entries. If it throws, nothing has changed except for what was reported.</summary>
    public void Run(CancellationToken cancellation)
    {
        List<ListedEntry> entries = List();
        for (int done = 0; done < entries.Count; done++)
        {
            bool isCancelled = cancellation.IsCancellationRequested;
            Failure failure = isCancelled ? default : Move(entries[done].Name);
            if (failure.Failed || isCancelled)
            {
                for (int i = done; i >= 0; i--)
                {
                    TakeBack(entries[i]);
                }

                cancellation.ThrowIfCancellationRequested();
                throw failure.ToException(container.PathOf(entries[done].Name));
            }
        }
    }

    /// <summary>The entries, listed before the first is moved: a directory that changes may list an entry twice.</summary>
    private List<ListedEntry> List()
    {
        fixed (byte* buffer = new byte[DirectoryBatch.BufferSize])
        {
            var listing = new DirectoryListing(_staging.Descriptor, buffer);
            return listing.ReadAll()
                ?? throw Failure.Destination(listing.Call, listing.Result).ToException(_staging.Path);
        }
    }

    private Failure Move(byte[] name)
    {
        Failure failure = Renamed(_staging.Move(name, container, name));
        if (failure.Errno is Errno.EPERM or Errno.EACCES && !_staging.Stat(name, out Statx made).Failed &&
            made.FileType is Sys.ModeRegular or Sys.ModeDirectory)
        {
            failure = MoveProtected(name, made, failure);
        }

        return failure.Errno == Errno.EEXIST ? Replace(name) : failure;
    }

    private Failure Replace(byte[] name)
    {
        CallResult result = _staging.Stat(name, out Statx made);
        Statx old = default;
        result = result.Failed ? result : container.Stat(name, out old);
        if (result.Failed)
        {
            return result.Is(Errno.ENOENT)
                ? Failure.Refused(BtrfsError.ChangedMeanwhile)
                : Failure.Destination(SystemCall.Statx, result);
        }

        ErrorMeaning? reason = made.FileType == Sys.ModeDirectory
            ? new(BtrfsError.DestinationExists)
            : Preconditions.WhyNotReplaceable(old, made.FileType, context.Options);
        if (reason is { } error)
        {
            return Failure.Refused(error);
        }

        Failure failure = Renamed(_staging.Exchange(name, container));
        if (failure.Errno == Errno.EPERM)
        {
            failure = Unprotected(name, failure, () => Renamed(_staging.Exchange(name, container)));
        }

        // Entries that have appeared in the meantime must not be replaced: another file may be new, a directory may contain
        // entries.
        if (failure.Failed)
        {
            return ActiveSwapFile.Explain(failure, container.Descriptor, name);
        }

        result = _staging.Stat(name, out Statx replaced);
        return result.Failed ? Failure.Destination(SystemCall.Statx, result)
            : replaced.IsSameFileAs(old) ? default
            : Failure.Refused(BtrfsError.ChangedMeanwhile);
    }

    /// <summary>
    /// An immutable or append-only entry cannot be moved, nor can a directory without write permission for its owner be moved to
    /// another directory: the kernel has to change its <c>..</c>.
    /// </summary>
    private Failure MoveProtected(byte[] name, Statx made, Failure failure)
    {
        if (failure.Errno == Errno.EPERM)
        {
            failure = Unprotected(name, failure, () =>
            {
                Failure again = Renamed(_staging.Move(name, container, name));
                return again.Errno == Errno.EACCES ? MoveUnwritable(name, made) : again;
            });
        }

        return failure.Errno == Errno.EACCES && made.FileType == Sys.ModeDirectory
            ? MoveUnwritable(name, made)
            : failure;
    }

    /// <summary>Retries an operation while an entry is unprotected, if protection is the cause of the failure.</summary>
    private Failure Unprotected(byte[] name, Failure failure, Func<Failure> again)
    {
        fixed (byte* text = name)
        {
            if (!UnprotectedEntry.TryUnprotect(_staging.Descriptor, text, out UnprotectedEntry unprotected))
            {
                return failure;
            }

            failure = again();
            CallResult result = unprotected.Protect();
            return failure.Failed || !result.Failed ? failure : Failure.Destination(SystemCall.FsSetXattr, result);
        }
    }

    /// <summary>
    /// Moves it, as private as its folder, to a hidden name beside its own, where its mode is restored: renaming it there does not
    /// change its parent. It never appears under its own name with another mode.
    /// </summary>
    private Failure MoveUnwritable(byte[] name, in Statx made)
    {
        CallResult opened = _staging.OpenBelow(name, out HeldDirectory? held);
        if (opened.Failed)
        {
            return Failure.Destination(SystemCall.OpenAt, opened);
        }

        using HeldDirectory directory = held!;
        byte[] hidden = folder.FolderKind.NewName();
        Failure failure = Called(SystemCall.Flock, Sys.TryLock(directory.Descriptor));
        failure = failure.Failed ? failure : Called(SystemCall.Fchmod, Sys.Chmod(directory.Descriptor, Sys.ModeOwner));
        failure = failure.Failed ? failure : HiddenFolder.SetMark(directory.Descriptor);
        failure = failure.Failed ? failure : Renamed(_staging.Move(name, container, hidden));
        if (failure.Failed)
        {
            return failure;
        }

        failure = HiddenFolder.ClearMark(directory.Descriptor);
        failure = failure.Failed ? failure : Called(SystemCall.Fchmod, Sys.Chmod(directory.Descriptor, made.Permissions));
        failure = failure.Failed ? failure : Renamed(container.Move(hidden, container, name));
        if (failure.Failed)
        {
            _ = Sys.Chmod(directory.Descriptor, Sys.ModeOwner); // If this fails, it cannot be moved.
            Failure back = Renamed(container.Move(hidden, _staging, name));
            if (back.Failed)
            {
                context.Report(back.Leaving(container.PathOf(hidden)));
            }
        }

        return failure;
    }

    /// <summary>
    /// Moves an entry that has appeared back to the staging folder, and the entry that it replaced, which is there under the same
    /// name, back to its place. What cannot be moved back is reported.
    /// </summary>
    private void TakeBack(in ListedEntry entry)
    {
        Found there = Look(container, entry);
        Found waiting = Look(_staging, entry);
        if (waiting == Found.Ours || (waiting == Found.Nothing && there is Found.Nothing or Found.Others))
        {
            return; // It has not appeared, or someone else has already moved it away.
        }

        Failure failure = (there, waiting) switch
        {
            (Found.Nothing, Found.Others) => Renamed(_staging.Move(entry.Name, container, entry.Name)),
            (Found.Ours, Found.Nothing or Found.Others) => TakeBack(entry, isReplaced: waiting == Found.Others),
            _ => Failure.Refused(BtrfsError.ChangedMeanwhile),
        };
        if (failure.Failed && there is Found.Ours or Found.Unknown)
        {
            context.Report(failure.Leaving(container.PathOf(entry.Name)));
        }

        if (Look(_staging, entry) is Found.Others or Found.Unknown)
        {
            HoldsOthers = true;
            string place = PathText.Printable(container.PathOf(entry.Name));
            context.Report(new BtrfsException(
                new ErrorMeaning(BtrfsError.LeftBehind, $"what stood at '{place}' could not be put back and is here"),
                _staging.PathOf(entry.Name), failure.Call, failure.Errno));
        }
    }

    private Failure TakeBack(in ListedEntry entry, bool isReplaced)
    {
        CallResult result = Back(entry.Name, isReplaced);
        if (result.Error is Errno.EPERM or Errno.EACCES)
        {
            fixed (byte* name = entry.Name)
            {
                UnprotectedEntry.OpenUp(container.Descriptor, name, entry.Inode);
            }

            result = Back(entry.Name, isReplaced);
        }

        // Someone else may have replaced the entry since: their entry must not be removed.
        if (!result.Failed && Look(_staging, entry) == Found.Others)
        {
            result = isReplaced
                ? _staging.Exchange(entry.Name, container)
                : _staging.Move(entry.Name, container, entry.Name);
        }

        return Renamed(result);
    }

    private CallResult Back(byte[] name, bool isReplaced) => isReplaced
        ? _staging.Exchange(name, container)
        : container.Move(name, _staging, name);

    private static Found Look(HeldDirectory directory, in ListedEntry entry)
    {
        CallResult result = directory.Stat(entry.Name, out Statx status);
        return result.Is(Errno.ENOENT) ? Found.Nothing
            : result.Failed ? Found.Unknown
            : status.Inode == entry.Inode ? Found.Ours
            : Found.Others;
    }

    private static Failure Renamed(CallResult result) => Called(SystemCall.RenameAt2, result);

    private static Failure Called(SystemCall call, CallResult result) =>
        result.Failed ? Failure.Destination(call, result) : default;

    /// <summary>The entry that a name currently refers to.</summary>
    private enum Found
    {
        Nothing,
        Ours,
        Others,

        /// <summary>The kernel does not report it.</summary>
        Unknown,
    }
}
