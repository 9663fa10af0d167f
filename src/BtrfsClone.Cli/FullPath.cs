namespace BtrfsClone.Cli;

/// <summary>Arguments as absolute paths.</summary>
internal static class FullPath
{
    /// <summary>The absolute path of an argument; a link is resolved to its target.</summary>
    /// <exception cref="BtrfsException">It is empty, or a dangling link.</exception>
    public static string ThroughLink(string path) => PathLookup.ThroughLink(Of(path));

    /// <summary>The absolute path of an argument.</summary>
    /// <exception cref="BtrfsException">It is empty, or a component before the last one cannot be resolved.</exception>
    public static string Of(string path, BtrfsError missing = BtrfsError.SourceNotFound)
    {
        if (path.Length == 0)
        {
            throw new BtrfsException(missing, path);
        }

        try
        {
            return PathLookup.Absolute(path);
        }
        catch (BtrfsException failure) when (failure.Error == BtrfsError.SourceNotFound)
        {
            throw new BtrfsException(missing, path, failure.Errno, failure.Call);
        }
    }
}
