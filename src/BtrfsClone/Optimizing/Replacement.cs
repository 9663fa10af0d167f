using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Optimizing;

/// <summary>A range of a file that is to refer to a range of the new data. Lengths are in bytes.</summary>
/// <param name="File">The file, and the offset of the range in it.</param>
/// <param name="Generation">The generation of the file's inode item.</param>
/// <param name="At">The offset of the range in the new data.</param>
/// <param name="Length">The length of the range, at most up to the end of the file.</param>
internal readonly record struct Move(ExtentOwner File, ulong Generation, long At, long Length);

/// <summary>The data to write as a replacement for extents: the parts in use, one after the other.</summary>
internal sealed class Replacement
{
    // A hole between the data of different extents: btrfs's maximum block size.
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

    /// <summary>The bytes in use, uncompressed, in whole blocks, including the holes between them.</summary>
    public long Length { get; private set; }

    /// <inheritdoc cref="ExtentGroup.EndsInBlock"/>
    public bool EndsInBlock { get; }

    /// <summary>The references to create, in the order of their offsets in the data; for equal offset and length, by file.</summary>
    public List<Move> Moves => _moves;

    /// <summary>
    /// Takes the current references to the extents, since a snapshot was taken while they were moved. False if one of them refers
    /// to data that was not written, or may not be moved.
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
