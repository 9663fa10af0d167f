using System.Runtime.InteropServices;
using BtrfsClone.Cloning;
using BtrfsClone.Interop;

namespace BtrfsClone.Sending;

/// <summary>
/// Sends the metadata of an entry, in the order that preserves it: writing clears capabilities and setuid bits, changing the owner
/// does too, and an ACL sets the mode.
/// </summary>
internal sealed unsafe class MetadataSender(SendContext context, WorkerBuffers buffers)
{
    // BTRFS_MAX_XATTR_SIZE (fs/btrfs/ctree.h) for nodes of 16 KiB, the default of mkfs.btrfs: a name and its value.
    private const int LargestXattr = (16 << 10) - 101 - 25 - 30;

    /// <summary>Sends the property that determines how data written next is compressed.</summary>
    public Failure SendCompression(ReadOnlySpan<byte> path, XattrHolder holder) =>
        SendXattrs(path, holder, onlyCompression: true, out _, out _);

    /// <summary>Sends everything except the content.</summary>
    /// <param name="path">The entry's path in the stream.</param>
    /// <param name="holder">The entry.</param>
    /// <param name="status">Its status.</param>
    /// <param name="flags">Its inode flags.</param>
    /// <param name="isHeldBack">Whether an xattr was left out.</param>
    public Failure Send(
        ReadOnlySpan<byte> path, XattrHolder holder, in Statx status, InodeFlags flags, out bool isHeldBack)
    {
        SendStream stream = context.Stream;
        stream.Chown(path, status.Uid, status.Gid);
        Failure failure = SendXattrs(path, holder, onlyCompression: false, out isHeldBack, out bool hasCompression);
        if (failure.Failed)
        {
            return failure;
        }

        if (status.FileType != Sys.ModeSymlink)
        {
            stream.Chmod(path, status.Permissions);
        }

        ulong attributes = AttributesOf(flags, status.FileType == Sys.ModeRegular);
        if (attributes != 0 && context.IsVersion2)
        {
            stream.SetFlags(path, attributes);
        }

        // The receiver does not set them; with the property it gets those of compression.
        context.Losses.AddFlags(hasCompression ? flags & ~(InodeFlags.Compress | InodeFlags.NoCompress) : flags);
        stream.SetTimes(path, status);
        return default;
    }

    private Failure SendXattrs(
        ReadOnlySpan<byte> path, XattrHolder holder, bool onlyCompression, out bool isHeldBack, out bool hasCompression)
    {
        isHeldBack = hasCompression = false;
        CallResult names = holder.List(buffers.XattrNames);
        if (names.Failed && names.Error is not (Errno.EOPNOTSUPP or Errno.ENOTTY))
        {
            return Failure.Source(SystemCall.ListXattr, names);
        }

        byte* end = buffers.XattrNames + names.Value;
        for (byte* name = buffers.XattrNames; name < end; name += Utf8Z.Length(name) + 1)
        {
            ReadOnlySpan<byte> text = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name);
            bool isCompression = text.SequenceEqual(CompressionProperty.Xattr);
            if (onlyCompression && !isCompression)
            {
                continue;
            }

            CallResult size = holder.Get(name, buffers.XattrValue);
            if (size.Is(Errno.ENODATA))
            {
                continue;
            }

            if (size.Failed)
            {
                return Failure.Source(SystemCall.GetXattr, size);
            }

            hasCompression |= isCompression;
            if (CanBeReceived(text) && text.Length + size.Value <= LargestXattr)
            {
                context.Stream.SetXattr(path, text, new ReadOnlySpan<byte>(buffers.XattrValue, (int)size.Value));
            }
            else
            {
                isHeldBack = true;
            }
        }

        return default;
    }

    /// <summary>Whether btrfs accepts xattrs of this kind (fs/btrfs/xattr.c).</summary>
    private static bool CanBeReceived(ReadOnlySpan<byte> name) =>
        name.StartsWith("user."u8) || name.StartsWith("trusted."u8) || name.StartsWith("security."u8) ||
        name.StartsWith("btrfs."u8) || name.StartsWith("system.posix_acl_"u8);

    /// <summary>BTRFS_INODE_* flags (linux/btrfs_tree.h).</summary>
    private static ulong AttributesOf(InodeFlags flags, bool isFile)
    {
        ulong attributes = 0;
        foreach ((InodeFlags flag, ulong bits) in (ReadOnlySpan<(InodeFlags, ulong)>)
        [
            (InodeFlags.NoCow, isFile ? 0x3u : 0x2u), // NODATACOW, and for files NODATASUM
            (InodeFlags.NoCompress, 0x8), (InodeFlags.Sync, 0x20), (InodeFlags.Immutable, 0x40), (InodeFlags.AppendOnly, 0x80),
            (InodeFlags.NoDump, 0x100), (InodeFlags.NoAccessTime, 0x200), (InodeFlags.DirectorySync, 0x400),
            (InodeFlags.Compress, 0x800),
        ])
        {
            attributes |= flags.HasFlag(flag) ? bits : 0;
        }

        return attributes;
    }
}
