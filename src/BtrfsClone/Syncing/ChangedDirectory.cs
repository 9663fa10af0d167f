namespace BtrfsClone.Syncing;

/// <summary>What is to be looked at in a directory in which something has changed.</summary>
/// <param name="path">The names on the way to it from the top.</param>
/// <param name="key">The same as one text, in which a character is a byte.</param>
internal sealed class ChangedDirectory(FileName[] path, string key)
{
    private readonly HashSet<FileName> _known = [];
    private readonly List<FileName> _pending = [];

    public FileName[] Path => path;

    public string Key => key;

    /// <summary>The directory itself has changed, and so may have its names.</summary>
    public bool HasOtherNames { get; set; }

    /// <summary>Whether any name of it was to be looked at.</summary>
    public bool HadNames => _known.Count > 0;

    /// <summary>How many names are to be looked at.</summary>
    public int Pending => _pending.Count;

    /// <summary>The keys of the directories above it, the top's among them.</summary>
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

    /// <summary>Adds a name to be looked at, unless it has been there before.</summary>
    public bool Add(FileName name)
    {
        bool isNew = _known.Add(name);
        if (isNew)
        {
            _pending.Add(name);
        }

        return isNew;
    }

    /// <summary>Gives the names to be looked at, once.</summary>
    public FileName[] TakeNames()
    {
        FileName[] names = [.. _pending];
        _pending.Clear();
        return names;
    }
}
