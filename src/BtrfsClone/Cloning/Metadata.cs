using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Gives a destination the source's owner, xattrs, mode, times and flags, in the one order that never grants more
/// than the source does: the owner first, since chown clears setuid and capabilities; the mode after the ACL, which
/// changes it; the times after all that touches them; immutable last of all.
/// </summary>
internal sealed unsafe class Metadata(CloneSession session)
{
    private const InodeFlags Frozen = InodeFlags.Immutable | InodeFlags.AppendOnly;

    /// <summary>What the destination has before: an owner and mode, and whether it may have got xattrs of its own.</summary>
    public readonly record struct Before(uint Uid, uint Gid, uint Permissions, bool MayHaveXattrs);

    /// <summary>An open file or directory. <paramref name="nameBytes"/> is the length of the listed xattr names.</summary>
    public static Fault ApplyTo(
        WorkerBuffers buffers, int source, int destination, in Statx status, InodeFlags flags, in Before before,
        int nameBytes)
    {
        uint permissions = status.Permissions;
        if (before.Uid != status.Uid || before.Gid != status.Gid)
        {
            Fault owned = ChangeOwner(destination, status, before, ref permissions);
            if (owned.Failed)
            {
                return owned;
            }
        }

        // The one late flag that only FS_IOC_SETFLAGS takes, which for a compressed directory also sets the property to
        // the default algorithm: before the xattrs.
        int result;
        if (flags.HasFlag(InodeFlags.DirectorySync) &&
            (result = Sys.SetFlags(destination, flags & (InodeFlags.Inherited | InodeFlags.DirectorySync))) < 0 &&
            !IsUnknown(result))
        {
            return Fault.Destination("FS_IOC_SETFLAGS", result);
        }

        if (nameBytes > 0 || before.MayHaveXattrs)
        {
            Fault copied = Xattrs.Copy(
                buffers, new XattrHolder(source, null), new XattrHolder(destination, null), nameBytes,
                before.MayHaveXattrs);
            if (copied.Failed)
            {
                return copied;
            }
        }

        // A changed owner, an ACL or an earlier chmod can all have changed the mode: only an untouched one is known.
        bool untouched = before.Permissions == permissions && before.Uid == status.Uid && before.Gid == status.Gid &&
            nameBytes == 0 && !before.MayHaveXattrs;
        if (!untouched && (result = Sys.Chmod(destination, permissions)) < 0)
        {
            return Fault.Destination("fchmod", result);
        }

        if ((result = Sys.SetTimes(destination, status)) < 0)
        {
            return Fault.Destination("futimens", result);
        }

        return (flags & InodeFlags.Late) != 0 ? SetLateFlags(destination, flags) : default;
    }

    /// <summary>An entry that cannot be opened: a symbolic link or a special file.</summary>
    public Fault ApplyToEntry(
        WorkerBuffers buffers, DirectoryPair directory, byte* sourceName, byte* name, in Statx status)
    {
        if (directory.IsPrivate)
        {
            return ApplyToEntry(buffers, directory, sourceName, directory.Destination, name, status);
        }

        // Others may put something else under the name at any moment: what was made is held, and looked at, first.
        int held = Sys.OpenAt(directory.Destination, name, OpenFlags.PathOnly | OpenFlags.NoFollow);
        if (held < 0)
        {
            return Fault.Destination("openat", held);
        }

        Fault fault = Fault.Refused(BtrfsError.ChangedMeanwhile);
        if (Sys.Stat(held, out buffers.Made) >= 0 && MayBeNew(buffers.Made, held) &&
            buffers.Made.FileType == status.FileType)
        {
            fixed (byte* itself = "\0"u8)
            {
                fault = ApplyToEntry(buffers, directory, sourceName, held, itself, status);
            }
        }

        Sys.Close(held);
        return fault;
    }

    /// <summary>As above; the entry is named in its directory, or is held itself and named by an empty name.</summary>
    private Fault ApplyToEntry(
        WorkerBuffers buffers, DirectoryPair directory, byte* sourceName, int at, byte* entry, in Statx status)
    {
        bool owned = status.Uid == session.Uid && status.Gid == directory.GroupOfNew(session.Gid);
        uint permissions = status.Permissions;
        int result;
        if (!owned && (result = ChownEntry(at, entry, status, ref permissions)) < 0)
        {
            return Fault.Destination("fchownat", result);
        }

        byte* from = WorkerBuffers.ProcPath(buffers.SourcePath, directory.Source, sourceName);
        int nameBytes = Sys.ListXattrOfPath(from, buffers.XattrNames);
        if (nameBytes > 0 || directory.InheritsXattrs)
        {
            bool isHeld = *entry == 0;
            byte* to = WorkerBuffers.ProcPath(buffers.DestinationPath, at, isHeld ? null : entry);
            Fault copied = Xattrs.Copy(
                buffers, new XattrHolder(-1, from), new XattrHolder(-1, to, isHeld), Math.Max(nameBytes, 0),
                directory.InheritsXattrs);
            if (copied.Failed)
            {
                return copied;
            }
        }

        if (status.FileType != Sys.ModeSymlink)
        {
            Fault moded = ChmodEntry(buffers, at, entry, permissions);
            if (moded.Failed)
            {
                return moded;
            }
        }

        result = Sys.SetTimesOfEntry(at, entry, status);
        return result < 0 ? Fault.Destination("utimensat", result) : default;
    }

    /// <summary>
    /// What this process has just made is its own and has one name. (A network filesystem may show another owner; there,
    /// nothing is given away that the server does not let go.)
    /// </summary>
    private bool MayBeNew(in Statx made, int held) => made.LinkCount == 1 &&
        (made.Uid == session.Uid || (Sys.FileSystemMagic(held, out long magic) >= 0 && magic != Sys.BtrfsMagic));

    private static Fault ChangeOwner(int destination, in Statx status, in Before before, ref uint permissions)
    {
        int result;

        // The new owner must not get, for a moment, a bit that the source does not give.
        if ((before.Permissions & ~permissions) != 0 &&
            (result = Sys.Chmod(destination, before.Permissions & permissions)) < 0)
        {
            return Fault.Destination("fchmod", result);
        }

        result = Sys.Chown(destination, status.Uid, status.Gid);
        if (IsNotPermitted(result))
        {
            // Who may not give the file away may still be a member of its group.
            permissions &= ~(Sys.ModeSetUid | Sys.ModeSetGid);
            result = Sys.Chown(destination, Sys.Unchanged, status.Gid);
        }

        return result < 0 && !IsNotPermitted(result) ? Fault.Destination("fchown", result) : default;
    }

    private static int ChownEntry(int directory, byte* name, in Statx status, ref uint permissions)
    {
        int result = Sys.ChownEntry(directory, name, status.Uid, status.Gid);
        if (IsNotPermitted(result))
        {
            permissions &= ~(Sys.ModeSetUid | Sys.ModeSetGid);
            result = Sys.ChownEntry(directory, name, Sys.Unchanged, status.Gid);
        }

        return IsNotPermitted(result) ? 0 : result;
    }

    // EINVAL: the id has no meaning in this user namespace.
    private static bool IsNotPermitted(int result) => result is -Errno.EPERM or -Errno.EINVAL;

    /// <summary>chmod(2) follows links, so the entry is held by a descriptor while it is changed.</summary>
    private static Fault ChmodEntry(WorkerBuffers buffers, int directory, byte* name, uint permissions)
    {
        bool isHeld = *name == 0;
        int entry = isHeld ? directory : Sys.OpenAt(directory, name, OpenFlags.PathOnly | OpenFlags.NoFollow);
        if (entry < 0)
        {
            return Fault.Destination("openat", entry);
        }

        int result = Sys.ChmodPath(WorkerBuffers.ProcPath(buffers.DestinationPath, entry, null), permissions);
        if (!isHeld)
        {
            Sys.Close(entry);
        }

        return result < 0 ? Fault.Destination("chmod", result) : default;
    }

    private static Fault SetLateFlags(int destination, InodeFlags flags)
    {
        int result = Sys.SetLateFlags(destination, flags);
        if (result == -Errno.EPERM)
        {
            // Without CAP_LINUX_IMMUTABLE these two cannot be kept, as an owner cannot be without CAP_CHOWN.
            result = Sys.SetLateFlags(destination, flags & ~Frozen);
        }

        return result < 0 && !IsUnknown(result) ? Fault.Destination("FS_IOC_FSSETXATTR", result) : default;
    }

    // A filesystem that copied bytes land on need not know each flag.
    private static bool IsUnknown(int result) => result is -Errno.ENOTTY or -Errno.EOPNOTSUPP;
}
