namespace BtrfsClone.Syncing;

/// <summary>What has to be examined in a directory in which something has changed.</summary>
/// <param name="path">Its path from the top directory, as names.</param>
/// <param name="key">The same as one string, in which each character is a byte.</param>
internal sealed class ChangedDirectory(FileName[] path, string key)
{
    private readonly HashSet<FileName> _known = [];
    private readonly List<FileName> _pending = [];

    public FileName[] Path => path;

    public string Key => key;

    /// <summary>The directory itself has changed, and so its names may have.</summary>
    public bool HasOtherNames { get; set; }

    /// <summary>Whether any name in it had to be examined.</summary>
    public bool HadNames => _known.Count > 0;

    /// <summary>The number of names to examine.</summary>
    public int Pending => _pending.Count;

    /// <summary>The keys of its parent directories, including the top directory's.</summary>
    public IEnumerable<string> KeysAbove
    {
        get
        {
            for (int end = key.LastIndexOf('/'); end > 0; end = key.LastIndexOf('/', end - 1))
            {
                yield return key[..end];
            }

            if (key.Length > 0)
            {
                yield return "";
            }
        }
    }

    public bool IsPending => HasOtherNames || _pending.Count > 0;

    /// <summary>Adds a name to examine, unless it was added before.</summary>
    public bool Add(FileName name)
    {
        bool isNew = _known.Add(name);
        if (isNew)
        {
            _pending.Add(name);
        }

        return isNew;
    }

    /// <summary>Returns the names to examine, each once.</summary>
    public FileName[] TakeNames()
    {
        FileName[] names = [.. _pending];
        _pending.Clear();
        return names;
    }
}
