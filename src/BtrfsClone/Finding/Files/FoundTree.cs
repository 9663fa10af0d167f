using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Finding;

/// <summary>
/// A subvolume in which files are searched, or the whole filesystem if it has no subvolumes. It keeps one of its directories open.
/// </summary>
internal sealed class FoundTree(int number, Descriptor descriptor, byte[] path) : IDisposable
{
    private Descriptor _descriptor = descriptor;

    /// <summary>Its number in the search.</summary>
    public int Number => number;

    public Descriptor Descriptor => _descriptor;

    /// <summary>The path of the open directory.</summary>
    public byte[] Path => path;

    /// <summary>The path for display.</summary>
    public string Text => Utf8Z.ToText(path);

    /// <summary>The subvolume's id.</summary>
    public ulong Id { get; init; }

    /// <summary>
    /// All of its files are searched, and the open directory is its root. Names are stored with the inode number of their
    /// directory.
    /// </summary>
    public bool IsWhole { get; init; }

    /// <summary>Whether it is on btrfs.</summary>
    public bool IsBtrfs { get; init; }

    /// <inheritdoc cref="TreeState.LastSnapshot"/>
    public ulong LastSnapshot { get; private set; } = ulong.MaxValue;

    /// <summary>Reads its data from the tree of trees. Fails if it cannot be read.</summary>
    public CallResult Look(TreeSearch search)
    {
        search.Start(_descriptor, Text);
        CallResult result = search.TryFind(
            BtrfsKey.RootTree,
            new ItemKey(Id, BtrfsKey.RootItem, 0),
            new ItemKey(Id, BtrfsKey.RootItem, ulong.MaxValue),
            count: 1);
        if (result.Value > 0 && search.Next(out _, out ReadOnlySpan<byte> item))
        {
            if (!TreeItems.TryReadRoot(item, out _, out ulong lastSnapshot))
            {
                throw search.Malformed();
            }

            LastSnapshot = lastSnapshot;
        }

        return result;
    }

    public void Dispose()
    {
        Sys.Close(_descriptor);
        _descriptor = Descriptor.None;
    }
}
