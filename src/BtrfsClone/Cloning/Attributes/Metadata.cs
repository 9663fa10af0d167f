using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Gives a destination the source's owner, xattrs, mode, times and flags, in the only order that never grants more than the source
/// does: the owner first, since chown clears setuid and capabilities; the mode after the ACL, which changes it; the times after
/// everything that changes them; immutable last.
/// </summary>
internal sealed unsafe class Metadata(CloneContext context)
{
    private readonly Xattrs _xattrs = new(context);

    private bool IsAuto => context.Options.Reflink == ReflinkMode.Auto;

    /// <summary>The previous state of the destination: its owner and mode, and whether it may have xattrs of its own.</summary>
    public readonly record struct Before(uint Uid, uint Gid, uint Permissions, bool MayHaveXattrs);

    /// <summary>An open file or directory. <paramref name="nameBytes"/> is the length of the listed xattr names.</summary>
    public Failure ApplyTo(
        WorkerBuffers buffers, Descriptor source, Descriptor destination, in Statx status, InodeFlags flags,
        in Before before, int nameBytes)
    {
        uint permissions = status.Permissions;
        if (before.Uid != status.Uid || before.Gid != status.Gid)
        {
            Failure owned = ChangeOwner(destination, status, before, ref permissions);
            if (owned.Failed)
            {
                return owned;
            }
        }

        // The only late flag that requires FS_IOC_SETFLAGS, which for a compressed directory also sets the property to the default
        // algorithm: so it comes before the xattrs.
        if (flags.HasFlag(InodeFlags.DirectorySync))
        {
            byte[] property = context.Storage.Inherited != InodeFlags.None ? CompressionXattr.Read(destination) : [];
            CallResult result = Sys.SetFlags(destination, flags & (InodeFlags.Inherited | InodeFlags.DirectorySync));
            result = result.Failed || property.Length == 0 ? result : CompressionXattr.Write(destination, property);
            if (result.Failed && !AreUnknown(InodeFlags.DirectorySync, result))
            {
                return Failure.Destination(SystemCall.SetFlags, result);
            }
        }

        if (nameBytes > 0 || before.MayHaveXattrs)
        {
            Failure copied = _xattrs.Copy(
                buffers, new XattrHolder(source), new XattrHolder(destination), nameBytes,
                before.MayHaveXattrs, ref permissions);
            if (copied.Failed)
            {
                return copied;
            }
        }

        // The kernel creates entries with only the flag in a directory whose property it has not read. It cannot be set on its own:
        // the property with the default algorithm is set along with it.
        if (context.Storage.KeepsCompression && flags.HasFlag(InodeFlags.Compress) &&
            !Xattrs.HaveCompression(buffers.XattrNames, nameBytes))
        {
            CallResult result = Sys.SetFlags(destination, flags & (InodeFlags.Inherited | InodeFlags.DirectorySync));
            if (result.Failed && !AreUnknown(InodeFlags.Compress, result))
            {
                return Failure.Destination(SystemCall.SetFlags, result);
            }
        }

        if (context.Storage.Compression is { } compression && !flags.HasFlag(InodeFlags.NoCow))
        {
            Failure failed = _xattrs.SetCompression(destination, compression);
            if (failed.Failed)
            {
                return failed;
            }
        }

        // A changed owner, an ACL or an earlier chmod may have changed the mode: it is only known if there was none of these.
        bool untouched = before.Permissions == permissions && before.Uid == status.Uid && before.Gid == status.Gid &&
            nameBytes == 0 && !before.MayHaveXattrs;
        Failure failure = untouched ? default : Moded(Sys.Chmod(destination, permissions));
        failure = failure.Failed ? failure : Timed(Sys.SetTimes(destination, status));
        return failure.Failed || (flags & InodeFlags.Late) == 0 ? failure : SetLateFlags(destination, flags);
    }

    /// <summary>
    /// An entry that cannot be opened: a symbolic link or a special file. Returns its inode number if its status was read,
    /// otherwise 0.
    /// </summary>
    public Failure ApplyToEntry(
        WorkerBuffers buffers, DirectoryPair directory, byte* sourceName, byte* name, in Statx status, out ulong inode)
    {
        inode = 0;
        if (directory.IsPrivate)
        {
            return ApplyToEntry(buffers, directory, sourceName, directory.Destination, name, status);
        }

        // Others can replace the entry at any time: the created entry is opened, and checked, first.
        CallResult opened = Sys.OpenAt(
            directory.Destination, name, OpenFlags.PathOnly | OpenFlags.NoFollow, out Descriptor held);
        if (opened.Failed)
        {
            return Failure.Destination(SystemCall.OpenAt, opened);
        }

        using DescriptorScope closing = new(held);
        CallResult looked = Sys.Stat(held, out Statx made);
        if (looked.Failed || !MayBeNew(made, held) || made.FileType != status.FileType)
        {
            return looked.Failed ? Failure.Destination(SystemCall.Statx, looked) : Failure.Refused(BtrfsError.ChangedMeanwhile);
        }

        inode = made.Inode;
        fixed (byte* itself = "\0"u8)
        {
            return ApplyToEntry(buffers, directory, sourceName, held, itself, status);
        }
    }

    /// <summary>As above; the entry is named in its directory, or is itself open and has an empty name.</summary>
    private Failure ApplyToEntry(
        WorkerBuffers buffers, DirectoryPair directory, byte* sourceName, Descriptor at, byte* entry, in Statx status)
    {
        bool owned = status.Uid == context.Uid && status.Gid == directory.GroupOfNew(context.Gid);
        uint permissions = status.Permissions;
        Failure failure = owned ? default : ChownEntry(at, entry, status, ref permissions);
        if (failure.Failed)
        {
            return failure;
        }

        byte* from = WorkerBuffers.ProcPath(buffers.SourcePath, directory.Source, sourceName);
        int nameBytes = (int)Sys.ListXattrOfPath(from, buffers.XattrNames).Value;
        if (nameBytes > 0 || directory.InheritsXattrs)
        {
            bool isHeld = *entry == 0;
            byte* to = WorkerBuffers.ProcPath(buffers.DestinationPath, at, isHeld ? null : entry);
            failure = _xattrs.Copy(
                buffers, new XattrHolder(from), new XattrHolder(to, isHeld), nameBytes,
                directory.InheritsXattrs, ref permissions);
            if (failure.Failed)
            {
                return failure;
            }
        }

        failure = status.FileType == Sys.ModeSymlink ? default : ChmodEntry(at, entry, permissions);
        return failure.Failed ? failure : Timed(Sys.SetTimesOfEntry(at, entry, status));
    }

    /// <summary>
    /// An entry just created by this process is owned by it and has one name. (A network filesystem may show another owner; there,
    /// the server decides what may be given away.)
    /// </summary>
    private bool MayBeNew(in Statx made, Descriptor held) => made.LinkCount == 1 &&
        (made.Uid == context.Uid || (Sys.FileSystemMagic(held, out long magic).Succeeded && magic != Sys.BtrfsMagic));

    private Failure ChangeOwner(Descriptor destination, in Statx status, in Before before, ref uint permissions)
    {
        // The new owner must not temporarily get a permission that the source does not grant.
        if ((before.Permissions & ~permissions) != 0)
        {
            CallResult moded = Sys.Chmod(destination, before.Permissions & permissions);
            if (moded.Failed)
            {
                return Failure.Destination(SystemCall.Fchmod, moded);
            }
        }

        CallResult result = Sys.Chown(destination, status.Uid, status.Gid);
        if (IsNotGivenAway(result))
        {
            // A caller that may not change the owner may still be a member of the group.
            permissions &= ~(Sys.ModeSetUid | Sys.ModeSetGid);
            CountLostOwner();
            result = Sys.Chown(destination, Sys.Unchanged, status.Gid);
        }

        return result.Failed && !IsNotGivenAway(result) ? Failure.Destination(SystemCall.Fchown, result) : default;
    }

    private Failure ChownEntry(Descriptor directory, byte* name, in Statx status, ref uint permissions)
    {
        CallResult result = Sys.ChownEntry(directory, name, status.Uid, status.Gid);
        if (IsNotGivenAway(result))
        {
            permissions &= ~(Sys.ModeSetUid | Sys.ModeSetGid);
            CountLostOwner();
            result = Sys.ChownEntry(directory, name, Sys.Unchanged, status.Gid);
        }

        return result.Failed && !IsNotGivenAway(result) ? Failure.Destination(SystemCall.Fchown, result) : default;
    }

    /// <summary>
    /// EINVAL: the id is not mapped in this user namespace. It may also not be mapped in another filesystem's mount (EOVERFLOW),
    /// and some filesystems have no owners.
    /// </summary>
    private bool IsNotGivenAway(CallResult result) =>
        result.Error is Errno.EPERM or Errno.EINVAL || (IsAuto && HasNoPlace(result.Error));

    /// <summary>An ordinary user cannot give files away, so this loss is not worth a warning; cp(1) gives none either.</summary>
    private void CountLostOwner()
    {
        if (IsAuto && context.Uid == 0)
        {
            context.Losses.Add(MetadataKind.Owner, "uid, gid");
        }
    }

    /// <summary>The entry is held open while it is changed: by name, a link would be followed.</summary>
    private Failure ChmodEntry(Descriptor directory, byte* name, uint permissions)
    {
        Descriptor opened = Descriptor.None;
        bool isHeld = *name == 0;
        CallResult result = isHeld
            ? CallResult.Success
            : Sys.OpenAt(directory, name, OpenFlags.PathOnly | OpenFlags.NoFollow, out opened);
        if (result.Failed)
        {
            return Failure.Destination(SystemCall.OpenAt, result);
        }

        using DescriptorScope closing = new(opened);
        return Moded(Sys.ChmodHeld(isHeld ? directory : opened, permissions));
    }

    private Failure SetLateFlags(Descriptor destination, InodeFlags flags)
    {
        CallResult result = Sys.SetLateFlags(destination, flags);
        if (result.Is(Errno.EPERM))
        {
            // Without CAP_LINUX_IMMUTABLE these two cannot be preserved, like an owner without CAP_CHOWN.
            result = Sys.SetLateFlags(destination, flags & ~InodeFlags.Protected);
        }

        return result.Failed && !AreUnknown(flags & InodeFlags.Late & ~InodeFlags.DirectorySync, result)
            ? Failure.Destination(SystemCall.FsSetXattr, result)
            : default;
    }

    /// <summary>If the mode cannot be set, an entry created as private stays private.</summary>
    private Failure Moded(CallResult result)
    {
        if (result.Failed && IsAuto && HasNoPlace(result.Error))
        {
            context.Losses.Add(MetadataKind.Mode, "st_mode", changesAccess: true);
            return default;
        }

        return result.Failed ? Failure.Destination(SystemCall.Fchmod, result) : default;
    }

    private Failure Timed(CallResult result)
    {
        if (result.Failed && IsAuto && HasNoPlace(result.Error))
        {
            context.Losses.Add(MetadataKind.Time, "st_atime, st_mtime");
            return default;
        }

        return result.Failed ? Failure.Destination(SystemCall.UtimensAt, result) : default;
    }

    /// <summary>Whether a filesystem does not support it, or has rules of its own for who may change it.</summary>
    private static bool HasNoPlace(Errno error) =>
        error is Errno.EOPNOTSUPP or Errno.EPERM or Errno.EINVAL or Errno.EOVERFLOW or Errno.ENOSYS;

    /// <summary>A filesystem that bytes are copied to need not support every flag: unsupported flags are counted as lost.</summary>
    private bool AreUnknown(InodeFlags flags, CallResult result)
    {
        bool areUnknown = result.Error is Errno.ENOTTY or Errno.EOPNOTSUPP;
        if (areUnknown)
        {
            context.Losses.AddFlags(flags);
        }

        return areUnknown;
    }
}
