using System.Buffers.Binary;
using System.IO.Hashing;
using System.Numerics;

namespace BtrfsClone.Finding;

/// <summary>
/// A type of btrfs checksum (BTRFS_CSUM_TYPE_*), converted to a number from its first 8 bytes, or fewer if it is shorter.
/// </summary>
/// <param name="Type">0 crc32c, 1 xxhash64, 2 sha256, 3 blake2b-256.</param>
/// <param name="Size">The size of a checksum in bytes.</param>
internal readonly record struct ChecksumKind(int Type, int Size)
{
    private const int Crc32c = 0;
    private const int XxHash = 1;
    private const int Sha256 = 2;

    /// <summary>The checksum as a number.</summary>
    public ulong Read(ReadOnlySpan<byte> checksum) => Size == sizeof(uint)
        ? BinaryPrimitives.ReadUInt32LittleEndian(checksum)
        : BinaryPrimitives.ReadUInt64LittleEndian(checksum);

    /// <summary>The checksum of a block of zeros, as computed by the kernel (fs/btrfs/bio.c, crypto/).</summary>
    public ulong OfZeros(int blockSize) => Type switch
    {
        Crc32c => Crc32cOfZeros(blockSize),
        XxHash => XxHash64.HashToUInt64(new byte[blockSize]),

        // The first bytes of the output of head -c SIZE /dev/zero | sha256sum, and of b2sum -l 256. No block of btrfs has another
        // size. .NET's SHA-256 requires OpenSSL, and terminates the process if that is not installed; for BLAKE2 it has no
        // implementation.
        Sha256 => BinaryPrimitives.ReverseEndianness(blockSize switch
        {
            4096 => 0xAD7FACB2586FC6E9,
            8192 => 0x9F1DCBC35C350D60,
            16384 => 0x4FE7B59AF6DE3B66,
            32768 => 0xC35020473AED1B46,
            65536 => 0xDE2F256064A0AF79,
            _ => throw new NotSupportedException(),
        }),
        _ => BinaryPrimitives.ReverseEndianness(blockSize switch
        {
            4096 => 0x686EDE9288C391E7,
            8192 => 0xCF7DD6545B3E87AC,
            16384 => 0x087E8B8BDC8B93F4,
            32768 => 0xE9334020344BCB41,
            65536 => 0xDF2D0B4E193FCE63,
            _ => throw new NotSupportedException(),
        }),
    };

    private static ulong Crc32cOfZeros(int blockSize)
    {
        uint crc = uint.MaxValue;
        for (int i = 0; i < blockSize; i += sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, 0UL);
        }

        return ~crc;
    }
}
