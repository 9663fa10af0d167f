namespace BtrfsClone.Cli;

/// <summary>Arguments as absolute paths.</summary>
internal static class FullPath
{
    private const int NoEntry = 2; // ENOENT

    /// <summary>The absolute path of an argument.</summary>
    /// <exception cref="BtrfsException">It is empty, or relative to a working directory that is gone.</exception>
    public static string Of(string path, BtrfsError missing = BtrfsError.SourceNotFound)
    {
        if (path.Length == 0)
        {
            throw new BtrfsException(missing, path);
        }

        try
        {
            return Path.GetFullPath(path);
        }
        catch (FileNotFoundException)
        {
            throw new BtrfsException(missing, path, NoEntry, "getcwd");
        }
    }
}
