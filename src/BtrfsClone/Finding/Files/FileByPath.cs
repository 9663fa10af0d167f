using BtrfsClone.Interop;

namespace BtrfsClone.Finding;

/// <summary>Opens files by paths as bytes, and checks that they are the files that were found.</summary>
internal static unsafe class FileByPath
{
    private static readonly int s_flags =
        OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlock | OpenFlags.NoControllingTerminal;

    private static readonly uint s_user = Sys.EffectiveUid;

    /// <summary>
    /// Opens a file for reading, without updating its access time if permitted. Also fails with ENOENT if the path now belongs to
    /// another file.
    /// </summary>
    public static CallResult Open(ReadOnlySpan<byte> path, ulong inode, out Descriptor descriptor, out Statx status)
    {
        descriptor = Descriptor.None;

        // Checked first: opening a device can have side effects.
        CallResult result = Look(path, out status);
        if (result.Failed || status.FileType != Sys.ModeRegular)
        {
            return result.Failed ? result : Errno.ENOENT;
        }

        byte[] name = [.. path, 0];
        fixed (byte* start = name)
        {
            // A user without permission for O_NOATIME need not try it with every file.
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

    /// <summary>Gets a file's status without opening it. Fails if it does not exist.</summary>
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
