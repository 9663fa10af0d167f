using System.Management.Automation;

namespace BtrfsClone.PowerShell;

/// <summary>
/// Paths as the session understands them: relative to its location, on its drives, never relative to the process's
/// working directory.
/// </summary>
internal static class SessionPath
{
    // What Get-ChildItem's and Get-Item's PSPath begins with.
    private const string FileSystemPrefix = @"Microsoft.PowerShell.Core\FileSystem::";

    /// <summary>What a cmdlet takes that is given no path, where that is allowed: the session's location.</summary>
    public static readonly string[] Here = ["."];

    /// <summary>Resolves an argument to the items that it names, and reports what cannot be resolved.</summary>
    /// <param name="cmdlet">The cmdlet whose session counts.</param>
    /// <param name="path">The argument.</param>
    /// <param name="literal">True to take wildcard characters as they are.</param>
    /// <param name="report">Receives one error record where the path cannot be resolved.</param>
    /// <param name="hidden">True to let wildcards match also names that begin with a dot.</param>
    /// <returns>The items; a path without wildcards is one item, whether it exists or not.</returns>
    public static IEnumerable<ItemPath> Resolve(
        PSCmdlet cmdlet, string path, bool literal, Action<ErrorRecord> report, bool hidden = false)
    {
        try
        {
            if (!literal && WildcardPattern.ContainsWildcardCharacters(path))
            {
                return Expand(cmdlet, path, hidden);
            }

            string plain = literal ? path : WildcardPattern.Unescape(path);
            return
            [
                new ItemPath(
                    Literal(cmdlet, plain), !cmdlet.MyInvocation.ExpectingInput, ItemToPathAttribute.Given(path) as FileSystemInfo, plain),
            ];
        }
        catch (ItemNotFoundException)
        {
            report(ErrorRecords.From(new BtrfsException(BtrfsError.SourceNotFound, path)));
        }
        catch (RuntimeException e) when (e is not PipelineStoppedException)
        {
            report(new ErrorRecord(e.ErrorRecord, e));
        }

        return [];
    }

    /// <summary>Resolves an argument that has to name one item, and reports it where it does not.</summary>
    /// <param name="cmdlet">The cmdlet whose session counts.</param>
    /// <param name="path">The argument.</param>
    /// <param name="literal">True to take wildcard characters as they are.</param>
    /// <param name="report">Receives the error record.</param>
    /// <returns>The item's absolute path, or null. The item need not exist.</returns>
    public static string? ResolveOne(PSCmdlet cmdlet, string path, bool literal, Action<ErrorRecord> report)
    {
        bool reported = false;
        ItemPath[] items = [.. Resolve(cmdlet, path, literal, record =>
        {
            reported = true;
            report(record);
        })];
        if (items.Length != 1 && !reported)
        {
            report(items.Length == 0
                ? ErrorRecords.From(new BtrfsException(BtrfsError.SourceNotFound, path))
                : ErrorRecords.SeveralItems(path, items.Length));
        }

        return items.Length == 1 ? items[0].FullName : null;
    }

    /// <summary>The absolute path of a parameter that all items share; a bad one ends the command.</summary>
    public static string Argument(PSCmdlet cmdlet, string path)
    {
        try
        {
            return Literal(cmdlet, path);
        }
        catch (RuntimeException e) when (e is not PipelineStoppedException)
        {
            cmdlet.ThrowTerminatingError(new ErrorRecord(e.ErrorRecord, e));
            throw;
        }
    }

    /// <summary>The absolute path of a literal one.</summary>
    /// <exception cref="RuntimeException">No such drive, or not a drive of the file system.</exception>
    private static string Literal(PSCmdlet cmdlet, string path)
    {
        // The kernel would take the part before a NUL for the whole name.
        if (path.Contains('\0', StringComparison.Ordinal))
        {
            throw Failure(ErrorRecords.From(new BtrfsException(BtrfsError.InvalidPath, path)));
        }

        string unqualified = path.StartsWith(FileSystemPrefix, StringComparison.OrdinalIgnoreCase)
            ? path[FileSystemPrefix.Length..]
            : path;

        // An absolute path needs no session. This keeps long pipelines cheap, and names with a backslash intact,
        // which the session would take for a separator.
        if (unqualified.StartsWith('/') && System.IO.Path.GetFullPath(unqualified) == unqualified)
        {
            return System.IO.Path.TrimEndingDirectorySeparator(unqualified);
        }

        string full = cmdlet.SessionState.Path.GetUnresolvedProviderPathFromPSPath(path, out ProviderInfo provider, out _);
        RequireFileSystem(provider, path);
        return System.IO.Path.TrimEndingDirectorySeparator(full);
    }

    private static IEnumerable<ItemPath> Expand(PSCmdlet cmdlet, string pattern, bool hidden)
    {
        IEnumerable<string> matches = cmdlet.GetResolvedProviderPathFromPSPath(pattern, out ProviderInfo provider);
        RequireFileSystem(provider, pattern);
        if (hidden)
        {
            matches = cmdlet.InvokeProvider.Item.Get([pattern], force: true, literalPath: false)
                .Select(item => ((FileSystemInfo)item.BaseObject).FullName);
        }

        return matches.Select(match => new ItemPath(
            System.IO.Path.TrimEndingDirectorySeparator(match), IsNamed: false));
    }

    private static void RequireFileSystem(ProviderInfo provider, string path)
    {
        if (provider.Name != "FileSystem")
        {
            throw Failure(ErrorRecords.NotFileSystem(path, provider.Name));
        }
    }

    private static RuntimeException Failure(ErrorRecord record) => new(record.Exception.Message, null, record);
}
