using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Makes the clone of an open regular file under a name that does not exist, in three steps. A plain file (owned by the
/// caller, no xattrs, no special mode) takes the fewest calls that a faithful clone can be made of.
/// </summary>
internal sealed unsafe class FileCloner(CloneSession session)
{
    private const uint PrivateMode = 0x180; // 0600

    /// <summary>Takes all steps. Whatever was made of a file that fails is gone again.</summary>
    public Fault Make(WorkerBuffers buffers, DirectoryPair directory, int source, in Statx status, byte* name)
    {
        FileClone file = new() { Name = name, Source = source, Status = status };
        Fault fault = LookAt(buffers, directory, ref file);
        fault = fault.Failed ? fault : Create(directory, ref file);
        return fault.Failed ? fault : Fill(buffers, directory, file);
    }

    /// <summary>The first step: what the source has that decides how the clone is created.</summary>
    public Fault LookAt(WorkerBuffers buffers, DirectoryPair directory, ref FileClone file)
    {
        if (file.Status.Size > session.FileSizeLimit)
        {
            return Fault.Refused(BtrfsError.FileTooLarge);
        }

        int result = Sys.GetFlags(file.Source, out file.Flags);
        if (result < 0)
        {
            return Fault.Source("FS_IOC_GETFLAGS", result);
        }

        int nameBytes = Sys.ListXattr(file.Source, buffers.XattrNames);
        if (nameBytes < 0 && nameBytes != -Errno.EOPNOTSUPP)
        {
            return Fault.Source("flistxattr", nameBytes);
        }

        file.HasXattrs = nameBytes > 0;
        bool rightAtOnce = file.Status.Uid == session.Uid && file.Status.Gid == directory.GroupOfNew(session.Gid) &&
            !file.HasXattrs && !directory.InheritsXattrs && (file.Status.Permissions & (0xE00 | session.Umask)) == 0;
        file.Mode = rightAtOnce ? file.Status.Permissions : PrivateMode;
        return default;
    }

    /// <summary>The second step: an empty file.</summary>
    public static Fault Create(DirectoryPair directory, ref FileClone file)
    {
        file.Destination = Sys.OpenAt(
            directory.Destination, file.Name,
            OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoFollow |
            OpenFlags.NoControllingTerminal,
            file.Mode);
        return file.Destination < 0 ? Fault.Destination("openat", file.Destination) : default;
    }

    /// <summary>The last step: content and metadata. The clone is closed with it, or removed where it fails.</summary>
    public Fault Fill(WorkerBuffers buffers, DirectoryPair directory, in FileClone file)
    {
        int result;
        Fault fault = (file.Mode & session.Umask & PrivateMode) != 0 && (result = Sys.Chmod(file.Destination, file.Mode)) < 0
            ? Fault.Destination("fchmod", result)
            : Content(buffers, directory, file.Source, file.Destination, file.Status, file.Flags);
        fault = fault.Failed ? fault : ApplyMetadata(buffers, directory, file);
        if (!fault.Failed && file.Status.LinkCount > 1 && (result = Sys.Stat(file.Destination, out buffers.Made)) < 0)
        {
            fault = Fault.Destination("statx", result);
        }

        if (fault.Failed)
        {
            Remove(buffers, directory, file);
        }
        else
        {
            buffers.Closing.Add(file.Destination);
        }

        return fault;
    }

    /// <summary>Takes a clone back that was created.</summary>
    public static void Remove(WorkerBuffers buffers, DirectoryPair directory, in FileClone file)
    {
        buffers.Closing.Add(file.Destination);
        _ = Sys.Unlink(directory.Destination, file.Name);
    }

    private Fault ApplyMetadata(WorkerBuffers buffers, DirectoryPair directory, in FileClone file)
    {
        // What was listed at first may be another file's by now.
        int nameBytes = file.HasXattrs ? Sys.ListXattr(file.Source, buffers.XattrNames) : 0;
        if (nameBytes < 0)
        {
            return Fault.Source("flistxattr", nameBytes);
        }

        var before = new Metadata.Before(
            session.Uid, directory.GroupOfNew(session.Gid), file.Mode & ~session.Umask, directory.InheritsXattrs);
        return Metadata.ApplyTo(buffers, file.Source, file.Destination, file.Status, file.Flags, before, nameBytes);
    }

    private Fault Content(
        WorkerBuffers buffers, DirectoryPair directory, int source, int destination, in Statx status, InodeFlags flags)
    {
        int result = 0;
        if (((flags ^ directory.InheritedFlags) & InodeFlags.Inherited) != 0 &&
            (result = SetEarlyFlags(destination, flags)) < 0)
        {
            return Fault.Destination("FS_IOC_SETFLAGS", result);
        }

        bool isCloned = false;
        Fault fault = status.Size > 0 ? Clone(source, destination, status, flags, out isCloned) : default;
        ulong blockSize = Math.Max(status.BlockSize, 512u);
        ulong end = (status.Size + blockSize - 1) / blockSize * blockSize;
        if (fault.Failed || (end <= blockSize && status.Blocks * 512 <= end))
        {
            return fault;
        }

        // FICLONE leaves out what is preallocated beyond the end: only then are there fewer blocks than the source has.
        if ((result = Sys.Stat(destination, out Statx made)) < 0)
        {
            return Fault.Destination("statx", result);
        }

        if (made.Blocks == status.Blocks)
        {
            return default;
        }

        // It has to come first: fallocate(2) rewrites the last block of a file that has data, which would part it again.
        if (isCloned && (result = Sys.Truncate(destination, 0)) < 0)
        {
            return Fault.Destination("ftruncate", result);
        }

        fault = PreallocateBeyondEnd(buffers, source, destination, end);
        return isCloned && !fault.Failed ? Clone(source, destination, status, flags, out _) : fault;
    }

    private Fault Clone(int source, int destination, in Statx status, InodeFlags flags, out bool isCloned)
    {
        int result = Sys.Clone(source, destination);
        if (result == -Errno.EINVAL && SetEarlyFlags(destination, flags) == 0)
        {
            // The destination got its NOCOW flag from elsewhere, such as the mount option nodatacow.
            result = Sys.Clone(source, destination);
        }

        isCloned = result >= 0;
        if (isCloned)
        {
            return default;
        }

        if (session.Options.Reflink == ReflinkMode.Auto &&
            result is -Errno.EXDEV or -Errno.EOPNOTSUPP or -Errno.ENOTTY or -Errno.EINVAL)
        {
            return ByteCopy.Copy(source, destination, (long)status.Size, session.Counters, session.Cancellation);
        }

        return result == -Errno.EINVAL
            ? new Fault("FICLONE", Errno.EINVAL, AtSource: true, BtrfsError.NoCowMismatch)
            : Fault.Source("FICLONE", result);
    }

    /// <summary>
    /// The flags that decide how data is stored have to be there while the file is empty: FICLONE refuses a NOCOW
    /// file and a copy-on-write one (EINVAL). What was inherited is cleared first: NOCOW and compression exclude each
    /// other, the old one and the new one too.
    /// </summary>
    public static int SetEarlyFlags(int destination, InodeFlags flags)
    {
        InodeFlags early = flags & InodeFlags.Inherited;
        int result = Sys.SetFlags(destination, InodeFlags.None);
        result = result < 0 || early == InodeFlags.None ? result : Sys.SetFlags(destination, early);
        return result is -Errno.ENOTTY or -Errno.EOPNOTSUPP ? 0 : result;
    }

    private static Fault PreallocateBeyondEnd(WorkerBuffers buffers, int source, int destination, ulong start)
    {
        FiemapRequest* request = buffers.Fiemap;
        var extents = (FiemapExtent*)(request + 1);
        while (true)
        {
            *request = new FiemapRequest
            {
                Start = start,
                Length = long.MaxValue - start,
                ExtentCount = WorkerBuffers.FiemapExtents,
            };
            if (Sys.Fiemap(source, request) < 0 || request->MappedExtents == 0)
            {
                return default;
            }

            ulong before = start;
            uint count = Math.Min(request->MappedExtents, WorkerBuffers.FiemapExtents);
            for (uint i = 0; i < count; i++)
            {
                ulong begin = Math.Max(extents[i].Logical, start);
                ulong end = extents[i].Logical + extents[i].Length;
                if (end > begin && extents[i].Flags.HasFlag(FiemapExtentFlags.Unwritten))
                {
                    int result = Sys.Preallocate(destination, (long)begin, (long)(end - begin));
                    if (result < 0)
                    {
                        return Fault.Destination("fallocate", result);
                    }
                }

                start = Math.Max(start, end);
            }

            if (start == before || extents[count - 1].Flags.HasFlag(FiemapExtentFlags.Last))
            {
                return default;
            }
        }
    }
}
