using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Optimizing;

/// <summary>A range of a file that is to hold a range of what is written. Lengths are bytes.</summary>
/// <param name="File">The file, and where in it the range begins.</param>
/// <param name="Generation">The generation of the file's inode item.</param>
/// <param name="At">Where in what is written the range begins.</param>
/// <param name="Length">The range's length, to the file's end at most.</param>
internal readonly record struct Move(ExtentOwner File, ulong Generation, long At, long Length);

/// <summary>What is to be written in the place of extents: what of them is in use, one part after the other.</summary>
internal sealed class Replacement
{
    // A hole between what is written into different extents: btrfs's largest block.
    private const long Gap = 64 << 10;

    private readonly List<Move> _moves = [];
    private readonly Dictionary<long, List<(long Start, long End, long At)>> _layout = [];

    /// <param name="group">The extents.</param>
    public Replacement(ExtentGroup group)
    {
        (Compression, EndsInBlock) = (group.Compression, group.EndsInBlock);
        foreach (ExtentPart[] parts in group.Layout)
        {
            Length += Length > 0 ? Gap : 0;
            Array.ForEach(parts, Add);
        }
    }

    public ExtentCompression Compression { get; }

    /// <summary>The bytes in use, unpacked, whole blocks, and the holes between them.</summary>
    public long Length { get; private set; }

    /// <inheritdoc cref="ExtentGroup.EndsInBlock"/>
    public bool EndsInBlock { get; }

    /// <summary>Who is to hold what of it, in the order of the places in it; of one place and length by files.</summary>
    public List<Move> Moves => _moves;

    /// <summary>
    /// Takes what refers to the extents by now, since a snapshot was taken while they were moved. False where something of it is not
    /// in what is written, or may not be moved.
    /// </summary>
    public bool TryFollow(IEnumerable<UsedExtent> extents)
    {
        _moves.Clear();
        foreach (UsedExtent extent in extents)
        {
            foreach (ExtentUse use in extent.Uses)
            {
                int part = _layout[extent.Place].FindIndex(one => one.Start <= use.ExtentOffset && use.ExtentEnd <= one.End);
                if (part < 0 || !use.MayMove || extent.IsUnclear)
                {
                    return false;
                }

                (long start, _, long at) = _layout[extent.Place][part];
                _moves.Add(new Move(use.Owner, use.Generation, at + use.ExtentOffset - start, use.Content));
            }
        }

        _moves.Sort(static (one, other) => (one.At, one.Length).CompareTo((other.At, other.Length)));
        return true;
    }

    private void Add(ExtentPart head)
    {
        long begin = Length;
        foreach (ExtentPart part in head.Joined)
        {
            if (!_layout.TryGetValue(part.Extent.Place, out var parts))
            {
                _layout.Add(part.Extent.Place, parts = []);
            }

            parts.Add((part.Start, part.End, Length));
            Length += part.Length;
        }

        long joined = Length - begin - head.Last.Missing;
        foreach (ref readonly ExtentUse use in head.Uses)
        {
            _moves.Add(new Move(
                use.Owner, use.Generation, begin + use.ExtentOffset - head.Start, head.Next is null ? use.Content : joined));
        }
    }
}
