using System.Buffers.Binary;
using System.IO.Hashing;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace BtrfsClone.Finding;

/// <summary>A kind of btrfs's checksums (BTRFS_CSUM_TYPE_*), as numbers of its first 8 bytes or as many as it has.</summary>
/// <param name="Type">0 crc32c, 1 xxhash64, 2 sha256, 3 blake2b-256.</param>
/// <param name="Size">Bytes of a checksum.</param>
internal readonly record struct ChecksumKind(int Type, int Size)
{
    private const int Crc32c = 0;
    private const int XxHash = 1;
    private const int Sha256 = 2;

    /// <summary>The checksum as a number.</summary>
    public ulong Read(ReadOnlySpan<byte> checksum) => Size == sizeof(uint)
        ? BinaryPrimitives.ReadUInt32LittleEndian(checksum)
        : BinaryPrimitives.ReadUInt64LittleEndian(checksum);

    /// <summary>Whether content can be given a checksum here; blake2b is in no library of .NET.</summary>
    public bool CanCompute => Type is Crc32c or XxHash or Sha256;

    /// <summary>The checksum of a block's content, as the kernel makes it (fs/btrfs/bio.c, crypto/).</summary>
    public ulong Compute(ReadOnlySpan<byte> block)
    {
        switch (Type)
        {
            case Crc32c:
                uint crc = uint.MaxValue;
                foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(block))
                {
                    crc = BitOperations.Crc32C(crc, word);
                }

                return ~crc;
            case XxHash:
                return XxHash64.HashToUInt64(block);
            case Sha256:
                Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
                SHA256.HashData(block, hash);
                return BinaryPrimitives.ReadUInt64LittleEndian(hash);
            default:
                throw new NotSupportedException();
        }
    }

    /// <summary>The checksum of a block of zeros.</summary>
    public ulong OfZeros(int blockSize) => CanCompute
        ? Compute(new byte[blockSize])
        : BinaryPrimitives.ReverseEndianness(blockSize switch
        {
            // What head -c SIZE /dev/zero | b2sum -l 256 begins with.
            4096 => 0x686EDE9288C391E7,
            8192 => 0xCF7DD6545B3E87AC,
            16384 => 0x087E8B8BDC8B93F4,
            32768 => 0xE9334020344BCB41,
            65536 => 0xDF2D0B4E193FCE63,
            _ => throw new NotSupportedException(), // No block of btrfs has another size.
        });
}
