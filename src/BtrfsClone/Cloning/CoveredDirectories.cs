namespace BtrfsClone.Cloning;

/// <summary>The directories that were passed to a session with everything below them, and their destinations.</summary>
internal sealed class CoveredDirectories
{
    private readonly Dictionary<string, string?> _targets = new(StringComparer.Ordinal);

    /// <summary>Adds a directory.</summary>
    /// <param name="path">Its absolute path.</param>
    /// <param name="target">Its destination, or null if it was skipped.</param>
    public void Add(string path, string? target) => _targets[path] = target;

    /// <summary>Whether an absolute path is one of them, or is below one.</summary>
    /// <param name="path">The path.</param>
    /// <param name="target">Its destination: this must be its position in the directory's clone. Null means any.</param>
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
