using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>What is refused before anything is written.</summary>
internal static unsafe class Preconditions
{
    /// <summary>Whether a directory is another one or lies below it, as the kernel sees them.</summary>
    public static bool IsAtOrBelow(string directory, in Statx ancestor)
    {
        int current = Sys.Open(directory, OpenFlags.PathOnly | OpenFlags.Directory);
        while (current >= 0 && Sys.Stat(current, out Statx status) >= 0)
        {
            if (status.IsSameFileAs(ancestor))
            {
                Sys.Close(current);
                return true;
            }

            int parent;
            fixed (byte* name = "..\0"u8)
            {
                parent = Sys.OpenAt(current, name, OpenFlags.PathOnly | OpenFlags.Directory);
            }

            Sys.Close(current);
            if (parent < 0 || Sys.Stat(parent, out Statx above) < 0 || above.IsSameFileAs(status))
            {
                current = parent;
                break;
            }

            current = parent;
        }

        if (current >= 0)
        {
            Sys.Close(current);
        }

        return false;
    }

    /// <summary>Why what stands at the destination may not be replaced by a file, or null.</summary>
    public static BtrfsError? WhyNotReplaceable(in Statx old, CloneOptions options)
    {
        if (old.FileType == Sys.ModeDirectory || options.NoClobber)
        {
            return BtrfsError.DestinationExists;
        }

        bool readOnly = old.FileType == Sys.ModeRegular && (old.Mode & 0x92) == 0; // 0222
        return readOnly && !options.Force ? BtrfsError.DestinationReadOnly : null;
    }

    /// <summary>
    /// Why files cannot be cloned between two directories, or null. The device number does not tell: each subvolume
    /// has one of its own.
    /// </summary>
    public static BtrfsError? WhyNotClonable(int source, in Statx sourceStatus, int destination)
    {
        if (Sys.FileSystemMagic(source, out long sourceMagic) < 0 ||
            Sys.FileSystemMagic(destination, out long destinationMagic) < 0 ||
            Sys.Stat(destination, out Statx destinationStatus) < 0)
        {
            return null; // The clone itself will say.
        }

        if (sourceMagic == Sys.BtrfsMagic && destinationMagic == Sys.BtrfsMagic)
        {
            bool same = Sys.BtrfsFsid(source, out Guid sourceId) == 0 &&
                Sys.BtrfsFsid(destination, out Guid destinationId) == 0 && sourceId == destinationId;
            return same ? null : BtrfsError.CrossDevice;
        }

        return sourceStatus.Device != destinationStatus.Device
            ? BtrfsError.CrossDevice
            : CanClone(destination) ? null : BtrfsError.CloneNotSupported;
    }

    /// <summary>
    /// Asks the filesystem with an unnamed file that no one sees. The kernel says EOPNOTSUPP before it looks at
    /// anything else.
    /// </summary>
    private static bool CanClone(int directory)
    {
        int probe;
        fixed (byte* here = ".\0"u8)
        {
            probe = Sys.OpenAt(directory, here, OpenFlags.Temporary | OpenFlags.ReadWrite, 0x180);
        }

        if (probe < 0)
        {
            return true; // No such files here, or not for us: the clone itself will say.
        }

        int result = Sys.Clone(probe, probe);
        Sys.Close(probe);
        return result is not -Errno.EOPNOTSUPP and not -Errno.ENOTTY;
    }
}
