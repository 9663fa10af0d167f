using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>Opens files found by a walk.</summary>
internal static unsafe class FileOpener
{
    private static readonly int s_flags =
        OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlock | OpenFlags.NoControllingTerminal;

    /// <summary>Opens a file.</summary>
    public static CallResult Open(Descriptor directory, byte* name, out Descriptor opened) =>
        Sys.OpenAt(directory, name, s_flags, out opened);

    /// <summary>
    /// Whether a failure means that the entry was deleted or replaced since it was listed (ENXIO: a device without a driver).
    /// </summary>
    public static bool IsGone(CallResult result) =>
        result.Error is Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP or Errno.ENXIO;
}
