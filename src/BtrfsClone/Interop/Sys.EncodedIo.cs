using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

/// <summary>
/// struct btrfs_ioctl_encoded_io_args (linux/btrfs.h, Linux 6.0): a file extent in encoded form, and its decoded sizes. All numbers
/// are in bytes.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 128)]
internal unsafe struct EncodedPiece
{
    /// <summary>The maximum size of an extent, encoded or decoded (BTRFS_MAX_COMPRESSED and BTRFS_MAX_UNCOMPRESSED).</summary>
    public const int Largest = 128 << 10;

    [FieldOffset(0)]
    internal void* Vectors;

    [FieldOffset(8)]
    internal nuint VectorCount;

    /// <summary>The offset in the file.</summary>
    [FieldOffset(16)]
    public long Offset;

    /// <summary>The number of bytes of the file.</summary>
    [FieldOffset(32)]
    public long Length;

    /// <summary>The uncompressed size of the whole extent.</summary>
    [FieldOffset(40)]
    public long UnencodedLength;

    /// <summary>The offset of the file extent in the uncompressed extent.</summary>
    [FieldOffset(48)]
    public long UnencodedOffset;

    /// <summary>BTRFS_ENCODED_IO_COMPRESSION_*; 0 is none, which can be read but not written.</summary>
    [FieldOffset(56)]
    public uint Compression;
}

internal static unsafe partial class Sys
{
    // linux/btrfs.h: _IOR(0x94, 64, struct btrfs_ioctl_encoded_io_args), which is 128 bytes, and _IOW.
    private const nuint BtrfsIocEncodedRead = 0x80809440;
    private const nuint BtrfsIocEncodedWrite = 0x40809440;

    [StructLayout(LayoutKind.Sequential)]
    private struct IoVector
    {
        public void* Start;
        public nuint Length;
    }

    /// <summary>
    /// BTRFS_IOC_ENCODED_READ: reads one extent in encoded form, from the given offset on. Requires CAP_SYS_ADMIN. Returns the
    /// number of bytes read, and what they are in the argument.
    /// </summary>
    public static CallResult ReadEncoded(Descriptor descriptor, Span<byte> buffer, ref EncodedPiece piece) =>
        Encoded(descriptor, BtrfsIocEncodedRead, buffer, ref piece);

    /// <summary>
    /// BTRFS_IOC_ENCODED_WRITE: writes an extent in encoded form; the kernel does not check whether it can be decompressed.
    /// Requires CAP_SYS_ADMIN, and a file with checksums. Offset and length must be multiples of the sector size, except for a
    /// length up to the end of the file.
    /// </summary>
    public static CallResult WriteEncoded(Descriptor descriptor, Span<byte> bytes, EncodedPiece piece) =>
        Encoded(descriptor, BtrfsIocEncodedWrite, bytes, ref piece);

    private static CallResult Encoded(Descriptor descriptor, nuint request, Span<byte> bytes, ref EncodedPiece piece)
    {
        fixed (byte* start = bytes)
        fixed (EncodedPiece* argument = &piece)
        {
            IoVector vector = new() { Start = start, Length = (nuint)bytes.Length };
            argument->Vectors = &vector;
            argument->VectorCount = 1;
            CallResult result;
            do
            {
                result = Result(ioctl(descriptor.Number, request, (nint)argument));
            }
            while (result.Is(Errno.EINTR));
            argument->Vectors = null; // It is on this stack.
            return result;
        }
    }
}
