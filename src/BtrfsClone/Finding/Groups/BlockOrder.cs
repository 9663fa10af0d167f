using System.Numerics;
using System.Runtime.CompilerServices;

namespace BtrfsClone.Finding;

/// <summary>
/// Decides which of several equal blocks to keep, as a number: the lowest one. Blocks at the beginning of long runs of one repeated
/// block, such as zeros, come first, so that shorter runs fit into them; then extents that cannot be freed anyway, because
/// something else holds them or one of their blocks occurs nowhere else; then those that take little space for their data; then
/// large ones; then those with many references. Except for runs, all blocks of one extent are ordered before or after all blocks of
/// any other.
/// </summary>
internal static class BlockOrder
{
    private const int SlotBits = 47;
    private const int RankBits = 11;
    private const int FreedomShift = 9;
    private const int MostReferences = 3;

    private const ulong SlotMask = (1UL << SlotBits) - 1;
    private const ulong ExtentMask = (1UL << (SlotBits + RankBits)) - 1;

    /// <summary>The order of a block, before its extent has a rank.</summary>
    /// <param name="slot">Its slot.</param>
    /// <param name="run">How many equal blocks start there.</param>
    public static ulong Of(long slot, long run) =>
        ((ulong)(63 - BitOperations.Log2((ulong)run)) << (SlotBits + RankBits)) | (ulong)slot;

    /// <summary>The order of a block whose extent has a rank.</summary>
    public static ulong Ranked(ulong order, uint rank) => order | ((ulong)rank << SlotBits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long SlotOf(ulong order) => (long)(order & SlotMask);

    /// <summary>Whether a block's extent precedes another one's, or, within one extent, the block itself.</summary>
    public static bool IsBefore(ulong order, ulong other) => (order & ExtentMask) < (other & ExtentMask);

    /// <summary>The rank of an extent: lower ranks are preferred for keeping.</summary>
    /// <param name="extent">The extent.</param>
    /// <param name="blocks">The number of its blocks that are reachable.</param>
    public static uint RankOf(in ExtentEntry extent, long blocks)
    {
        uint freedom = extent.Holder switch { Holder.None => 2, Holder.PerhapsSnapshot => 1, _ => 0 };

        // An extent clearly smaller on disk than in files is compressed; one clearly larger contains unreachable data.
        uint waste = extent.DiskBlocks < blocks - (blocks / 8) ? 0u : extent.DiskBlocks > blocks + (blocks / 8) ? 2u : 1;
        uint smallness = 31 - (uint)BitOperations.Log2((uint)Math.Max(extent.DiskBlocks, 1));
        uint fewness = MostReferences - (uint)Math.Min(BitOperations.Log2((uint)Math.Max(extent.Pieces, 1)), MostReferences);
        return (freedom << FreedomShift) | (waste << 7) | (smallness << 2) | fewness;
    }

    /// <summary>The rank of an extent that cannot be freed, regardless of who holds it.</summary>
    public static uint Kept(uint rank) => rank & ((1u << FreedomShift) - 1);
}
