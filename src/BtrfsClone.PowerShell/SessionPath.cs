using System.Management.Automation;

namespace BtrfsClone.PowerShell;

/// <summary>
/// Resolves paths like the session: relative to its location, on its drives, never relative to the process's working directory.
/// </summary>
internal static class SessionPath
{
    // The prefix of PSPath in objects from Get-ChildItem and Get-Item.
    private const string FileSystemPrefix = @"Microsoft.PowerShell.Core\FileSystem::";

    /// <summary>The default path of a cmdlet that does not require one: the session's location.</summary>
    public static readonly string[] Here = ["."];

    /// <summary>Resolves an argument to items, and reports what cannot be resolved.</summary>
    /// <param name="cmdlet">The cmdlet whose session is used.</param>
    /// <param name="path">The argument.</param>
    /// <param name="literal">True to use wildcard characters literally.</param>
    /// <param name="report">Receives one error record if the path cannot be resolved.</param>
    /// <param name="hidden">True if wildcards also match names that begin with a dot.</param>
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

    /// <summary>Resolves an argument that has to match one item, and reports an error if it does not.</summary>
    /// <param name="cmdlet">The cmdlet whose session is used.</param>
    /// <param name="path">The argument.</param>
    /// <param name="literal">True to use wildcard characters literally.</param>
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

    /// <summary>The absolute path of a parameter that applies to all items; an invalid one ends the command.</summary>
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

    /// <summary>The absolute path of a literal path.</summary>
    /// <exception cref="RuntimeException">The drive does not exist, or is not a filesystem drive.</exception>
    private static string Literal(PSCmdlet cmdlet, string path)
    {
        // The kernel would use only the part before a NUL as the name.
        if (path.Contains('\0', StringComparison.Ordinal))
        {
            throw Failure(ErrorRecords.From(new BtrfsException(BtrfsError.InvalidPath, path)));
        }

        string unqualified = path.StartsWith(FileSystemPrefix, StringComparison.OrdinalIgnoreCase)
            ? path[FileSystemPrefix.Length..]
            : path;

        // An absolute path does not need the session. This keeps long pipelines cheap, and preserves names with a backslash, which
        // the session would treat as a separator.
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
