using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Optimizing;

/// <summary>
/// Finds the extents to join: those whose parts all files use consecutively. If files differ in this, the extents stay separate, so
/// that sharing between clones is preserved.
/// </summary>
/// <param name="options">How to optimize.</param>
/// <param name="counters">The counters to update.</param>
internal sealed class GroupSearch(OptimizeOptions options, OptimizeCounters counters)
{
    /// <summary>Groups extents whose uses were looked up.</summary>
    /// <param name="extents">The extents.</param>
    /// <param name="blockSize">The filesystem's block size.</param>
    public IEnumerable<ExtentGroup> Find(IEnumerable<UsedExtent> extents, long blockSize)
    {
        Dictionary<UsedExtent, ExtentGroup> groups = extents.ToDictionary(extent => extent, extent => new ExtentGroup(extent));
        List<ExtentPart> parts = [.. groups.Values.Where(group => IsSmall(group, blockSize)).SelectMany(group => group.Parts)];
        parts.Sort(static (one, other) => ExtentOwner.Compare(one.Uses[0].Owner, other.Uses[0].Owner));
        HashSet<UsedExtent> left = [];
        for (int i = 1; i < parts.Count; i++)
        {
            ExtentPart last = parts[i - 1];
            ExtentPart next = parts[i];
            if (last.IsFollowedBy(next))
            {
                Join(last, groups[last.Extent], next, groups[next.Extent], left);
            }
        }

        counters.ExtentsLeft += left.Count;
        return groups.Values.Where(group => group.Whole is null)
            .SelectMany(group => IsWorthJoining(group, blockSize) ? [group] : group.Split());
    }

    /// <summary>Whether this gives fewer extents than replacing each extent of the group separately, or not at all.</summary>
    private bool IsWorthJoining(ExtentGroup group, long blockSize)
    {
        long expected = group.Extents.Count == 1 ? 0 : group.ExtentsExpected;
        return expected < group.Extents.Count ||
            expected < group.Split().Sum(one => options.IsWorth(one.Gain(blockSize), one.Length) ? one.ExtentsExpected : 1);
    }

    private static void Join(ExtentPart last, ExtentGroup one, ExtentPart next, ExtentGroup other, HashSet<UsedExtent> left)
    {
        if (!one.MayMove || !other.MayMove)
        {
            if (one != other)
            {
                left.Add(last.Extent);
                left.Add(next.Extent);
            }

            return;
        }

        one = WholeOf(one);
        other = WholeOf(other);
        if (one == other || (one.Extents.Count < other.Extents.Count ? other.TryTake(one) : one.TryTake(other)))
        {
            (last.Next, next.IsNext) = (next, true);
        }
    }

    private static ExtentGroup WholeOf(ExtentGroup group)
    {
        while (group.Whole is ExtentGroup whole)
        {
            group = whole;
        }

        return group;
    }

    /// <summary>Whether an extent is small enough to be joined with others, or is rewritten anyway.</summary>
    private bool IsSmall(ExtentGroup group, long blockSize) =>
        group.Length > 0 && options.TargetExtentSize > 0 && (group.Compression == ExtentCompression.None
            ? group.Length < options.TargetExtentSize || options.IsWorth(group.Gain(blockSize), group.Length)
            : group.Parts.Count == 1 && group.Length < Math.Min(options.TargetExtentSize, ExtentGroup.LargestCompressed));
}
