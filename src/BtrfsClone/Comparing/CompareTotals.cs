namespace BtrfsClone.Comparing;

/// <summary>Bytes of two files that are the same at equal offsets.</summary>
internal struct SameBytes
{
    /// <summary>Bytes of one place on disk.</summary>
    public long Shared;

    /// <summary>Bytes that are inline in one of the files, and so cannot be shared.</summary>
    public long Inline;

    /// <summary>The part of both that was compared by content.</summary>
    public long Compared;
}

/// <summary>What was found of one file; the default value is no file. Lengths are bytes.</summary>
internal readonly record struct FileFinding(bool IsFile, long Length, SameBytes Same = default, bool IsClone = false);

/// <summary>What was found of files, by one worker or together. Lengths are bytes.</summary>
internal sealed class CompareTotals
{
    public long Files { get; private set; }

    public long Length { get; private set; }

    public long SharedLength { get; private set; }

    public long InlineLength { get; private set; }

    public long ComparedLength { get; private set; }

    /// <summary>Every file that was added is a clone.</summary>
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
