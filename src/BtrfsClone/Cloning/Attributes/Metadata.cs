using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Gives a destination the source's owner, xattrs, mode, times and flags, in the one order that never grants more
/// than the source does: the owner first, since chown clears setuid and capabilities; the mode after the ACL, which
/// changes it; the times after all that touches them; immutable last of all.
/// </summary>
internal sealed unsafe class Metadata(CloneContext context)
{
    private readonly Xattrs _xattrs = new(context);

    private bool IsAuto => context.Options.Reflink == ReflinkMode.Auto;

    /// <summary>What the destination has before: an owner and mode, and whether it may have got xattrs of its own.</summary>
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

        // The one late flag that only FS_IOC_SETFLAGS takes, which for a compressed directory also sets the property to
        // the default algorithm: before the xattrs.
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

        // With the flag alone, the kernel makes entries of a directory whose property it has not read. Nobody can set it alone:
        // the property of the default algorithm comes with it.
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

        // A changed owner, an ACL or an earlier chmod can all have changed the mode: only an untouched one is known.
        bool untouched = before.Permissions == permissions && before.Uid == status.Uid && before.Gid == status.Gid &&
            nameBytes == 0 && !before.MayHaveXattrs;
        Failure failure = untouched ? default : Moded(Sys.Chmod(destination, permissions));
        failure = failure.Failed ? failure : Timed(Sys.SetTimes(destination, status));
        return failure.Failed || (flags & InodeFlags.Late) == 0 ? failure : SetLateFlags(destination, flags);
    }

    /// <summary>
    /// An entry that cannot be opened: a symbolic link or a special file. Its inode number comes out where it had to be
    /// looked at, else 0.
    /// </summary>
    public Failure ApplyToEntry(
        WorkerBuffers buffers, DirectoryPair directory, byte* sourceName, byte* name, in Statx status, out ulong inode)
    {
        inode = 0;
        if (directory.IsPrivate)
        {
            return ApplyToEntry(buffers, directory, sourceName, directory.Destination, name, status);
        }

        // Others may put something else under the name at any moment: what was made is held, and looked at, first.
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

    /// <summary>As above; the entry is named in its directory, or is held itself and named by an empty name.</summary>
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
    /// What this process has just made is its own and has one name. (A network filesystem may show another owner; there,
    /// nothing is given away that the server does not let go.)
    /// </summary>
    private bool MayBeNew(in Statx made, Descriptor held) => made.LinkCount == 1 &&
        (made.Uid == context.Uid || (Sys.FileSystemMagic(held, out long magic).Succeeded && magic != Sys.BtrfsMagic));

    private Failure ChangeOwner(Descriptor destination, in Statx status, in Before before, ref uint permissions)
    {
        // The new owner must not get, for a moment, a bit that the source does not give.
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
            // Who may not give the file away may still be a member of its group.
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
    /// EINVAL: the id has no meaning in this user namespace. To another filesystem's mount it may have none either
    /// (EOVERFLOW), and some filesystems know no owners.
    /// </summary>
    private bool IsNotGivenAway(CallResult result) =>
        result.Error is Errno.EPERM or Errno.EINVAL || (IsAuto && HasNoPlace(result.Error));

    /// <summary>That an ordinary user gives no files away is no loss that a word need be said of; cp(1) says none.</summary>
    private void CountLostOwner()
    {
        if (IsAuto && context.Uid == 0)
        {
            context.Losses.Add(MetadataKind.Owner, "uid, gid");
        }
    }

    /// <summary>The entry is held by a descriptor while it is changed: by its name a link would be followed.</summary>
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
            // Without CAP_LINUX_IMMUTABLE these two cannot be kept, as an owner cannot be without CAP_CHOWN.
            result = Sys.SetLateFlags(destination, flags & ~InodeFlags.Protected);
        }

        return result.Failed && !AreUnknown(flags & InodeFlags.Late & ~InodeFlags.DirectorySync, result)
            ? Failure.Destination(SystemCall.FsSetXattr, result)
            : default;
    }

    /// <summary>What was made private stays so where the mode cannot be given.</summary>
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

    /// <summary>Whether a filesystem has no such thing, or its own view of who may change it.</summary>
    private static bool HasNoPlace(Errno error) =>
        error is Errno.EOPNOTSUPP or Errno.EPERM or Errno.EINVAL or Errno.EOVERFLOW or Errno.ENOSYS;

    /// <summary>A filesystem that copied bytes land on need not know each flag: what it does not is counted as lost.</summary>
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
