using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

/// <summary>struct fiemap (linux/fiemap.h), the request; the extents follow it in memory. All numbers are in bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FiemapRequest
{
    public ulong Start;
    public ulong Length;
    public FiemapRequestFlags Flags;
    public uint MappedExtents;
    public uint ExtentCount;
    private readonly uint _reserved;
}

/// <summary>FIEMAP_FLAG_*: what the kernel does before it returns the extents.</summary>
[Flags]
internal enum FiemapRequestFlags : uint
{
    None = 0,

    /// <summary>Write dirty data to disk first and wait for it.</summary>
    Sync = 1,
}

/// <summary>struct fiemap_extent (linux/fiemap.h), 56 bytes. All numbers are in bytes.</summary>
[StructLayout(LayoutKind.Sequential, Size = 56)]
internal struct FiemapExtent
{
    public ulong Logical;
    public ulong Physical;
    public ulong Length;
    private readonly ulong _reserved0;
    private readonly ulong _reserved1;
    public FiemapExtentFlags Flags;
}

/// <summary>FIEMAP_EXTENT_* (linux/fiemap.h).</summary>
[Flags]
internal enum FiemapExtentFlags : uint
{
    None = 0,
    Last = 0x1,
    Unknown = 0x2,
    Delalloc = 0x4,
    Encoded = 0x8,
    NotAligned = 0x100,
    DataInline = 0x200,
    Unwritten = 0x800,
    Shared = 0x2000,
}

internal static unsafe partial class Sys
{
    // linux/fs.h: _IOWR('f', 11, struct fiemap), whose fixed part is 32 bytes.
    private const nuint FsIocFiemap = 0xC020660B;

    /// <summary>FS_IOC_FIEMAP. The buffer starts with the request, followed by room for its <c>ExtentCount</c> extents.</summary>
    public static CallResult Fiemap(Descriptor descriptor, FiemapRequest* buffer)
    {
        CallResult result;
        do
        {
            result = Result(ioctl(descriptor.Number, FsIocFiemap, (nint)buffer));
        }
        while (result.Is(Errno.EINTR));
        return result;
    }
}
