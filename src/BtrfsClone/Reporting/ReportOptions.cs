namespace BtrfsClone.Reporting;

/// <summary>Options of a report.</summary>
public sealed record ReportOptions
{
    /// <summary>The absolute path of the page to write.</summary>
    public required string Output { get; init; }

    /// <summary>Whether an existing file is replaced. It keeps its permissions.</summary>
    public bool Force { get; init; }

    /// <summary>The number of directories that are shown individually, the largest first.</summary>
    internal int MaxDirectories { get; init; } = 60_000;

    /// <summary>The number of files that are shown individually. All entries together take some 3 MB of a page.</summary>
    internal int MaxFiles { get; init; } = 150_000;
}
