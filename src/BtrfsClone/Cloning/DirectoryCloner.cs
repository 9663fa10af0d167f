using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>Opens a directory and makes or opens its destination; finishes it once its entries are there.</summary>
internal sealed unsafe class DirectoryCloner(CloneSession session)
{
    private const uint PrivateMode = 0x1C0; // 0700
    private const uint WriteOfOthers = 0x12; // 0022

    /// <summary>Opens an existing directory that items are taken from; the one that they are put into is open.</summary>
    public static Fault OpenTop(WorkerBuffers buffers, DirectoryPair pair)
    {
        pair.Source = Sys.Open(pair.SourcePath, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NonBlock);
        if (pair.Source == -Errno.EACCES)
        {
            // A directory that may be passed through, but not listed, still gives what is named outright.
            pair.Source = Sys.Open(pair.SourcePath, OpenFlags.PathOnly | OpenFlags.Directory);
        }

        return pair.Source < 0 ? Fault.Source("openat", pair.Source) : ReadTop(buffers, pair);
    }

    /// <summary>Reads what entries of two open directories need to know of them.</summary>
    public static Fault ReadTop(WorkerBuffers buffers, DirectoryPair pair)
    {
        int result = Sys.Stat(pair.Source, out pair.SourceStatus);
        return result < 0 ? Fault.Source("statx", result) : ReadTraits(buffers, pair);
    }

    /// <summary>Opens a directory below its parent's pair and makes its destination, or takes the one that is there.</summary>
    public Fault Open(WorkerBuffers buffers, DirectoryPair pair)
    {
        Fault fault = OpenSource(pair);
        if (!fault.Failed && (session.Moment?.IsSeenIn(pair.SourceStatus, session.TopDestination)
            ?? pair.SourceStatus.IsSameFileAs(session.TopDestination)))
        {
            fault = Fault.Refused(BtrfsError.DestinationInsideSource, atSource: true);
        }

        if (!fault.Failed)
        {
            fault = OpenDestination(buffers, pair);
        }

        if (fault.Failed)
        {
            pair.Close();
        }
        else
        {
            session.Counters.AddDirectory();
        }

        return fault;
    }

    /// <summary>Gives the destination its metadata, now that nothing more is put into it.</summary>
    public static Fault Finish(WorkerBuffers buffers, DirectoryPair pair)
    {
        int nameBytes = Sys.ListXattr(pair.Source, buffers.XattrNames);
        if (nameBytes < 0 && nameBytes != -Errno.EOPNOTSUPP)
        {
            return Fault.Source("flistxattr", nameBytes);
        }

        InodeFlags flags = pair.SourceFlags;
        if (((flags ^ pair.InheritedFlags) & InodeFlags.Inherited) != 0)
        {
            int result = FileCloner.SetEarlyFlags(pair.Destination, flags);
            if (result < 0)
            {
                return Fault.Destination("FS_IOC_SETFLAGS", result);
            }
        }

        var before = new Metadata.Before(
            pair.DestinationStatus.Uid, pair.DestinationStatus.Gid, pair.DestinationStatus.Permissions, pair.Merged);
        return Metadata.ApplyTo(
            buffers, pair.Source, pair.Destination, pair.SourceStatus, flags, before, Math.Max(nameBytes, 0));
    }

    private Fault OpenSource(DirectoryPair pair)
    {
        pair.Source = OpenDirectory.Below(pair.Parent!.Source, pair.Name);
        if (pair.Source < 0)
        {
            return Fault.Source("openat", pair.Source);
        }

        int result = Sys.Stat(pair.Source, out pair.SourceStatus);
        if (result < 0)
        {
            return Fault.Source("statx", result);
        }

        Fault fault = session.Moment?.Enter(pair) ?? default;
        if (fault.Failed)
        {
            return fault;
        }

        result = Sys.GetFlags(pair.Source, out InodeFlags inodeFlags);
        pair.SourceFlags = inodeFlags;
        return result < 0 ? Fault.Source("FS_IOC_GETFLAGS", result) : default;
    }

    private Fault OpenDestination(WorkerBuffers buffers, DirectoryPair pair)
    {
        DirectoryPair parent = pair.Parent!;
        fixed (byte* name = pair.DestinationName)
        {
            uint permissions = pair.SourceStatus.Permissions;
            bool rightAtOnce = !parent.InheritsXattrs && pair.SourceStatus.Uid == session.Uid &&
                pair.SourceStatus.Gid == parent.GroupOfNew(session.Gid) &&
                (permissions & (0xE00 | WriteOfOthers | session.Umask)) == 0 && (permissions & PrivateMode) == PrivateMode;
            int made = Sys.MakeDirectory(parent.Destination, name, rightAtOnce ? permissions : PrivateMode);
            pair.Merged = made == -Errno.EEXIST;
            if (made < 0 && !pair.Merged)
            {
                return Fault.Destination("mkdirat", made);
            }

            pair.Destination = Sys.OpenAt(
                parent.Destination, name,
                OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow | OpenFlags.NonBlock);
            if (pair.Destination < 0)
            {
                return pair.Destination is -Errno.ENOTDIR or -Errno.ELOOP && pair.Merged
                    ? Fault.Refused(BtrfsError.DestinationExists)
                    : Fault.Destination("openat", pair.Destination);
            }
        }

        int result = Sys.Stat(pair.Destination, out pair.DestinationStatus);
        if (result < 0)
        {
            return Fault.Destination("statx", result);
        }

        // One that another owns, or may write in, was put in the new one's place.
        pair.Merged |= pair.DestinationStatus.Uid != session.Uid ||
            (pair.DestinationStatus.Permissions & WriteOfOthers) != 0;
        if (!pair.Merged && (session.Umask & PrivateMode) != 0 &&
            ((result = Sys.Chmod(pair.Destination, PrivateMode)) < 0 ||
                (result = Sys.Stat(pair.Destination, out pair.DestinationStatus)) < 0))
        {
            return Fault.Destination("fchmod", result);
        }

        if (pair.Merged || parent.InheritsXattrs)
        {
            Fault fault = ReadTraits(buffers, pair);
            return fault.Failed || pair.Merged ? fault : StripInherited(buffers, pair);
        }

        pair.InheritedFlags = parent.InheritedFlags;
        return MatchNoCow(pair);
    }

    private static Fault ReadTraits(WorkerBuffers buffers, DirectoryPair pair)
    {
        int result = Sys.Stat(pair.Destination, out pair.DestinationStatus);
        if (result >= 0)
        {
            result = Sys.GetFlags(pair.Destination, out InodeFlags flags);
            pair.InheritedFlags = flags & InodeFlags.Inherited;
            pair.IsAppendOnly = flags.HasFlag(InodeFlags.AppendOnly);
        }

        if (result >= 0)
        {
            int nameBytes = Sys.ListXattr(pair.Destination, buffers.XattrNames);
            pair.IsForeign = pair.DestinationStatus.Uid != Sys.EffectiveUid && pair.DestinationStatus.Uid != 0;
            pair.InheritsXattrs = pair.IsForeign ||
                (nameBytes > 0 && Xattrs.AreInherited(buffers.XattrNames, nameBytes));
        }

        return result < 0 ? Fault.Destination("statx", result) : default;
    }

    /// <summary>Takes from a new directory what it got from its parent, so that its entries get nothing from it.</summary>
    private static Fault StripInherited(WorkerBuffers buffers, DirectoryPair pair)
    {
        var holder = new XattrHolder(pair.Destination, null);
        Fault fault = Xattrs.Copy(buffers, holder, holder, 0, exact: true);
        pair.InheritsXattrs = false;
        return fault.Failed ? fault : MatchNoCow(pair);
    }

    /// <summary>
    /// A new directory is NOCOW like its source from the start, since its files mostly are too and take that over;
    /// compression waits for the end, since files would take over its xattr.
    /// </summary>
    private static Fault MatchNoCow(DirectoryPair pair)
    {
        InodeFlags wanted = pair.SourceFlags & InodeFlags.NoCow;
        if (pair.InheritedFlags == wanted)
        {
            return default;
        }

        int result = FileCloner.SetEarlyFlags(pair.Destination, wanted);
        if (result < 0)
        {
            return Fault.Destination("FS_IOC_SETFLAGS", result);
        }

        pair.InheritedFlags = wanted;
        return default;
    }
}
