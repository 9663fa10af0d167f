using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

/// <summary>
/// struct btrfs_ioctl_vol_args_v2 (linux/btrfs.h), 4096 bytes: the descriptor of the source and the new entry's name.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = 4096)]
internal unsafe struct SnapshotRequest
{
    public const int NameSize = 4040; // BTRFS_SUBVOL_NAME_MAX + 1

    public long SourceDescriptor;
    public ulong TransactionId;
    public ulong Flags;
    private fixed ulong _unused[4];
    public fixed byte Name[NameSize];
}

/// <summary>struct btrfs_ioctl_get_subvol_rootref_args (linux/btrfs.h), 4096 bytes: nested subvolumes, by their ids.</summary>
[StructLayout(LayoutKind.Sequential, Size = 4096)]
internal unsafe struct SubvolumeReferences
{
    private const int Most = 255; // BTRFS_MAX_ROOTREF_BUFFER_NUM

    public ulong LeastId;
    private fixed ulong _pairs[2 * Most];
    public byte Count;

    /// <summary>A nested subvolume's id and the inode number of the directory that contains it.</summary>
    public readonly (ulong Id, ulong Directory) this[int index] => (_pairs[2 * index], _pairs[(2 * index) + 1]);
}

/// <summary>
/// struct btrfs_ioctl_ino_lookup_user_args (linux/btrfs.h), 4096 bytes: the name of a nested subvolume, and the path of its
/// directory with a trailing slash, relative to the subvolume's root; both null-terminated.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = 4096)]
internal unsafe struct SubvolumeName
{
    public ulong Directory;
    public ulong Id;
    public fixed byte Name[256]; // BTRFS_VOL_NAME_MAX + 1
    public fixed byte Path[3824]; // BTRFS_INO_LOOKUP_USER_PATH_MAX
}

internal static unsafe partial class Sys
{
    /// <summary>BTRFS_FIRST_FREE_OBJECTID (linux/btrfs_tree.h): the inode number of every subvolume's root.</summary>
    public const ulong SubvolumeRootInode = 256;

    /// <summary>
    /// BTRFS_EMPTY_SUBVOL_DIR_OBJECTID (linux/btrfs_tree.h): the inode number of the empty directory that a snapshot contains
    /// instead of a nested subvolume.
    /// </summary>
    public const ulong EmptySubvolumeInode = 2;

    // linux/btrfs.h: _IOW(0x94, 15, struct btrfs_ioctl_vol_args), _IOW(0x94, 23, struct btrfs_ioctl_vol_args_v2),
    // _IOR and _IOW(0x94, 25 and 26, __u64), _IOWR(0x94, 61, struct btrfs_ioctl_get_subvol_rootref_args),
    // _IOWR(0x94, 62, struct btrfs_ioctl_ino_lookup_user_args).
    private const nuint BtrfsIocSnapDestroy = 0x5000940F;
    private const nuint BtrfsIocSnapCreateV2 = 0x50009417;
    private const nuint BtrfsIocSubvolGetFlags = 0x80089419;
    private const nuint BtrfsIocSubvolSetFlags = 0x4008941A;
    private const nuint BtrfsIocGetSubvolRootref = unchecked((nuint)0xD000943D);
    private const nuint BtrfsIocInoLookupUser = unchecked((nuint)0xD000943E);
    private const ulong SubvolumeReadOnly = 1 << 1; // BTRFS_SUBVOL_RDONLY

    /// <summary>
    /// BTRFS_IOC_SNAP_CREATE_V2: creates a snapshot of the subvolume whose open root is given, as a new entry. It first writes the
    /// delayed data of the subvolume to disk, and the snapshot's root has the owner of the source's, whoever creates it. Requires
    /// ownership of the source's root (or CAP_FOWNER) and write permission to the directory.
    /// </summary>
    public static CallResult CreateSnapshot(
        Descriptor subvolume, Descriptor directory, ReadOnlySpan<byte> name, bool readOnly)
    {
        if (name.Length >= SnapshotRequest.NameSize)
        {
            return Errno.ENAMETOOLONG;
        }

        SnapshotRequest request = new() { SourceDescriptor = subvolume.Number, Flags = readOnly ? SubvolumeReadOnly : 0 };
        name.CopyTo(new Span<byte>(request.Name, SnapshotRequest.NameSize));
        return Result(ioctl(directory.Number, BtrfsIocSnapCreateV2, (nint)(&request)));
    }

    /// <summary>
    /// BTRFS_IOC_SNAP_DESTROY of a subvolume, by its name in its directory. Its space is freed in the background. Requires
    /// CAP_SYS_ADMIN, or the mount option user_subvol_rm_allowed with write permission to a subvolume that is not read-only:
    /// otherwise EPERM, also for a directory that is not a subvolume; with permission, that is EINVAL.
    /// </summary>
    public static CallResult DestroySubvolume(Descriptor directory, ReadOnlySpan<byte> name)
    {
        // struct btrfs_ioctl_vol_args: 8 bytes that are not used here, then the null-terminated name.
        const int NameOffset = 8;
        byte* request = stackalloc byte[4096];
        new Span<byte>(request, 4096).Clear();
        if (name.Length >= 4096 - NameOffset)
        {
            return Errno.ENAMETOOLONG;
        }

        name.CopyTo(new Span<byte>(request + NameOffset, 4096 - NameOffset));
        CallResult result;
        do
        {
            result = Result(ioctl(directory.Number, BtrfsIocSnapDestroy, (nint)request));
        }
        while (result.Is(Errno.EINTR));
        return result;
    }

    /// <summary>
    /// BTRFS_IOC_SUBVOL_SETFLAGS: makes a subvolume read-only or writable, if it is not already. Requires ownership of its root.
    /// </summary>
    public static CallResult SetSubvolumeReadOnly(Descriptor subvolume, bool readOnly)
    {
        ulong flags;
        CallResult result = Result(ioctl(subvolume.Number, BtrfsIocSubvolGetFlags, (nint)(&flags)));
        if (result.Failed || (flags & SubvolumeReadOnly) != 0 == readOnly)
        {
            return result;
        }

        flags ^= SubvolumeReadOnly;
        return Result(ioctl(subvolume.Number, BtrfsIocSubvolSetFlags, (nint)(&flags)));
    }

    /// <summary>
    /// BTRFS_IOC_GET_SUBVOL_ROOTREF: the subvolumes that are entries of this one, from the minimum id in the argument on.
    /// EOVERFLOW: there are more, starting at the minimum id that is then in the argument.
    /// </summary>
    public static CallResult ListSubvolumes(Descriptor subvolume, SubvolumeReferences* references) =>
        Result(ioctl(subvolume.Number, BtrfsIocGetSubvolRootref, (nint)references));

    /// <summary>
    /// BTRFS_IOC_INO_LOOKUP_USER: the path of a nested subvolume. Requires read and search permission to the directories on the
    /// path.
    /// </summary>
    public static CallResult FindSubvolume(Descriptor subvolume, SubvolumeName* name) =>
        Result(ioctl(subvolume.Number, BtrfsIocInoLookupUser, (nint)name));
}
