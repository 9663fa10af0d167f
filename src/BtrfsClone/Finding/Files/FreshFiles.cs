using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Finding;

/// <summary>Checks whether files are unchanged since they were collected.</summary>
internal sealed class FreshFiles
{
    private readonly FoundTrees _trees;
    private readonly TreeSearch _search = new();
    private readonly TreeState? _state;

    /// <param name="trees">The trees of the search, before they are read.</param>
    /// <param name="descriptor">Any file on the filesystem.</param>
    public FreshFiles(FoundTrees trees, Descriptor descriptor)
    {
        _trees = trees;
        if (trees.ByTree)
        {
            var search = new TreeSearch();
            search.Start(descriptor, "");
            _state = new TreeState(search);
            _state.Start(descriptor, BtrfsKey.ExtentTree, BtrfsKey.FirstFree);
            _state.Look();
        }
    }

    /// <summary>Whether nothing at all has changed on the filesystem, so that no file has to be checked.</summary>
    public bool AreAll() => _state?.IsStill() == true;

    /// <summary>Whether a file exists at its path, and has not changed.</summary>
    public bool IsFresh(in FileEntry file, byte[] path)
    {
        if (_state is null)
        {
            return FileByPath.Look(path, out Statx status).Succeeded && status.Inode == file.Inode &&
                FileByPath.VersionOf(status) == file.Version;
        }

        return IsFresh(_trees[file.Tree], file);
    }

    private bool IsFresh(FoundTree tree, in FileEntry file)
    {
        var key = new ItemKey(file.Inode, BtrfsKey.InodeItem, 0);
        _search.Start(tree.Descriptor, tree.Text);
        return _search.TryFind(tree.Id, key, key, count: 1).Value > 0 && _search.Next(out _, out ReadOnlySpan<byte> item) &&
            InodeItems.TryRead(item, out InodeFacts facts) && facts.LinkCount > 0 && facts.Size == file.Size &&
            facts.ChangeTime == file.Version;
    }
}
