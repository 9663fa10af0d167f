namespace BtrfsClone.Cli;

/// <summary>Arguments as absolute paths.</summary>
internal static class FullPath
{
    /// <summary>The absolute path of what an argument names; a link stands for what it leads to.</summary>
    /// <exception cref="BtrfsException">It is empty, or leads nowhere.</exception>
    public static string ThroughLink(string path) => PathLookup.ThroughLink(Of(path));

    /// <summary>The absolute path of an argument.</summary>
    /// <exception cref="BtrfsException">It is empty, or leads nowhere before it comes to its last part.</exception>
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
