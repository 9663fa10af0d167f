using System.Runtime.CompilerServices;

namespace BtrfsClone.Finding;

/// <summary>Computes the keys of blocks.</summary>
internal static class Key
{
    // Separates keys derived from different kinds of data.
    private const ulong CompressedKind = 0x5851F42D4C957F2D;
    private const ulong NoChecksumKind = 0x14057B7EF767814F;
    private const ulong TailKind = 0x9FB21C651E98DF25;

    /// <summary>The key of an uncompressed block with this checksum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong OfChecksum(ulong checksum) => Known(Mix(checksum + 1));

    /// <summary>The key of a block of a compressed extent, from all checksums of the extent.</summary>
    public static ulong OfCompressed(ulong extent, int block) => Known(Mix(extent ^ (CompressedKind + (ulong)block)));

    /// <summary>The key of a block from its content.</summary>
    /// <param name="hash">The content's hash.</param>
    /// <param name="noChecksum">Whether it can only share extents with data without checksums.</param>
    public static ulong OfContent(ulong hash, bool noChecksum) => Known(noChecksum ? Mix(hash ^ NoChecksumKind) : hash);

    /// <summary>
    /// The key of a block in which its file ends: the kernel shares it only with a block in which a file ends at the same byte.
    /// </summary>
    public static ulong OfTail(ulong key, ushort bytes) => key == IBlockKeys.Unknown ? key : Known(Mix(key ^ (TailKind * bytes)));

    /// <summary>One key for two consecutive blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong OfPair(ulong first, ulong second) =>
        first == IBlockKeys.Unknown || second == IBlockKeys.Unknown
            ? IBlockKeys.Unknown
            : Known(Mix(first + (ulong.RotateLeft(second, 32) * 0x9E3779B97F4A7C15)));

    /// <summary>Adds another checksum to those of an extent.</summary>
    public static ulong Add(ulong extent, ulong checksum) => Mix(extent + 0x9E3779B97F4A7C15) ^ Mix(checksum ^ CompressedKind);

    // The finalizer of MurmurHash3 (public domain): each bit of the input changes half of the output bits.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 33)) * 0xFF51AFD7ED558CCD;
        value = (value ^ (value >> 33)) * 0xC4CEB9FE1A85EC53;
        return value ^ (value >> 33);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Known(ulong key) => key == IBlockKeys.Unknown ? 1 : key;
}
