using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>The content of a regular file: shared, or copied if permitted, and the space preallocated beyond the end.</summary>
internal sealed class FileContent(CloneContext context)
{
    /// <summary>Gives an empty file its content. It already has the flags that determine how that is stored.</summary>
    public Failure Give(
        WorkerBuffers buffers, DirectoryPair directory, ref FileClone file, CancellationToken cancellation)
    {
        (Descriptor source, Descriptor destination, InodeFlags flags) = (file.Source, file.Destination, file.Flags);
        ref readonly Statx status = ref file.Status;
        if (((flags ^ directory.InheritedFlags) & InodeFlags.Inherited) != 0)
        {
            Failure flagged = SetEarlyFlags(context, destination, flags);
            if (flagged.Failed)
            {
                return flagged;
            }
        }

        CallResult result;
        bool isCloned = false;
        bool isCarried = false;
        // Files with size 0 on another filesystem need not be empty: files in /proc are not.
        bool isEmpty = status.Size == 0 && (status.Device == directory.DestinationStatus.Device || directory.InSnapshot);
        Failure failure = isEmpty ? default : Clone(directory, ref file, cancellation, out isCloned, out isCarried);
        ulong blockSize = Math.Max(status.BlockSize, 512u);
        ulong end = (status.Size + blockSize - 1) / blockSize * blockSize;
        if (failure.Failed || isCarried || (end <= blockSize && status.Blocks * 512 <= end))
        {
            return failure;
        }

        // FICLONE omits the space preallocated beyond the end: only then the clone has fewer blocks than the source.
        result = Sys.Stat(destination, out Statx made);
        if (result.Failed)
        {
            return Failure.Destination(SystemCall.Statx, result);
        }

        if (made.Blocks == status.Blocks)
        {
            return default;
        }

        // It has to come first: fallocate(2) rewrites the last block of a file that has data, which would no longer be shared.
        result = isCloned ? Sys.Truncate(destination, 0) : result;
        if (result.Failed)
        {
            return Failure.Destination(SystemCall.Ftruncate, result);
        }

        failure = Preallocation.CopyBeyond(buffers.Fiemap, source, destination, (long)end);
        if (!isCloned)
        {
            return LosePreallocation(failure, file);
        }

        return failure.Failed ? failure : Clone(directory, ref file, cancellation, out _, out _);
    }

    /// <summary>Failing to preallocate space for a copy, because it is unsupported or full, loses no data.</summary>
    private Failure LosePreallocation(Failure failure, in FileClone file)
    {
        if (failure.Errno is Errno.EOPNOTSUPP or Errno.ENODEV or Errno.ENOSPC or Errno.EDQUOT or Errno.EFBIG)
        {
            context.Losses.Add(MetadataKind.Preallocation, "fallocate");

            // Frees what was preallocated of it.
            CallResult result = Sys.Truncate(file.Destination, (long)file.Status.Size);
            failure = result.Failed ? Failure.Destination(SystemCall.Ftruncate, result) : default;
        }

        return failure;
    }

    private Failure Clone(
        DirectoryPair directory, ref FileClone file, CancellationToken cancellation, out bool isCloned, out bool isCarried)
    {
        isCarried = false;
        CallResult result = file.Begun is null
            ? CloneInto(file.Destination, file.Source, file.Flags, directory.InheritedFlags)
            : Errno.EXDEV;
        isCloned = result.Succeeded;
        if (isCloned || (result.Is(Errno.EINVAL) && file.Status.Size == 0))
        {
            return default; // On the same filesystem, an empty file has nothing to share.
        }

        if (context.Options.Reflink == ReflinkMode.Auto &&
            result.Error is Errno.EXDEV or Errno.EOPNOTSUPP or Errno.ENOTTY or Errno.EINVAL)
        {
            Failure carried = result.Is(Errno.EXDEV) && context.Carrier is { } carrier
                ? carrier.Carry(directory, ref file, cancellation, out isCarried)
                : default;
            if (carried.Failed || isCarried)
            {
                return carried;
            }

            var copy = new ByteCopy(file.Source, file.Destination, context, cancellation);
            Failure failure = copy.Run((long)file.Status.Size, out long length);
            file.CopiedLength = copy.Copied;
            file.Status.Size = (ulong)length;
            if (result.Is(Errno.EINVAL) && ChecksumMismatch.IsOfNoCow(file.Source, file.Destination))
            {
                context.Counters.AddNoCowMismatch();
            }

            return failure;
        }

        Failure failed = Failure.Between(SystemCall.FiClone, result);
        return result.Is(Errno.EINVAL)
            ? failed with { Meaning = ChecksumMismatch.Describe(file.Source, file.Destination) }
            : failed;
    }

    /// <summary>
    /// Clones, if necessary after changing whether there are checksums: the kernel rejects a pair of which only one has them
    /// (EINVAL), and NOCOW files have none.
    /// </summary>
    private CallResult CloneInto(Descriptor destination, Descriptor source, InodeFlags flags, InodeFlags inherited)
    {
        CallResult result = Sys.Clone(source, destination);
        if (context.Storage.Inherited.HasFlag(InodeFlags.NoCow))
        {
            return result; // The destination is to keep the properties with which it was created.
        }

        flags &= ~context.Storage.Inherited;
        if (result.Is(Errno.EINVAL) && SetEarlyFlags(destination, flags, out _).Succeeded)
        {
            // The destination's NOCOW flag comes from elsewhere, such as the mount option nodatacow.
            result = Sys.Clone(source, destination);
        }

        // A file written with nodatasum has no checksums, and no flag that shows it: if new files are NOCOW, it matches as it is.
        InodeFlags noCow = (flags & ~(InodeFlags.Compress | InodeFlags.NoCompress)) | InodeFlags.NoCow;
        if (result.Is(Errno.EINVAL) && inherited.HasFlag(InodeFlags.NoCow) && !flags.HasFlag(InodeFlags.NoCow) &&
            SetEarlyFlags(destination, noCow, out _).Succeeded)
        {
            result = Sys.Clone(source, destination);
        }

        return result;
    }

    /// <summary>
    /// The flags that determine how data is stored have to be set while the file is empty: FICLONE rejects a pair of a NOCOW and a
    /// copy-on-write file (EINVAL). Inherited flags are cleared first: NOCOW and compression exclude each other, also the old one
    /// and the new one. Unsupported flags are returned as lost.
    /// </summary>
    public static CallResult SetEarlyFlags(Descriptor destination, InodeFlags flags, out InodeFlags lost)
    {
        lost = InodeFlags.None;
        InodeFlags early = flags & InodeFlags.Inherited;
        CallResult result = Sys.SetFlags(destination, InodeFlags.None);
        result = result.Failed || early == InodeFlags.None ? result : Sys.SetFlags(destination, early);
        if (result.Error is Errno.ENOTTY or Errno.EOPNOTSUPP)
        {
            lost = early;
            return CallResult.Success;
        }

        return result;
    }

    /// <summary>The same for a clone: lost flags are counted, or are an error if they were requested.</summary>
    public static Failure SetEarlyFlags(CloneContext context, Descriptor destination, InodeFlags flags)
    {
        CallResult result = SetEarlyFlags(destination, flags, out InodeFlags lost);
        if (lost != InodeFlags.None && context.Options.Reflink == ReflinkMode.Always)
        {
            result = Errno.EOPNOTSUPP; // Both are on one filesystem: these flags were requested.
        }

        context.Losses.AddFlags(result.Failed ? InodeFlags.None : lost);
        return result.Failed ? Failure.Destination(SystemCall.SetFlags, result) : default;
    }
}
