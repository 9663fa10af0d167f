using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// The NOCOW flag of a file that takes a range. The kernel shares extents between files that both have checksums or both
/// have none (BTRFS_INODE_NODATASUM), and lets an empty file change from one to the other by that flag.
/// </summary>
internal readonly struct NoCowSwitch
{
    private readonly Descriptor _file;
    private readonly InodeFlags _old;
    private readonly byte[] _compression;

    private NoCowSwitch(Descriptor file, InodeFlags old, byte[] compression) =>
        (_file, _old, _compression) = (file, old, compression);

    /// <summary>Turns the flag of an empty file over. False where the file is not empty, or its flags do not change.</summary>
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

    /// <summary>Gives the file its flags back, and the property that names its compression.</summary>
    public void Undo()
    {
        Set(_old);
        if (_compression.Length > 0)
        {
            _ = CompressionXattr.Write(_file, _compression);
        }
    }

    private InodeFlags Bare => _old & ~(InodeFlags.NoCow | InodeFlags.Compress | InodeFlags.NoCompress);

    // NOCOW and compression exclude each other, the present flag and the next one too.
    private bool Set(InodeFlags flags) => Sys.SetFlags(_file, Bare).Succeeded && Sys.SetFlags(_file, flags).Succeeded;
}
