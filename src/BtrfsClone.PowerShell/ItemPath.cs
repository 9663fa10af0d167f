namespace BtrfsClone.PowerShell;

/// <summary>One item that a cmdlet is to work on.</summary>
/// <param name="FullName">The absolute path in the file system, without a trailing separator.</param>
/// <param name="IsNamed">
/// True when the caller wrote this very item out as an argument; false when it came from a wildcard or the pipeline,
/// where items of other kinds than wanted are to be expected.
/// </param>
/// <param name="Given">The object that the caller gave for it, or null where that was a path.</param>
/// <param name="Text">The path as the caller wrote it, or null where it came from a wildcard.</param>
public readonly record struct ItemPath(string FullName, bool IsNamed, FileSystemInfo? Given = null, string? Text = null)
{
    /// <summary>The path to work on: a link that is named outright stands for what it leads to.</summary>
    /// <exception cref="BtrfsException">The link leads nowhere, or may not be looked up.</exception>
    public string Target => IsNamed ? PathLookup.ThroughLink(FullName) : FullName;
}
