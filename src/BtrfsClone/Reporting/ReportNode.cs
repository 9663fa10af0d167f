using BtrfsClone.Measuring;

namespace BtrfsClone.Reporting;

/// <summary>
/// A directory, a name of a file, or a combination of small entries of a directory. Its numbers are those that belong to it but not
/// to any of its entries: for a directory, the corrections for what several of its entries hold, and what only they hold together.
/// The sum with the numbers of its entries is the usage of everything below it.
/// </summary>
internal sealed class ReportNode(int number, ReportNode? parent, byte[] name, bool isDirectory) : EntryUsage(number)
{
    public ReportNode? Parent { get; set; } = parent;

    /// <summary>The name, or the path of a given directory.</summary>
    public byte[] Name => name;

    public bool IsDirectory => isDirectory;

    /// <summary>It represents small entries, which are not shown individually.</summary>
    public bool IsFold { get; init; }

    /// <summary>It is not shown individually: a node above it represents it.</summary>
    public bool IsFolded { get; set; }

    public ReportNode? FirstChild { get; set; }

    public ReportNode? NextSibling { get; set; }

    /// <summary>Its position in an order in which each directory precedes its entries.</summary>
    public int Order { get; set; }

    /// <summary>The number of directories above it.</summary>
    public int Depth { get; set; }

    /// <summary>The number of its top directory.</summary>
    public int Top { get; set; }

    /// <summary>The size of the distinct extents that it holds, each counted whole.</summary>
    public long DataLength { get; set; }

    /// <summary>The number of distinct extents.</summary>
    public long ExtentCount { get; set; }

    /// <summary>The size of the extents that only one file refers to, all of whose names are here.</summary>
    public long AloneLength { get; set; }

    /// <summary>The size of the extents that several files share, all of whose names are here.</summary>
    public long InsideLength { get; set; }

    /// <summary>The deepest directory that contains both.</summary>
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

    /// <summary>Adds all numbers of another node.</summary>
    public void Add(ReportNode other)
    {
        AddUsage(other, 1);
        DataLength += other.DataLength;
        ExtentCount += other.ExtentCount;
        AloneLength += other.AloneLength;
        InsideLength += other.InsideLength;
    }

    /// <summary>Adds the numbers of a single file, several times.</summary>
    public void AddUsage(EntryUsage other, int times)
    {
        Files += times * other.Files;
        Length += times * other.Length;
        SharedLength += times * other.SharedLength;
        InlineDiskLength += times * other.InlineDiskLength;
    }
}
