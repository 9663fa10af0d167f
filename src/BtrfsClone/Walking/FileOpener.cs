using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>Opens files that a walk has found.</summary>
internal static unsafe class FileOpener
{
    private static readonly int s_flags =
        OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlock | OpenFlags.NoControllingTerminal;

    // ENXIO: a device without a driver.
    private const int Enxio = 6;

    /// <summary>Opens a file. Returns a descriptor or a negative errno.</summary>
    public static int Open(int directory, byte* name) => Sys.OpenAt(directory, name, s_flags);

    /// <summary>Whether a failure means that the entry has gone or become something else since it was listed.</summary>
    public static bool IsGone(int result) => result is -Errno.ENOENT or -Errno.ENOTDIR or -Errno.ELOOP or -Enxio;
}
