using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>What one thread finds of <see cref="ChangedInodes"/>.</summary>
/// <param name="subvolume">Something open in the subvolume.</param>
/// <param name="path">What to call it in errors.</param>
/// <param name="since">The last transaction whose changes are known.</param>
internal sealed class ChangedPart(Descriptor subvolume, string path, ulong since)
{
    private readonly TreeSearch _search = TreeSearch.In(subvolume, path);

    public List<ChangedInode> Changed { get; } = [];

    public Dictionary<ulong, (ulong Parent, FileName Name)> Directories { get; } = [];

    /// <summary>Finds those of a range. Ends where there are more than <see cref="ChangedInodes.Most"/>.</summary>
    public void Find(InodeRanges ranges, InodeRanges.Part range, CancellationToken cancellation)
    {
        int before = Changed.Count;
        ulong last = range.Last;
        (ulong Inode, bool IsDirectory) named = default;
        var next = new ItemKey(range.First, 0, 0);
        while (next.ObjectId <= last && Changed.Count <= ChangedInodes.Most &&
            _search.Find(0, next, new ItemKey(last, uint.MaxValue, ulong.MaxValue), uint.MaxValue, since + 1) > 0)
        {
            cancellation.ThrowIfCancellationRequested();
            while (_search.Next(out TreeSearchHeader header, out ReadOnlySpan<byte> item))
            {
                next = new ItemKey(header.ObjectId, header.Type, header.Offset).Next;
                if (header.ObjectId == named.Inode && header.Type is BtrfsKey.InodeRef or BtrfsKey.InodeExtendedRef &&
                    InodeItems.TryReadName(header, item, out ulong directory, out ReadOnlySpan<byte> name))
                {
                    Name(named.IsDirectory, header.ObjectId, directory, new FileName(name));
                    named = default;
                }

                if (header.Type == BtrfsKey.InodeItem)
                {
                    named = Add(header, item);
                }
            }

            last = ranges.Reach(range, next.ObjectId);
            if (!_search.MayHaveMore)
            {
                break;
            }
        }

        // Another thread may have taken over what was just read.
        int end = Changed.Count;
        while (end > before && Changed[end - 1].Inode > last)
        {
            end--;
        }

        Changed.RemoveRange(end, Changed.Count - end);
    }

    /// <summary>Looks up the directories that changed files are in, unless they were met.</summary>
    public void FindDirectories(CancellationToken cancellation)
    {
        var names = new InodeNames(_search);
        foreach (ChangedInode inode in Changed)
        {
            cancellation.ThrowIfCancellationRequested();
            if (inode.OnlyName is { Directory: ulong directory } && Directories.Count < ChangedInodes.Most &&
                !Directories.ContainsKey(directory) && names.OfDirectory(directory) is { } place)
            {
                Directories.Add(directory, place);
            }
        }
    }

    /// <summary>Adds an inode if it has changed. Returns whose name is wanted.</summary>
    private (ulong Inode, bool IsDirectory) Add(in TreeSearchHeader header, ReadOnlySpan<byte> item)
    {
        if (!InodeState.TryRead(item, out InodeState state))
        {
            throw _search.Malformed();
        }

        uint type = state.Mode & Sys.ModeTypeMask;
        bool isDirectory = type == Sys.ModeDirectory;
        bool isChanged = state.Transid > since;
        if (isChanged)
        {
            Changed.Add(new ChangedInode(header.ObjectId, type, state.Transid, OnlyName: null));
        }

        return isDirectory || (isChanged && state.LinkCount == 1) ? (header.ObjectId, isDirectory) : default;
    }

    private void Name(bool isDirectory, ulong inode, ulong parent, FileName name)
    {
        if (!isDirectory)
        {
            Changed[^1] = Changed[^1] with { OnlyName = (parent, name) };
        }
        else if (Directories.Count < ChangedInodes.Most)
        {
            Directories[inode] = (parent, name);
        }
    }
}
