using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>Reads the names of inodes from a subvolume's tree. Requires CAP_SYS_ADMIN.</summary>
/// <param name="subvolume">Any open file or directory in the subvolume.</param>
/// <param name="path">The path to use in error messages.</param>
internal sealed class InodeNames(Descriptor subvolume, string path)
{
    private readonly InodeCursor _cursor = InodeCursor.In(subvolume, path);

    /// <summary>The names of an inode, each with its directory: with hard links, all of them.</summary>
    /// <exception cref="BtrfsException">The tree cannot be read.</exception>
    public List<(ulong Directory, FileName Name)> Of(ulong inode)
    {
        var names = new List<(ulong, FileName)>();
        _cursor.Seek(inode, BtrfsKey.InodeRef, BtrfsKey.InodeExtendedRef);
        while (_cursor.MoveNext())
        {
            for (ReadOnlySpan<byte> rest = _cursor.Item; rest.Length > 0;)
            {
                if (!InodeItems.TryTakeName(_cursor.Header, ref rest, out ulong directory, out ReadOnlySpan<byte> name))
                {
                    throw _cursor.Malformed();
                }

                names.Add((directory, new FileName(name)));
            }
        }

        return names;
    }
}
