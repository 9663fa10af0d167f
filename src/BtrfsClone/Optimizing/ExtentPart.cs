using System.Runtime.InteropServices;

namespace BtrfsClone.Optimizing;

/// <summary>A part of an extent that is in use, by overlapping file extents. Lengths are in bytes of whole blocks.</summary>
internal sealed class ExtentPart
{
    private readonly int _first;
    private int _count = 1;

    private ExtentPart(UsedExtent extent, int first)
    {
        ExtentUse use = extent.Uses[first];
        (Extent, _first, Start, End) = (extent, first, use.ExtentOffset, use.ExtentEnd);
    }

    public UsedExtent Extent { get; }

    /// <summary>Its start in the uncompressed extent.</summary>
    public long Start { get; }

    /// <summary>Its end there.</summary>
    public long End { get; private set; }

    public long Length => End - Start;

    /// <summary>How much of its last block is beyond the end of the files that use this block; it is the same for all of them.</summary>
    public long Missing { get; private set; }

    /// <summary>A file ends inside it where another one does not.</summary>
    public bool HasManyEnds { get; private set; }

    /// <summary>Whether all that use it use all of it.</summary>
    public bool IsUniform { get; private set; } = true;

    /// <summary>The part of another extent that is written after it, since all that use it use that next.</summary>
    public ExtentPart? Next { get; set; }

    /// <summary>It is written after another part.</summary>
    public bool IsNext { get; set; }

    /// <summary>It, and the parts that are written after it.</summary>
    public IEnumerable<ExtentPart> Joined
    {
        get
        {
            for (ExtentPart? part = this; part is not null; part = part.Next)
            {
                yield return part;
            }
        }
    }

    public ExtentPart Last => Joined.Last();

    public long JoinedLength => Joined.Sum(part => part.Length);

    public ReadOnlySpan<ExtentUse> Uses => CollectionsMarshal.AsSpan(Extent.Uses).Slice(_first, _count);

    /// <summary>The parts of an extent whose uses were looked up, in order.</summary>
    public static List<ExtentPart> Of(UsedExtent extent)
    {
        List<ExtentPart> parts = [];
        for (int i = 0; i < extent.Uses.Count; i++)
        {
            if (parts.Count == 0 || extent.Uses[i].ExtentOffset >= parts[^1].End)
            {
                parts.Add(new ExtentPart(extent, i));
            }
            else
            {
                parts[^1].Add(extent.Uses[i]);
            }
        }

        parts.ForEach(part => part.FindEnd());
        return parts;
    }

    /// <summary>Whether each file that uses it uses another part next, and nothing else uses that.</summary>
    public bool IsFollowedBy(ExtentPart other)
    {
        if (!IsUniform || !other.IsUniform || Missing > 0 || _count != other._count ||
            Extent.Compression != other.Extent.Compression)
        {
            return false;
        }

        ReadOnlySpan<ExtentUse> uses = Uses;
        ReadOnlySpan<ExtentUse> next = other.Uses;
        for (int i = 0; i < uses.Length; i++)
        {
            if (next[i].Owner.Root != uses[i].Owner.Root || next[i].Owner.Inode != uses[i].Owner.Inode ||
                next[i].Owner.Offset != uses[i].Owner.Offset + (ulong)Length)
            {
                return false;
            }
        }

        return true;
    }

    private void Add(in ExtentUse use)
    {
        IsUniform &= use.ExtentOffset == Start && use.ExtentEnd == End;
        End = Math.Max(End, use.ExtentEnd);
        _count++;
    }

    private void FindEnd()
    {
        long missing = -1;
        foreach (ref readonly ExtentUse use in Uses)
        {
            long beyond = use.Length - use.Content;
            HasManyEnds |= use.ExtentEnd == End ? missing >= 0 && missing != beyond : beyond > 0;
            missing = use.ExtentEnd == End ? beyond : missing;
        }

        Missing = missing;
    }
}
