using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Finding;

/// <summary>The subvolumes of one filesystem in which files are searched. Safe for concurrent use.</summary>
/// <param name="isBtrfs">Whether the filesystem is btrfs.</param>
/// <param name="byTree">Whether btrfs's trees are read, so that all files of a subvolume can be found without a directory walk.</param>
internal sealed class FoundTrees(bool isBtrfs, bool byTree) : IDisposable
{
    private readonly List<FoundTree> _trees = [];
    private readonly TreeSearch _search = new();

    public bool ByTree => byTree;

    public IReadOnlyList<FoundTree> All => _trees;

    public FoundTree this[int number] => _trees[number];

    /// <summary>The tree that an open directory or file belongs to.</summary>
    /// <exception cref="BtrfsException">It cannot be determined.</exception>
    public FoundTree Of(Descriptor descriptor, byte[] path)
    {
        ulong id = 0;
        CallResult result = isBtrfs ? Sys.SubvolumeId(descriptor, out id) : CallResult.Success;
        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, SystemCall.InoLookup, Utf8Z.ToText(path));
        }

        lock (_trees)
        {
            return _trees.Find(tree => tree.Id == id) ?? Add(descriptor, path, id, isWhole: false);
        }
    }

    /// <summary>Searches a whole subvolume, and those nested in it.</summary>
    /// <param name="descriptor">The subvolume's open root.</param>
    /// <param name="path">Its path.</param>
    /// <exception cref="BtrfsException">The subvolume cannot be determined.</exception>
    public void AddWhole(Descriptor descriptor, byte[] path)
    {
        CallResult result = Sys.SubvolumeId(descriptor, out ulong id);
        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, SystemCall.InoLookup, Utf8Z.ToText(path));
        }

        lock (_trees)
        {
            var waiting = new Stack<FoundTree>();
            if (!_trees.Exists(tree => tree.Id == id && tree.IsWhole))
            {
                waiting.Push(Add(descriptor, path, id, isWhole: true));
            }

            while (waiting.TryPop(out FoundTree? tree))
            {
                AddNested(tree, waiting);
            }
        }
    }

    /// <summary>Whether a whole tree is searched.</summary>
    public bool IsWhole(ulong id)
    {
        lock (_trees)
        {
            return _trees.Exists(tree => tree.Id == id && tree.IsWhole);
        }
    }

    public void Dispose()
    {
        foreach (FoundTree tree in _trees)
        {
            tree.Dispose();
        }
    }

    private FoundTree Add(Descriptor descriptor, byte[] path, ulong id, bool isWhole)
    {
        CallResult result = Sys.Duplicate(descriptor, out Descriptor own);
        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, SystemCall.Fcntl, Utf8Z.ToText(path));
        }

        var tree = new FoundTree(_trees.Count, own, path) { Id = id, IsWhole = isWhole, IsBtrfs = isBtrfs };
        _trees.Add(tree);
        result = byTree ? tree.Look(_search) : CallResult.Success;
        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, SystemCall.TreeSearch, tree.Text);
        }

        return tree;
    }

    private unsafe void AddNested(FoundTree parent, Stack<FoundTree> waiting)
    {
        SubvolumeReferences references = default;
        CallResult result;
        do
        {
            result = Sys.ListSubvolumes(parent.Descriptor, &references);
            for (int i = 0; i < references.Count && (result.Succeeded || result.Is(Errno.EOVERFLOW)); i++)
            {
                (ulong id, ulong directory) = references[i];
                SubvolumeName name = new() { Id = id, Directory = directory };
                if (!_trees.Exists(tree => tree.Id == id && tree.IsWhole) &&
                    Sys.FindSubvolume(parent.Descriptor, &name).Succeeded && TryOpen(parent, name, id) is FoundTree nested)
                {
                    waiting.Push(nested);
                }
            }
        }
        while (result.Is(Errno.EOVERFLOW));
    }

    /// <summary>Opens a nested subvolume, unless something is mounted on it or its name has been reused.</summary>
    private unsafe FoundTree? TryOpen(FoundTree parent, in SubvolumeName name, ulong id)
    {
        fixed (byte* directory = name.Path, own = name.Name)
        {
            byte[] relative =
            [
                .. new ReadOnlySpan<byte>(directory, Utf8Z.Length(directory)),
                .. new ReadOnlySpan<byte>(own, Utf8Z.Length(own)), 0,
            ];
            Descriptor descriptor;
            fixed (byte* path = relative)
            {
                int flags = OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow;
                if (Sys.OpenAt(parent.Descriptor, path, flags, out descriptor).Failed)
                {
                    return null;
                }
            }

            using DescriptorScope closing = new(descriptor);
            return Sys.SubvolumeId(descriptor, out ulong found).Succeeded && found == id
                ? Add(descriptor, [.. parent.Path, (byte)'/', .. relative.AsSpan(0, relative.Length - 1)], id, isWhole: true)
                : null;
        }
    }
}
