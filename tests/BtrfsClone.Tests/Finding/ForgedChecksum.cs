using System.Numerics;
using System.Runtime.InteropServices;

namespace BtrfsClone.Tests.Finding;

/// <summary>Two different blocks with one and the same crc32c.</summary>
internal static class ForgedChecksum
{
    private const int Block = 4096;
    private const int Bits = 32;

    /// <summary>
    /// Makes a block, and another one that differs from it in at most 33 bits: crc32c is linear over GF(2), so that among
    /// the changes that 33 single bits make, some cancel each other out.
    /// </summary>
    public static (byte[] One, byte[] Other) Pair(int seed)
    {
        byte[] one = new byte[Block];
        new Random(seed).NextBytes(one);
        uint checksum = Crc32c(one);

        // Gauss's elimination: which single bits make which change, and which of them were put together for it.
        var rows = new (uint Change, ulong Bits)[Bits];
        for (int bit = 0; ; bit++)
        {
            uint change = Crc32c(Flipped(one, 1UL << bit)) ^ checksum;
            ulong bits = 1UL << bit;
            while (change != 0 && rows[BitOperations.Log2(change)] is (not 0, _) row)
            {
                change ^= row.Change;
                bits ^= row.Bits;
            }

            if (change == 0)
            {
                byte[] other = Flipped(one, bits);
                Assert.Equal(checksum, Crc32c(other));
                Assert.NotEqual(one, other);
                return (one, other);
            }

            rows[BitOperations.Log2(change)] = (change, bits);
        }
    }

    private static byte[] Flipped(byte[] block, ulong bits)
    {
        byte[] flipped = [.. block];
        for (int bit = 0; bit < 64; bit++)
        {
            // Far apart, as no change of the bits of one word cancels out.
            flipped[bit * 61] ^= (byte)(bits >> bit & 1);
        }

        return flipped;
    }

    private static uint Crc32c(byte[] block)
    {
        uint crc = uint.MaxValue;
        foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(block))
        {
            crc = BitOperations.Crc32C(crc, word);
        }

        return ~crc;
    }
}
