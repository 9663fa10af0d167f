using BtrfsClone.Interop;

namespace BtrfsClone.Extents;

/// <summary>Whether files in two directories can share extents.</summary>
internal static class ExtentSharing
{
    /// <summary>Why files of two directories cannot share extents, or null.</summary>
    /// <param name="source">A directory, not opened with O_PATH.</param>
    /// <param name="sourceStatus">Its status.</param>
    /// <param name="destination">The other directory.</param>
    public static BtrfsError? WhyNot(Descriptor source, in Statx sourceStatus, Descriptor destination)
    {
        if (Sys.FileSystemMagic(destination, out long magic).Failed ||
            Sys.Stat(destination, out Statx destinationStatus).Failed)
        {
            return null; // The clone itself will report it.
        }

        return FileSystems.AreOne(source, sourceStatus, destination, destinationStatus) switch
        {
            false => BtrfsError.CrossDevice,
            true when magic != Sys.BtrfsMagic && !CanClone(destination) => BtrfsError.CloneNotSupported,
            _ => null,
        };
    }

    /// <summary>Tries it with an unnamed file that no one sees. The kernel returns EOPNOTSUPP before it checks anything else.</summary>
    private static unsafe bool CanClone(Descriptor directory)
    {
        Descriptor probe;
        fixed (byte* here = ".\0"u8)
        {
            int flags = OpenFlags.Temporary | OpenFlags.ReadWrite;
            if (Sys.OpenAt(directory, here, flags, out probe, Sys.ModeOwnerReadWrite).Failed)
            {
                return true; // Unnamed files are not supported here, or not permitted: the clone itself will report it.
            }
        }

        using DescriptorScope closing = new(probe);
        CallResult result = Sys.Clone(probe, probe);
        return result.Error is not (Errno.EOPNOTSUPP or Errno.ENOTTY);
    }
}
