using BtrfsClone.Interop;

namespace BtrfsClone.Finding;

/// <summary>The paths of files that are searched. Not safe for concurrent use.</summary>
internal sealed class PlacePaths(FoundTrees trees, FileTable files)
{
    private const int MostDirectories = 1 << 16;

    private readonly Dictionary<(int Tree, ulong Inode), byte[]> _directories = [];

    /// <summary>A path of a file, as bytes without a terminating null; null if its directory was deleted.</summary>
    public byte[]? Of(in FileEntry file)
    {
        FoundTree tree = trees[file.Tree];
        if (!tree.IsWhole)
        {
            return files.PathAt(file.Name);
        }

        byte[] name = files.NameAt(file.Name, out ulong directory);
        byte[]? path = DirectoryOf(tree, directory);
        return path is null ? null : [.. path, .. name];
    }

    /// <summary>The path of a directory with a trailing slash.</summary>
    private byte[]? DirectoryOf(FoundTree tree, ulong inode)
    {
        if (_directories.TryGetValue((tree.Number, inode), out byte[]? path))
        {
            return path;
        }

        if (Sys.DirectoryPath(tree.Descriptor, tree.Id, inode, out byte[] below).Failed)
        {
            return null;
        }

        path = [.. tree.Path];
        path = path is [.., (byte)'/'] ? path : [.. path, (byte)'/'];
        path = below.Length == 0 ? path : [.. path, .. below, (byte)'/'];
        if (_directories.Count == MostDirectories)
        {
            _directories.Clear();
        }

        _directories.Add((tree.Number, inode), path);
        return path;
    }
}
