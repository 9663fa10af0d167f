using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

/// <summary>
/// struct btrfs_ioctl_encoded_io_args (linux/btrfs.h, Linux 6.0): a piece of an extent as it is stored, and what it is
/// when it is unpacked. Bytes throughout.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 128)]
internal unsafe struct EncodedPiece
{
    /// <summary>The greatest extent, packed or not (BTRFS_MAX_COMPRESSED and BTRFS_MAX_UNCOMPRESSED).</summary>
    public const int Largest = 128 << 10;

    [FieldOffset(0)]
    internal void* Vectors;

    [FieldOffset(8)]
    internal nuint VectorCount;

    /// <summary>Where the piece is in the file.</summary>
    [FieldOffset(16)]
    public long Offset;

    /// <summary>Bytes of the file in the piece.</summary>
    [FieldOffset(32)]
    public long Length;

    /// <summary>Bytes of the whole extent, unpacked.</summary>
    [FieldOffset(40)]
    public long UnencodedLength;

    /// <summary>Where in the whole extent, unpacked, the piece begins.</summary>
    [FieldOffset(48)]
    public long UnencodedOffset;

    /// <summary>BTRFS_ENCODED_IO_COMPRESSION_*; 0 is none, which can be read and not written.</summary>
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
    /// BTRFS_IOC_ENCODED_READ: reads one extent as it is stored, from the piece's offset on. Needs CAP_SYS_ADMIN. Returns the
    /// bytes read; the piece comes out as what they are.
    /// </summary>
    public static CallResult ReadEncoded(Descriptor descriptor, Span<byte> buffer, ref EncodedPiece piece) =>
        Encoded(descriptor, BtrfsIocEncodedRead, buffer, ref piece);

    /// <summary>
    /// BTRFS_IOC_ENCODED_WRITE: writes an extent as it is to be stored; the kernel does not look whether it can be unpacked.
    /// Needs CAP_SYS_ADMIN, and a file with checksums. Offset and length are multiples of the sector size, the length also
    /// up to the file's end.
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
