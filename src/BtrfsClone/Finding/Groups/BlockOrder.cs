using System.Numerics;
using System.Runtime.CompilerServices;

namespace BtrfsClone.Finding;

/// <summary>
/// Which of several blocks that hold the same is the one to keep, as a number: the least one. First come blocks at the
/// beginning of long runs of one and the same block, such as zeros, so that shorter runs find a place in them; then
/// extents that cannot come free anyway, as something else holds them or a block of theirs is nowhere else, then those that
/// take little for what they hold, then large ones, then those that have many references. All blocks of one extent are on one
/// side of all blocks of any other one, runs aside.
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
    /// <param name="run">How many blocks from it on are the same.</param>
    public static ulong Of(long slot, long run) =>
        ((ulong)(63 - BitOperations.Log2((ulong)run)) << (SlotBits + RankBits)) | (ulong)slot;

    /// <summary>The order of a block whose extent has a rank.</summary>
    public static ulong Ranked(ulong order, uint rank) => order | ((ulong)rank << SlotBits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long SlotOf(ulong order) => (long)(order & SlotMask);

    /// <summary>Whether a block's extent is before another one's, or, within one, the block itself.</summary>
    public static bool IsBefore(ulong order, ulong other) => (order & ExtentMask) < (other & ExtentMask);

    /// <summary>The rank of an extent: the less, the rather it is kept.</summary>
    /// <param name="extent">The extent.</param>
    /// <param name="blocks">How many of its blocks can be reached.</param>
    public static uint RankOf(in ExtentEntry extent, long blocks)
    {
        uint freedom = extent.Holder switch { Holder.None => 2, Holder.PerhapsSnapshot => 1, _ => 0 };

        // Clearly less on disk than in files is compressed; clearly more is what nobody can reach.
        uint waste = extent.DiskBlocks < blocks - (blocks / 8) ? 0u : extent.DiskBlocks > blocks + (blocks / 8) ? 2u : 1;
        uint smallness = 31 - (uint)BitOperations.Log2((uint)Math.Max(extent.DiskBlocks, 1));
        uint fewness = MostReferences - (uint)Math.Min(BitOperations.Log2((uint)Math.Max(extent.Pieces, 1)), MostReferences);
        return (freedom << FreedomShift) | (waste << 7) | (smallness << 2) | fewness;
    }

    /// <summary>The rank of an extent that cannot come free, whoever holds it.</summary>
    public static uint Kept(uint rank) => rank & ((1u << FreedomShift) - 1);
}
