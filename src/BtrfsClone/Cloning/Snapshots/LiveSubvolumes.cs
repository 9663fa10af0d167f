using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>Subvolumes that are read directly, although a point in time was requested.</summary>
internal sealed class LiveSubvolumes
{
    // The path to each, by the device number that the subvolume has while it is mounted.
    private readonly Dictionary<ulong, string> _paths = [];

    /// <summary>The first path cloned from each.</summary>
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

    /// <summary>A warning about each.</summary>
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
