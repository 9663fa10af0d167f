using System.Management.Automation;
using BtrfsClone.Cloning;

namespace BtrfsClone.PowerShell;

/// <summary>The base class of cmdlets that accept any number of items and filter the entries below them by name.</summary>
public abstract class FilteringCmdlet : BtrfsCmdlet
{
    /// <summary>Includes only files below the given items whose names match one of these wildcards.</summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    [ArgumentCompleter(typeof(NamePatternCompleter))]
    [SupportsWildcards]
    public string[]? Include { get; set; }

    /// <summary>Excludes entries that match one of these wildcards; an excluded directory is not entered.</summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    [ArgumentCompleter(typeof(NamePatternCompleter))]
    [SupportsWildcards]
    public string[]? Exclude { get; set; }

    /// <summary>
    /// Excludes entries by the rules of these files, in the format of .gitignore, relative to each item. The paths are used
    /// literally, without wildcards.
    /// </summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    [ArgumentCompleter(typeof(LiteralPathCompleter))]
    public string[]? ExcludeFrom { get; set; }

    /// <summary>Reads the patterns; one that can never match ends the command.</summary>
    internal NamePatterns ReadPatterns() => NameFilter.Create(this, Include, Exclude, ExcludeFrom);
}
