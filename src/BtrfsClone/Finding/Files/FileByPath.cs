using BtrfsClone.Interop;

namespace BtrfsClone.Finding;

/// <summary>Opens files by paths of bytes, and makes sure that they are those that were found.</summary>
internal static unsafe class FileByPath
{
    private static readonly int s_flags =
        OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlock | OpenFlags.NoControllingTerminal;

    private static readonly uint s_user = Sys.EffectiveUid;

    /// <summary>
    /// Opens a file for reading, its access time left alone where that may be. Fails with ENOENT also where another file
    /// stands in its place.
    /// </summary>
    public static CallResult Open(ReadOnlySpan<byte> path, ulong inode, out Descriptor descriptor, out Statx status)
    {
        descriptor = Descriptor.None;

        // Looked at first: opening a device may already do something to it.
        CallResult result = Look(path, out status);
        if (result.Failed || status.FileType != Sys.ModeRegular)
        {
            return result.Failed ? result : Errno.ENOENT;
        }

        byte[] name = [.. path, 0];
        fixed (byte* start = name)
        {
            // Who may not leave the access time alone need not try with every file.
            result = s_user == 0 || s_user == status.Uid
                ? Sys.OpenQuietlyAt(Descriptor.WorkingDirectory, start, s_flags, out descriptor, out _)
                : Sys.OpenAt(Descriptor.WorkingDirectory, start, s_flags, out descriptor);
        }

        if (result.Failed)
        {
            return result;
        }

        CallResult looked = Sys.Stat(descriptor, out status);
        return looked.Failed ? Sys.Reject(ref descriptor, looked)
            : status.Inode == inode ? result
            : Sys.Reject(ref descriptor, Errno.ENOENT);
    }

    /// <summary>Looks at a file without opening it. Fails where it is not there.</summary>
    public static CallResult Look(ReadOnlySpan<byte> path, out Statx status)
    {
        byte[] name = [.. path, 0];
        fixed (byte* start = name)
        {
            return Sys.StatEntry(Descriptor.WorkingDirectory, start, out status);
        }
    }

    /// <summary>The <see cref="FileEntry.Version"/> of a file.</summary>
    public static long VersionOf(in Statx status) =>
        (status.ChangeTime.Seconds * 1_000_000_000) + status.ChangeTime.Nanoseconds;
}
