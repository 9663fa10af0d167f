using BtrfsClone.Interop;

namespace BtrfsClone.Sending;

/// <summary>
/// The inodes with several links in a subvolume of the stream, and the first path of each. An inode is removed from the table when
/// all of its links have been found.
/// </summary>
internal sealed class SentLinks
{
    private readonly Dictionary<(ulong Device, ulong Inode), Link> _links = [];

    /// <summary>Counts a link. Returns the path of the first one, if that is in the stream.</summary>
    public bool TryMeet(in Statx status, out byte[] first)
    {
        first = [];
        if (status.LinkCount < 2 || !_links.TryGetValue((status.Device, status.Inode), out Link? link))
        {
            return false;
        }

        first = link.Path;
        if (++link.Seen >= status.LinkCount)
        {
            _links.Remove((status.Device, status.Inode));
        }

        return true;
    }

    /// <summary>Records the first link of an inode, which is now in the stream.</summary>
    public void Add(in Statx status, ReadOnlySpan<byte> path)
    {
        if (status.LinkCount > 1)
        {
            _links[(status.Device, status.Inode)] = new Link(path.ToArray());
        }
    }

    /// <summary>Removes all: another subvolume cannot have links to them.</summary>
    public void Clear() => _links.Clear();

    private sealed class Link(byte[] path)
    {
        public byte[] Path => path;

        public uint Seen { get; set; } = 1;
    }
}
