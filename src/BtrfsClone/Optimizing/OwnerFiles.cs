using BtrfsClone.Interop;

namespace BtrfsClone.Optimizing;

/// <summary>
/// Files with references to extents, opened for reading by inode number, whatever and wherever their names are. A bounded number of
/// them stays open.
/// </summary>
internal sealed class OwnerFiles : IDisposable
{
    private static readonly int s_flags =
        OpenFlags.ReadOnly | OpenFlags.NoAccessTime | OpenFlags.NonBlock | OpenFlags.NoControllingTerminal;

    private readonly Dictionary<(ulong Subvolume, ulong Inode, ulong Generation), Descriptor> _open = [];
    private Descriptor _mount;

    /// <param name="most">The maximum number of open files.</param>
    public OwnerFiles(int most) => Most = most;

    /// <summary>The maximum number of open files.</summary>
    public int Most { get; }

    /// <summary>Starts with any open file on a mount of the filesystem. Fails if the process may not open files in this way.</summary>
    public CallResult Start(Descriptor mount)
    {
        Close();
        _mount = mount;

        // No inode has the number 0.
        CallResult result = Sys.OpenInode(mount, BtrfsKey.TopLevel, 0, 0, s_flags, out Descriptor opened);
        Sys.Close(opened);
        return result.Is(Errno.ESTALE) ? CallResult.Success : result;
    }

    /// <summary>Makes room: this many files that are opened next stay open together.</summary>
    public void Reserve(int count)
    {
        if (_open.Count + count > Most)
        {
            Close();
        }
    }

    /// <summary>Opens a file, if it is not open. It stays open at least until the next call of <see cref="Reserve"/>.</summary>
    public CallResult Open(in Move move, out Descriptor file)
    {
        (ulong, ulong, ulong) key = (move.File.Root, move.File.Inode, move.Generation);
        if (_open.TryGetValue(key, out file))
        {
            return CallResult.Success;
        }

        CallResult result = Sys.OpenInode(_mount, move.File.Root, move.File.Inode, move.Generation, s_flags, out file);
        if (result.Succeeded)
        {
            _open.Add(key, file);
        }

        return result;
    }

    /// <summary>Closes all files.</summary>
    public void Close()
    {
        foreach (Descriptor file in _open.Values)
        {
            Sys.Close(file);
        }

        _open.Clear();
    }

    public void Dispose() => Close();
}
