using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>Subvolumes that are read as they are, though their sources were to be of one moment.</summary>
internal sealed class LiveSubvolumes
{
    // What led to each, by the number that the subvolume has while it is mounted.
    private readonly Dictionary<ulong, string> _paths = [];

    /// <summary>What was cloned first of each.</summary>
    public IReadOnlyList<string> Paths
    {
        get
        {
            lock (_paths)
            {
                return [.. _paths.Values];
            }
        }
    }

    /// <summary>What people are to be told of each.</summary>
    public IEnumerable<string> Descriptions =>
        Paths.Select(path => $"'{PathText.Printable(path)}' is not of one moment: each of its files is of its own.");

    public void Add(in Statx status, string path)
    {
        lock (_paths)
        {
            _paths.TryAdd(status.Device, path);
        }
    }

    public bool Hold(in Statx status)
    {
        lock (_paths)
        {
            return _paths.ContainsKey(status.Device);
        }
    }
}
