using BtrfsClone.Measuring;

namespace BtrfsClone.Reporting;

/// <summary>
/// A directory, a name of a file, or small entries of a directory that stand for one. What it has is what belongs to it and to
/// none of its entries: of a directory the corrections for what several of its entries hold, and what only they hold together.
/// With what its entries have, that is what all below it takes.
/// </summary>
internal sealed class ReportNode(int number, ReportNode? parent, byte[] name, bool isDirectory) : EntryUsage(number)
{
    public ReportNode? Parent { get; set; } = parent;

    /// <summary>The name, or the path of a directory that the report begins with.</summary>
    public byte[] Name => name;

    public bool IsDirectory => isDirectory;

    /// <summary>It stands for small entries, which are not shown themselves.</summary>
    public bool IsFold { get; init; }

    /// <summary>It is not shown itself: one above it stands for it.</summary>
    public bool IsFolded { get; set; }

    public ReportNode? FirstChild { get; set; }

    public ReportNode? NextSibling { get; set; }

    /// <summary>Its place when each directory comes before what is in it.</summary>
    public int Order { get; set; }

    /// <summary>How many directories are above it.</summary>
    public int Depth { get; set; }

    /// <summary>The number of the directory at the top that it belongs to.</summary>
    public int Top { get; set; }

    /// <summary>Bytes of the distinct extents that it holds, each whole.</summary>
    public long DataLength { get; set; }

    /// <summary>How many distinct extents there are.</summary>
    public long ExtentCount { get; set; }

    /// <summary>Bytes of the extents that only one file refers to, which lies here with all its names.</summary>
    public long AloneLength { get; set; }

    /// <summary>Bytes of the extents that several files share, which all lie here with all their names.</summary>
    public long InsideLength { get; set; }

    /// <summary>The deepest directory that holds both.</summary>
    public static ReportNode CommonOf(ReportNode one, ReportNode other)
    {
        while (one != other)
        {
            if (one.Depth >= other.Depth)
            {
                one = one.Parent!;
            }
            else
            {
                other = other.Parent!;
            }
        }

        return one;
    }

    /// <summary>Adds all that another node has.</summary>
    public void Add(ReportNode other)
    {
        AddUsage(other, 1);
        DataLength += other.DataLength;
        ExtentCount += other.ExtentCount;
        AloneLength += other.AloneLength;
        InsideLength += other.InsideLength;
    }

    /// <summary>Adds what is known of a file by itself, some times.</summary>
    public void AddUsage(EntryUsage other, int times)
    {
        Files += times * other.Files;
        Length += times * other.Length;
        SharedLength += times * other.SharedLength;
        InlineDiskLength += times * other.InlineDiskLength;
    }
}
