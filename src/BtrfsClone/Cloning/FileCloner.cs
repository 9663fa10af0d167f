using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Makes the clone of one open regular file under a name that does not exist. A plain file (owned by the caller,
/// no xattrs, no special mode) takes the fewest calls that a faithful clone can be made of.
/// </summary>
internal sealed unsafe class FileCloner(CloneSession session)
{
    private const uint PrivateMode = 0x180; // 0600

    public Fault Make(WorkerBuffers buffers, DirectoryPair directory, int source, in Statx status, byte* name)
    {
        if (status.Size > session.FileSizeLimit)
        {
            return Fault.Refused(BtrfsError.FileTooLarge);
        }

        int result = Sys.GetFlags(source, out InodeFlags flags);
        if (result < 0)
        {
            return Fault.Source("FS_IOC_GETFLAGS", result);
        }

        int nameBytes = Sys.ListXattr(source, buffers.XattrNames);
        if (nameBytes < 0 && nameBytes != -Errno.EOPNOTSUPP)
        {
            return Fault.Source("flistxattr", nameBytes);
        }

        nameBytes = Math.Max(nameBytes, 0);
        uint group = directory.GroupOfNew(session.Gid);
        bool rightAtOnce = status.Uid == session.Uid && status.Gid == group && nameBytes == 0 &&
            !directory.InheritsXattrs && (status.Permissions & (0xE00 | session.Umask)) == 0;
        uint mode = rightAtOnce ? status.Permissions : PrivateMode;
        int destination = Sys.OpenAt(
            directory.Destination, name,
            OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoFollow |
            OpenFlags.NoControllingTerminal,
            mode);
        if (destination < 0)
        {
            return Fault.Destination("openat", destination);
        }

        var before = new Metadata.Before(session.Uid, group, mode & ~session.Umask, directory.InheritsXattrs);
        Fault fault = (mode & session.Umask & PrivateMode) != 0 && (result = Sys.Chmod(destination, mode)) < 0
            ? Fault.Destination("fchmod", result)
            : Content(buffers, directory, source, destination, status, flags);
        if (!fault.Failed)
        {
            fault = Metadata.ApplyTo(buffers, source, destination, status, flags, before, nameBytes);
        }

        if (!fault.Failed && status.LinkCount > 1 && (result = Sys.Stat(destination, out buffers.Made)) < 0)
        {
            fault = Fault.Destination("statx", result);
        }

        buffers.Closing.Add(destination);
        if (fault.Failed)
        {
            _ = Sys.Unlink(directory.Destination, name);
        }

        return fault;
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
