using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

internal static unsafe partial class Sys
{
    /// <summary>
    /// BTRFS_IOC_INO_LOOKUP: the path of a directory below its subvolume's root, by its inode number. Requires CAP_SYS_ADMIN.
    /// </summary>
    /// <param name="descriptor">Any file on the filesystem.</param>
    /// <param name="tree">The subvolume's id.</param>
    /// <param name="inode">The inode number of the directory.</param>
    /// <param name="path">The path without leading and trailing slash; empty for the root.</param>
    public static CallResult DirectoryPath(Descriptor descriptor, ulong tree, ulong inode, out byte[] path)
    {
        // struct btrfs_ioctl_ino_lookup_args: the tree, the inode, and the path with a trailing slash.
        const int NameOffset = 16;
        byte* argument = stackalloc byte[InoLookupSize];
        new Span<byte>(argument, InoLookupSize).Clear();
        ((ulong*)argument)[0] = tree;
        ((ulong*)argument)[1] = inode;
        CallResult result = Result(ioctl(descriptor.Number, BtrfsIocInoLookup, (nint)argument));
        path = result.Failed
            ? []
            : MemoryMarshal.CreateReadOnlySpanFromNullTerminated(argument + NameOffset).TrimEnd((byte)'/').ToArray();
        return result;
    }
}
