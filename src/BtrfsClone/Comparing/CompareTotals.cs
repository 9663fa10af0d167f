namespace BtrfsClone.Comparing;

/// <summary>Bytes of two files that are equal at the same offsets.</summary>
internal struct SameBytes
{
    /// <summary>Bytes with the same disk address.</summary>
    public long Shared;

    /// <summary>Bytes that are inline in one of the files, and so cannot be shared.</summary>
    public long Inline;

    /// <summary>The part of both that was compared by content.</summary>
    public long Compared;
}

/// <summary>The result for one file; the default value is no file. Lengths are in bytes.</summary>
internal readonly record struct FileFinding(bool IsFile, long Length, SameBytes Same = default, bool IsClone = false);

/// <summary>The results for files, from one worker or in total. Lengths are in bytes.</summary>
internal sealed class CompareTotals
{
    public long Files { get; private set; }

    public long Length { get; private set; }

    public long SharedLength { get; private set; }

    public long InlineLength { get; private set; }

    public long ComparedLength { get; private set; }

    /// <summary>All files that were added are clones.</summary>
    public bool AreClones { get; private set; } = true;

    public void Add(in FileFinding finding)
    {
        Files++;
        Length += finding.Length;
        SharedLength += finding.Same.Shared;
        InlineLength += finding.Same.Inline;
        ComparedLength += finding.Same.Compared;
        AreClones &= finding.IsClone;
    }

    public void Add(CompareTotals other)
    {
        Files += other.Files;
        Length += other.Length;
        SharedLength += other.SharedLength;
        InlineLength += other.InlineLength;
        ComparedLength += other.ComparedLength;
        AreClones &= other.AreClones;
    }
}
