using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Creates the clone of an open regular file under a name that does not exist, in three steps. A plain file (owned by the caller,
/// no xattrs, no special mode) takes the minimum number of calls for a complete clone.
/// </summary>
internal sealed unsafe class FileCloner(CloneContext context)
{
    private readonly FileContent _content = new(context);
    private readonly Metadata _metadata = new(context);

    /// <summary>
    /// Performs one step for all files before the next step. When a step is repeated, the kernel's code and the tree's blocks are
    /// still in the processor's caches, and there is less contention with other workers: overall this takes a tenth less time than
    /// file by file. Each file then has a failure, or a clone that is complete and closed.
    /// </summary>
    public void Make(
        WorkerBuffers buffers, DirectoryPair directory, Span<FileClone> files, CancellationToken cancellation)
    {
        foreach (ref FileClone file in files)
        {
            file.Failure = LookAt(buffers, directory, ref file);
        }

        foreach (ref FileClone file in files)
        {
            file.Failure = file.Failure.Failed ? file.Failure : Create(directory, ref file);
        }

        int begun = 0;
        long written = 0;
        for (int i = 0; i < files.Length; i++)
        {
            ref FileClone file = ref files[i];
            while (files.Length > 1 && context.Carrier is { } carrier && begun < files.Length &&
                (begun <= i || written < context.WriteOut.Limit))
            {
                written += Begin(carrier, directory, ref files[begun++], cancellation);
            }

            written -= file.BegunLength;
            file.Failure = file.Failure.Failed ? file.Failure : Fill(buffers, directory, ref file, cancellation);
        }
    }

    /// <summary>
    /// Starts copying a file to another filesystem while others are copied: together as much as its disk writes in a short time.
    /// </summary>
    private static long Begin(
        IContentCarrier carrier, DirectoryPair directory, ref FileClone file, CancellationToken cancellation) =>
        file.BegunLength = file.Failure.Failed ? 0 : carrier.Begin(directory, ref file, cancellation);

    /// <summary>Removes an incomplete clone, if there is one.</summary>
    public void GiveUp(DirectoryPair directory, ref FileClone file)
    {
        file.Begun?.Dispose();
        file.Begun = null;
        if (!file.Destination.IsOpen)
        {
            return;
        }

        context.Counters.AddCopied(-file.CopiedLength);
        Sys.Close(file.Destination); // Immediately: it may occupy the space that the next file needs.
        file.Destination = Descriptor.None;
        context.RemoveMade(directory, file.Name);
    }

    /// <summary>The first step: reads the properties of the source that determine how the clone is created.</summary>
    private Failure LookAt(WorkerBuffers buffers, DirectoryPair directory, ref FileClone file)
    {
        if (file.Status.Size > context.FileSizeLimit)
        {
            return Failure.Refused(BtrfsError.FileTooLarge);
        }

        CallResult result = Sys.GetFlags(file.Source, out file.Flags);
        if (result.Failed)
        {
            return Failure.Source(SystemCall.GetFlags, result);
        }

        file.Flags = context.Storage.Of(file.Flags, directory.InheritedFlags);
        CallResult names = Sys.ListXattr(file.Source, buffers.XattrNames);
        if (names.Failed && !names.Is(Errno.EOPNOTSUPP))
        {
            return Failure.Source(SystemCall.ListXattr, names);
        }

        file.HasXattrs = names.Value > 0 || context.Storage.Compression is not null;
        file.Mode = !file.HasXattrs && context.MayBeRightAtOnce(directory, file.Status)
            ? file.Status.Permissions
            : Sys.ModeOwnerReadWrite;
        return default;
    }

    /// <summary>The second step: creates an empty file.</summary>
    private static Failure Create(DirectoryPair directory, ref FileClone file)
    {
        CallResult result = Sys.OpenAt(
            directory.Destination, file.Name,
            OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoFollow |
            OpenFlags.NoControllingTerminal,
            out file.Destination, file.Mode);
        return result.Failed ? Failure.Destination(SystemCall.OpenAt, result) : default;
    }

    /// <summary>The last step: content and metadata. The clone is then closed, or removed if this fails.</summary>
    private Failure Fill(
        WorkerBuffers buffers, DirectoryPair directory, ref FileClone file, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
        {
            GiveUp(directory, ref file);
            return Failure.Cancelled;
        }

        CallResult result = (file.Mode & context.Umask & Sys.ModeOwnerReadWrite) != 0
            ? Sys.Chmod(file.Destination, file.Mode)
            : CallResult.Success;
        Failure failure = result.Failed
            ? Failure.Destination(SystemCall.Fchmod, result)
            : _content.Give(buffers, directory, ref file, cancellation);
        failure = failure.Failed ? failure : ApplyMetadata(buffers, directory, file);
        if (!failure.Failed && (file.Status.LinkCount > 1 || context.Created.AreRecordedIn(directory)))
        {
            result = Sys.Stat(file.Destination, out Statx made);
            file.Inode = made.Inode;
            failure = result.Failed ? Failure.Destination(SystemCall.Statx, result) : default;
        }

        if (failure.Failed)
        {
            GiveUp(directory, ref file);
        }
        else
        {
            context.Created.Add(directory, file.Inode);
            buffers.Closing.Add(file.Destination);
            file.Destination = Descriptor.None;
        }

        return failure;
    }

    private Failure ApplyMetadata(WorkerBuffers buffers, DirectoryPair directory, in FileClone file)
    {
        // What was listed first may be that of another file by now.
        CallResult names = file.HasXattrs ? Sys.ListXattr(file.Source, buffers.XattrNames) : CallResult.Success;
        if (names.Failed)
        {
            return Failure.Source(SystemCall.ListXattr, names);
        }

        var before = new Metadata.Before(
            context.Uid, directory.GroupOfNew(context.Gid), file.Mode & ~context.Umask, directory.InheritsXattrs);
        return _metadata.ApplyTo(buffers, file.Source, file.Destination, file.Status, file.Flags, before, (int)names.Value);
    }
}
