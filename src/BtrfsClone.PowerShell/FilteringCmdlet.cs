using System.Management.Automation;
using BtrfsClone.Cloning;

namespace BtrfsClone.PowerShell;

/// <summary>What the cmdlets share that work on any number of items and choose by name what is below them.</summary>
public abstract class FilteringCmdlet : BtrfsCmdlet
{
    /// <summary>Takes only those files below the given items whose names match one of these wildcards.</summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    [ArgumentCompleter(typeof(NamePatternCompleter))]
    [SupportsWildcards]
    public string[]? Include { get; set; }

    /// <summary>Leaves out what matches one of these wildcards; such a directory is not entered.</summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    [ArgumentCompleter(typeof(NamePatternCompleter))]
    [SupportsWildcards]
    public string[]? Exclude { get; set; }

    /// <summary>
    /// Leaves out what the rules of these files leave out, which are those of .gitignore, relative to each item. Taken as they
    /// are, without wildcards.
    /// </summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    [ArgumentCompleter(typeof(LiteralPathCompleter))]
    public string[]? ExcludeFrom { get; set; }

    /// <summary>Reads the patterns; one that can never match ends the command.</summary>
    internal NamePatterns ReadPatterns() => NameFilter.Create(this, Include, Exclude, ExcludeFrom);
}
