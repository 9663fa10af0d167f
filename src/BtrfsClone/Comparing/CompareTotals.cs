namespace BtrfsClone.Comparing;

/// <summary>What was found of one file; the default value is no file. Lengths are bytes.</summary>
internal readonly record struct FileFinding(bool IsFile, long Length, long Shared = 0, long Compared = 0, bool IsClone = false);

/// <summary>What was found of files, by one worker or together. Lengths are bytes.</summary>
internal sealed class CompareTotals
{
    public long Files { get; private set; }

    public long Length { get; private set; }

    public long SharedLength { get; private set; }

    public long ComparedLength { get; private set; }

    /// <summary>Every file that was added is a clone.</summary>
    public bool AreClones { get; private set; } = true;

    public void Add(in FileFinding finding)
    {
        Files++;
        Length += finding.Length;
        SharedLength += finding.Shared;
        ComparedLength += finding.Compared;
        AreClones &= finding.IsClone;
    }

    public void Add(CompareTotals other)
    {
        Files += other.Files;
        Length += other.Length;
        SharedLength += other.SharedLength;
        ComparedLength += other.ComparedLength;
        AreClones &= other.AreClones;
    }
}
