using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Changes the NOCOW flag of a file that receives a range. The kernel shares extents between files that both have checksums or both
/// have none (BTRFS_INODE_NODATASUM), and allows this to be changed by that flag while a file is empty.
/// </summary>
internal readonly struct NoCowSwitch
{
    private readonly Descriptor _file;
    private readonly InodeFlags _old;
    private readonly byte[] _compression;

    private NoCowSwitch(Descriptor file, InodeFlags old, byte[] compression) =>
        (_file, _old, _compression) = (file, old, compression);

    /// <summary>Inverts the flag of an empty file. False if the file is not empty, or its flags cannot be changed.</summary>
    public static bool TryTurn(Descriptor file, out NoCowSwitch turned)
    {
        turned = default;
        if (Sys.Stat(file, out Statx status).Failed || status.Size > 0 || Sys.GetFlags(file, out InodeFlags old).Failed)
        {
            return false;
        }

        turned = new NoCowSwitch(file, old, CompressionXattr.Read(file));
        bool isTurned = turned.Set((old & InodeFlags.NoCow) != 0 ? old & ~InodeFlags.NoCow : turned.Bare | InodeFlags.NoCow);
        if (!isTurned)
        {
            turned.Undo();
        }

        return isTurned;
    }

    /// <summary>Restores the file's flags, and the property with its compression.</summary>
    public void Undo()
    {
        Set(_old);
        if (_compression.Length > 0)
        {
            _ = CompressionXattr.Write(_file, _compression);
        }
    }

    private InodeFlags Bare => _old & ~(InodeFlags.NoCow | InodeFlags.Compress | InodeFlags.NoCompress);

    // NOCOW and compression exclude each other, also the current flag and the next one.
    private bool Set(InodeFlags flags) => Sys.SetFlags(_file, Bare).Succeeded && Sys.SetFlags(_file, flags).Succeeded;
}
