namespace BtrfsClone.Cloning;

/// <summary>The directories that a session was given with all that is below them, and where they went.</summary>
internal sealed class CoveredDirectories
{
    private readonly Dictionary<string, string?> _targets = new(StringComparer.Ordinal);

    /// <summary>Adds a directory.</summary>
    /// <param name="path">Its absolute path.</param>
    /// <param name="target">Where it went, or null where it was left out.</param>
    public void Add(string path, string? target) => _targets[path] = target;

    /// <summary>Whether an absolute path leads to one of them, or to something below one.</summary>
    /// <param name="path">The path.</param>
    /// <param name="target">Where that is to go: then it has to be where it came to be with the directory. Null is anywhere.</param>
    public bool Hold(string path, string? target)
    {
        if (_targets.Count == 0)
        {
            return false;
        }

        for (int end = path.Length; end > 0; end = path.LastIndexOf('/', end - 1))
        {
            if (_targets.TryGetValue(path[..end], out string? above) &&
                (target is null || above is null || $"{above}{path.AsSpan(end)}" == target))
            {
                return true;
            }
        }

        return false;
    }
}
