using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

internal static unsafe partial class Sys
{
    // struct btrfs_fid (fs/btrfs/export.h) as far as it has no parent, FILEID_BTRFS_WITHOUT_PARENT (linux/exportfs.h).
    private const int BtrfsHandleSize = 20;
    private const int BtrfsHandleType = 0x4d;

    /// <summary>
    /// open_by_handle_at(2): opens a file by its numbers, in any subvolume of the filesystem, whether a mount shows it or not,
    /// and whatever its names are; close-on-exec. ESTALE where there is none any more. Needs CAP_DAC_READ_SEARCH.
    /// </summary>
    /// <param name="mount">Anything that is open on a mount of the filesystem; what is opened belongs to that mount.</param>
    /// <param name="subvolume">The id of the file's subvolume.</param>
    /// <param name="inode">The file's inode number there.</param>
    /// <param name="generation">The generation of its inode item: another file with the same number has another.</param>
    /// <param name="flags">A combination of <see cref="OpenFlags"/>.</param>
    /// <param name="opened">What is opened; none where that failed.</param>
    public static CallResult OpenInode(
        Descriptor mount, ulong subvolume, ulong inode, ulong generation, int flags, out Descriptor opened)
    {
        BtrfsFileHandle handle = new()
        {
            Size = BtrfsHandleSize,
            Type = BtrfsHandleType,
            Inode = inode,
            Subvolume = subvolume,
            Generation = (uint)generation,
        };
        CallResult result;
        do
        {
            result = Result(open_by_handle_at(mount.Number, &handle, flags | OpenFlags.CloseOnExec));
        }
        while (result.Is(Errno.EINTR));
        opened = result.Succeeded ? Descriptor.FromKernel((int)result.Value) : Descriptor.None;
        if (result.Succeeded && DescriptorTracking.IsOn)
        {
            DescriptorTracking.Opened(opened);
        }

        return result.Succeeded ? CallResult.Success : result;
    }

    /// <summary>struct file_handle (linux/fcntl.h) with btrfs's bytes behind it.</summary>
    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    private struct BtrfsFileHandle
    {
        public uint Size;
        public int Type;
        public ulong Inode;
        public ulong Subvolume;
        public uint Generation;
    }

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int open_by_handle_at(int mount, BtrfsFileHandle* handle, int flags);
}
