namespace BtrfsClone.Cloning;

/// <summary>The directories that a session was given with all that is below them.</summary>
internal sealed class CoveredDirectories
{
    private readonly HashSet<string> _paths = new(StringComparer.Ordinal);

    public void Add(string path) => _paths.Add(path);

    /// <summary>Whether an absolute path leads to one of them, or to something below one.</summary>
    public bool Hold(string path)
    {
        if (_paths.Count == 0)
        {
            return false;
        }

        for (int end = path.Length; end > 0; end = path.LastIndexOf('/', end - 1))
        {
            if (_paths.Contains(path[..end]))
            {
                return true;
            }
        }

        return false;
    }
}
