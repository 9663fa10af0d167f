using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// The inodes with several links that this invocation has encountered, and their clones: the only data that grows with the tree. An
/// inode is removed from the table when all of its links have been found.
/// </summary>
/// <param name="forgets">Whether it is removed; otherwise a link may be found several times.</param>
internal sealed class HardLinkTable(bool forgets)
{
    private readonly Dictionary<(ulong Device, ulong Inode), HardLink> _links = [];

    /// <summary>
    /// The inode's entry in the table. A thread that processes one of its links holds the entry's lock, so that a second link waits
    /// until the first is cloned.
    /// </summary>
    public HardLink Meet(in Statx status)
    {
        lock (_links)
        {
            HardLink link = Of(status);
            Count(link, status);
            return link;
        }
    }

    /// <summary>Uses an existing entry as the clone of one of an inode's links. False if the inode has another clone.</summary>
    public bool TryKeep(in Statx status, DirectoryPair directory, ReadOnlySpan<byte> name, ulong inode)
    {
        HardLink link;
        lock (_links)
        {
            link = Of(status);
        }

        lock (link)
        {
            if (link.Directory is null)
            {
                link.IsAt(directory, [.. name, 0], inode);
            }
            else if (link.Inode != inode)
            {
                return false;
            }
        }

        lock (_links)
        {
            Count(link, status);
        }

        return true;
    }

    private HardLink Of(in Statx status)
    {
        if (!_links.TryGetValue((status.Device, status.Inode), out HardLink? link))
        {
            _links.Add((status.Device, status.Inode), link = new HardLink());
        }

        return link;
    }

    private void Count(HardLink link, in Statx status)
    {
        if (++link.Seen >= status.LinkCount && forgets)
        {
            _links.Remove((status.Device, status.Inode));
        }
    }
}

/// <summary>The clone of one inode: its directory and first name, once it exists.</summary>
internal sealed class HardLink
{
    public uint Seen { get; set; }

    public DirectoryPair? Directory { get; private set; }

    public byte[] Name { get; private set; } = [];

    /// <summary>The clone's own inode number: another file may have replaced it since.</summary>
    public ulong Inode { get; private set; }

    public void IsAt(DirectoryPair directory, ReadOnlySpan<byte> zeroTerminatedName, ulong inode)
    {
        Inode = inode;
        directory.Pin();
        Directory = directory;
        Name = zeroTerminatedName.ToArray();
    }

    public void Forget() => Directory = null;
}
