using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Creates the clone of one entry that is not a directory, under an unused name (otherwise EEXIST). Whatever was created for an
/// entry that failed is removed again.
/// </summary>
internal sealed unsafe class EntryMaker(CloneContext context)
{
    private readonly FileCloner _files = new(context);
    private readonly Metadata _metadata = new(context);

    /// <summary>Creates the clone, or another link to an earlier one.</summary>
    public Failure Make(in EntryTask entry, HardLink? link, byte* name, out MadeEntry made)
    {
        made = default;
        return link is not null ? MakeLink(entry, link, name, out made) : entry.Status->FileType switch
        {
            Sys.ModeRegular => MakeFile(entry, name, out made),
            Sys.ModeSymlink => MakeSymlink(entry, name, out made.Inode),
            _ => MakeNode(entry, name, out made.Inode),
        };
    }

    private Failure MakeFile(in EntryTask entry, byte* name, out MadeEntry made)
    {
        FileClone file = new() { Name = name, Source = entry.Source, Status = *entry.Status };
        _files.Make(entry.Buffers, entry.Directory, new Span<FileClone>(ref file), entry.Cancellation);
        made = new MadeEntry(file);
        return file.Failure;
    }

    private Failure MakeLink(in EntryTask entry, HardLink link, byte* name, out MadeEntry made)
    {
        made = new MadeEntry { Inode = link.Inode };
        DirectoryPair first = link.Directory!;
        Descriptor destination = entry.Directory.Destination;
        Descriptor directory = destination;
        CallResult opened = first == entry.Directory
            ? CallResult.Success
            : entry.Buffers.LinkDirectories.Open(first, out directory);
        if (opened.Failed)
        {
            made.FirstIsGone = opened.Is(Errno.ENOENT);
            return Failure.Destination(SystemCall.LinkAt, opened);
        }

        fixed (byte* firstName = link.Name)
        {
            CallResult result = Sys.Link(directory, firstName, destination, name);
            if (result.Is(Errno.EPERM))
            {
                result = LinkProtected(directory, firstName, entry.Directory, name);
            }

            if (result.Failed)
            {
                made.FirstIsGone = result.Is(Errno.ENOENT);
                return Failure.Destination(SystemCall.LinkAt, result);
            }

            result = Sys.StatEntry(destination, name, out Statx linked);
            if (result.Failed || linked.Inode != link.Inode)
            {
                // The first clone was replaced by someone else.
                context.RemoveMade(entry.Directory, name);
                made.FirstIsGone = result.Succeeded;
                return result.Failed
                    ? Failure.Destination(SystemCall.Statx, result)
                    : Failure.Destination(SystemCall.LinkAt, Errno.ENOENT);
            }

            context.Created.Add(entry.Directory, linked.Inode);
            return default;
        }
    }

    /// <summary>
    /// No further link can be created to an immutable or append-only file: the flags of its clone are restored after creating this
    /// one.
    /// </summary>
    private CallResult LinkProtected(Descriptor firstDirectory, byte* firstName, DirectoryPair directory, byte* name)
    {
        if (!UnprotectedEntry.TryUnprotect(firstDirectory, firstName, out UnprotectedEntry first))
        {
            return Errno.EPERM;
        }

        CallResult result = Sys.Link(firstDirectory, firstName, directory.Destination, name);
        CallResult restored = first.Protect();
        if (!result.Failed && restored.Failed)
        {
            context.RemoveMade(directory, name);
        }

        return result.Failed ? result : restored;
    }

    private Failure MakeSymlink(in EntryTask entry, byte* name, out ulong inode)
    {
        inode = 0;
        byte* target = entry.Buffers.LinkTarget;
        CallResult length = Sys.ReadLink(entry.Directory.Source, entry.SourceName, target, Sys.PathMax);
        if (length.Failed)
        {
            return Failure.Source(SystemCall.ReadlinkAt, length);
        }

        target[length.Value] = 0;
        CallResult result = Sys.MakeSymlink(target, entry.Directory.Destination, name);
        return result.Failed ? Failure.Destination(SystemCall.SymlinkAt, result) : Finish(entry, name, out inode);
    }

    private Failure MakeNode(in EntryTask entry, byte* name, out ulong inode)
    {
        inode = 0;
        Statx* status = entry.Status;
        CallResult result = Sys.MakeNode(
            entry.Directory.Destination, name, status->FileType | (status->Permissions & Sys.ModeOwnerReadWrite),
            status->SpecialDeviceMajor, status->SpecialDeviceMinor);
        return result.Failed ? Failure.Destination(SystemCall.MknodAt, result) : Finish(entry, name, out inode);
    }

    private Failure Finish(in EntryTask entry, byte* name, out ulong inode)
    {
        Failure failure = _metadata.ApplyToEntry(
            entry.Buffers, entry.Directory, entry.SourceName, name, *entry.Status, out inode);
        bool isRecorded = context.Created.AreRecordedIn(entry.Directory);
        if (!failure.Failed && inode == 0 && (isRecorded || entry.Status->LinkCount > 1))
        {
            CallResult result = Sys.StatEntry(entry.Directory.Destination, name, out Statx made);
            inode = made.Inode;
            failure = result.Failed ? Failure.Destination(SystemCall.Statx, result) : failure;
        }

        if (failure.Failed)
        {
            context.RemoveMade(entry.Directory, name);
        }
        else
        {
            context.Created.Add(entry.Directory, inode);
        }

        return failure;
    }
}
