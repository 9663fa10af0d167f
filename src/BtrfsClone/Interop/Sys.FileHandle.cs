using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

internal static unsafe partial class Sys
{
    // struct btrfs_fid (fs/btrfs/export.h) without the parent part, FILEID_BTRFS_WITHOUT_PARENT (linux/exportfs.h).
    private const int BtrfsHandleSize = 20;
    private const int BtrfsHandleType = 0x4d;

    /// <summary>
    /// open_by_handle_at(2): opens a file by its numbers, in any subvolume of the filesystem, whether mounted or not, and
    /// regardless of its names; close-on-exec. ESTALE if it no longer exists. Requires CAP_DAC_READ_SEARCH.
    /// </summary>
    /// <param name="mount">Any open file on a mount of the filesystem; the opened file belongs to that mount.</param>
    /// <param name="subvolume">The id of the file's subvolume.</param>
    /// <param name="inode">The file's inode number there.</param>
    /// <param name="generation">The generation of its inode item: another file with the same inode number has a different one.</param>
    /// <param name="flags">A combination of <see cref="OpenFlags"/>.</param>
    /// <param name="opened">The opened file; none on failure.</param>
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

    /// <summary>struct file_handle (linux/fcntl.h) followed by btrfs's bytes.</summary>
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
