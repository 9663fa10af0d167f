using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Clones one entry that is not a directory: to a new name, or atomically over an existing file. Whatever was created for an entry
/// that failed is removed again.
/// </summary>
internal sealed unsafe class EntryCloner(CloneContext context)
{
    private readonly EntryMaker _maker = new(context);

    // If links lead to a directory as well, each of its files is found more than once.
    private readonly HardLinkTable _links = new(forgets: context.Options.Links != LinkMode.FollowAll);

    /// <summary>Clones an entry with the same name on both sides, and counts it.</summary>
    public Failure Clone(
        WorkerBuffers buffers, DirectoryPair directory, byte* sourceName, byte* name, bool expectRegular,
        CancellationToken cancellation)
    {
        Failure failure = SourceEntry.Open(
            buffers, directory, sourceName, expectRegular, out Descriptor source, out Statx status,
            context.Options.Links != LinkMode.Keep);
        return failure.Failed
            ? failure
            : Clone(buffers, directory, source, sourceName, status, name, cancellation);
    }

    /// <summary>Clones an entry that was found, and closes it. If it is known what the name refers to, one attempt is saved.</summary>
    public Failure Clone(
        WorkerBuffers buffers, DirectoryPair directory, Descriptor source, byte* sourceName, in Statx status, byte* name,
        CancellationToken cancellation, Statx* old = null)
    {
        try
        {
            fixed (Statx* pointer = &status)
            {
                EntryTask entry = new(buffers, directory, source, sourceName, pointer, cancellation, old);
                return status.LinkCount > 1 ? CloneLinked(entry, name) : Place(entry, null, name, out _);
            }
        }
        finally
        {
            if (source.IsOpen)
            {
                buffers.Closing.Add(source);
            }
        }
    }

    /// <summary>
    /// Keeps an existing destination entry as the clone of one of an inode's links. False if the others have another clone: then it
    /// has to become a link to that.
    /// </summary>
    public bool TryKeep(DirectoryPair directory, ReadOnlySpan<byte> name, in Statx status, ulong inode) =>
        status.LinkCount == 1 || _links.TryKeep(status, directory, name, inode);

    /// <summary>Completes a file after a batch: if its name was taken, the clone replaces the existing file.</summary>
    public Failure Settle(
        WorkerBuffers buffers, DirectoryPair directory, ref FileClone file, CancellationToken cancellation)
    {
        fixed (Statx* status = &file.Status)
        {
            EntryTask entry = new(buffers, directory, file.Source, file.Name, status, cancellation);
            MadeEntry made = new(file);
            return Settle(entry, null, file.Name, file.Failure, ref made);
        }
    }

    private Failure CloneLinked(in EntryTask entry, byte* name)
    {
        HardLink link = _links.Meet(*entry.Status);
        lock (link)
        {
            if (link.Directory is not null)
            {
                Failure linked = Place(entry, link, name, out MadeEntry further);
                if (!further.FirstIsGone)
                {
                    return linked;
                }

                // The first clone was removed or replaced by someone else: this one becomes the first.
                link.Forget();
            }

            Failure failure = Place(entry, null, name, out MadeEntry made);
            if (!failure.Failed && !made.IsUpToDate)
            {
                link.IsAt(entry.Directory, new ReadOnlySpan<byte>(name, Utf8Z.Length(name) + 1), made.Inode);
            }

            return failure;
        }
    }

    /// <summary>Creates a clone, or another link to an earlier one.</summary>
    private Failure Place(in EntryTask entry, HardLink? link, byte* name, out MadeEntry made)
    {
        made = default;
        Failure failure = entry.Old is not null
            ? Failure.Destination(SystemCall.OpenAt, Errno.EEXIST)
            : _maker.Make(entry, link, name, out made);
        return Settle(entry, link, name, failure, ref made);
    }

    /// <summary>Handles the result of creating an entry, including an existing name; and counts it.</summary>
    private Failure Settle(in EntryTask entry, HardLink? link, byte* name, Failure failure, ref MadeEntry made)
    {
        if (failure is { Errno: Errno.EEXIST, AtSource: false })
        {
            failure = Replace(entry, link, name, out made);
        }

        if (!failure.Failed && !made.IsUpToDate)
        {
            Count(entry, link, made);
            context.TellCloned(entry.Directory, entry.SourceName, name);
        }

        return failure;
    }

    /// <summary>Clones under a temporary name beside the existing file and renames it over that.</summary>
    private Failure Replace(in EntryTask entry, HardLink? link, byte* name, out MadeEntry made)
    {
        made = default;
        Statx old = entry.Old is null ? default : *entry.Old;
        CallResult result = entry.Old is null
            ? Sys.StatEntry(entry.Directory.Destination, name, out old)
            : CallResult.Success;
        if (result.Failed)
        {
            return Failure.Destination(SystemCall.Statx, result);
        }

        if (SameFile.Is(entry.Directory, entry.SourceName, *entry.Status, name, old))
        {
            return Failure.Refused(BtrfsError.SameFile);
        }

        if (entry.Directory.IsOfEarlierItem || context.Created.Contains(old))
        {
            return Failure.Refused(BtrfsError.JustCreated);
        }

        if (context.Options.Update && old.FileType != Sys.ModeDirectory && !entry.Status->IsNewerThan(old))
        {
            made.IsUpToDate = true;
            return default;
        }

        if (Preconditions.WhyNotReplaceable(old, entry.Status->FileType, context.Options) is { } reason)
        {
            return Failure.Refused(reason);
        }

        if (entry.Directory.IsAppendOnly)
        {
            // An entry created under a temporary name could neither be renamed nor removed.
            return Failure.Destination(SystemCall.RenameAt, Errno.EPERM);
        }

        byte* temporary = entry.Buffers.NewTemporaryName();
        Failure failure = _maker.Make(entry, link, temporary, out made);
        if (failure.Failed)
        {
            return failure;
        }

        // Renaming one link of a file over another link of it does nothing and leaves both: the name is already right.
        Descriptor directory = entry.Directory.Destination;
        bool alreadyThere = link is not null && old.LinkCount > 1 &&
            Sys.StatEntry(directory, temporary, out Statx status).Succeeded && status.IsSameFileAs(old);
        if (context.Options.Backup != BackupMode.None && !alreadyThere)
        {
            failure = Backup.Keep(entry.Directory, name, context.Options.Backup, context.Created);
            if (failure.Failed)
            {
                RemoveTemporary(entry.Directory, temporary, made, failure);
                return failure;
            }
        }

        failure = RenameOver(directory, temporary, name, alreadyThere);
        if (failure.Errno == Errno.EPERM &&
            UnprotectedEntry.TryUnprotect(directory, temporary, out UnprotectedEntry unprotected))
        {
            failure = RenameOver(directory, temporary, name, alreadyThere);
            RemoveTemporary(entry.Directory, temporary, made, failure);
            CallResult restored = unprotected.Protect();
            return failure.Failed || !restored.Failed ? failure : Failure.Destination(SystemCall.FsSetXattr, restored);
        }

        RemoveTemporary(entry.Directory, temporary, made, failure);
        return failure;
    }

    /// <summary>Renames the temporary name over the other, or removes it if that is not necessary.</summary>
    private static Failure RenameOver(Descriptor directory, byte* temporary, byte* name, bool alreadyThere)
    {
        CallResult result = alreadyThere
            ? Sys.Unlink(directory, temporary)
            : Sys.Rename(directory, temporary, directory, name);
        return !result.Failed ? default
            : alreadyThere ? Failure.Destination(SystemCall.UnlinkAt, result)
            : ActiveSwapFile.Explain(
                Failure.Destination(SystemCall.RenameAt, result), directory, new(name, Utf8Z.Length(name) + 1));
    }

    private void RemoveTemporary(DirectoryPair directory, byte* temporary, in MadeEntry made, Failure failure)
    {
        if (failure.Failed)
        {
            context.Counters.AddCopied(-made.CopiedLength);
            context.RemoveMade(directory, temporary);
        }
    }

    private void Count(in EntryTask entry, HardLink? link, in MadeEntry made)
    {
        if (link is not null)
        {
            context.Counters.AddHardLink();
        }
        else if (entry.Status->FileType == Sys.ModeRegular)
        {
            context.Counters.AddFile(made.Length);
            if (made.SharedLength + made.UnpackedLength > 0)
            {
                context.Counters.AddCarried(made.SharedLength, made.UnpackedLength);
            }
        }
        else if (entry.Status->FileType == Sys.ModeSymlink)
        {
            context.Counters.AddSymbolicLink();
        }
        else
        {
            context.Counters.AddSpecialFile();
        }
    }
}
