namespace BtrfsClone.PowerShell;

/// <summary>One item for a cmdlet to process.</summary>
/// <param name="FullName">The absolute path in the file system, without a trailing separator.</param>
/// <param name="IsNamed">
/// True if the caller named this item explicitly as an argument; false if it came from a wildcard or the pipeline, where items of
/// other types are to be expected.
/// </param>
/// <param name="Given">The object that the caller passed for it, or null if it was a path.</param>
/// <param name="Text">The path as written by the caller, or null if it came from a wildcard.</param>
public readonly record struct ItemPath(string FullName, bool IsNamed, FileSystemInfo? Given = null, string? Text = null)
{
    /// <summary>The path to process: a link that was named explicitly is resolved to its target.</summary>
    /// <exception cref="BtrfsException">The link is dangling, or cannot be looked up.</exception>
    public string Target => IsNamed ? PathLookup.ThroughLink(FullName) : FullName;
}
