namespace BtrfsClone.Reporting;

/// <summary>Where a report goes.</summary>
public sealed record ReportOptions
{
    /// <summary>The absolute path of the page that is written.</summary>
    public required string Output { get; init; }

    /// <summary>Whether a file that is there is replaced. It keeps its permissions.</summary>
    public bool Force { get; init; }

    /// <summary>How many directories are shown by themselves, the largest first.</summary>
    internal int MaxDirectories { get; init; } = 60_000;

    /// <summary>How many files are. All entries together take some 3 MB of a page.</summary>
    internal int MaxFiles { get; init; } = 150_000;
}
