using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>Opens directories for listing. Listing updates the access time; a directory's owner and root may avoid this.</summary>
internal static unsafe class OpenDirectory
{
    private static readonly int s_flags = OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NonBlock;

    /// <summary>Opens a directory by its path, following symbolic links.</summary>
    public static CallResult At(string path, out Descriptor opened)
    {
        fixed (byte* name = Utf8Z.From(path))
        {
            return Sys.OpenQuietlyAt(Descriptor.WorkingDirectory, name, s_flags, out opened, out _);
        }
    }

    /// <summary>Opens a directory below another one, without following a symbolic link.</summary>
    public static CallResult Below(Descriptor parent, ReadOnlySpan<byte> zeroTerminatedName, out Descriptor opened)
    {
        fixed (byte* name = zeroTerminatedName)
        {
            return Sys.OpenQuietlyAt(parent, name, s_flags | OpenFlags.NoFollow, out opened, out _);
        }
    }

    /// <summary>Opens a directory that a symbolic link leads to.</summary>
    public static CallResult Through(Descriptor parent, ReadOnlySpan<byte> zeroTerminatedName, out Descriptor opened)
    {
        fixed (byte* name = zeroTerminatedName)
        {
            return Sys.OpenQuietlyAt(parent, name, s_flags, out opened, out _);
        }
    }

    /// <summary>
    /// Opens a directory found by a walk, and reads its status. EXDEV if another filesystem is mounted there; a subvolume has
    /// another device number, but is on the same filesystem. ENOENT for the directory that a snapshot contains instead of a nested
    /// subvolume, which supports no ioctl, and is always empty.
    /// </summary>
    /// <param name="parent">Its parent directory, open.</param>
    /// <param name="parentStatus">The status of the parent.</param>
    /// <param name="zeroTerminatedName">Its name there.</param>
    /// <param name="opened">The open directory; none on failure.</param>
    /// <param name="status">Its status.</param>
    /// <param name="call">The call that failed.</param>
    public static CallResult Found(
        Descriptor parent,
        in Statx parentStatus,
        ReadOnlySpan<byte> zeroTerminatedName,
        out Descriptor opened,
        out Statx status,
        out SystemCall call)
    {
        (status, call) = (default, SystemCall.OpenAt);
        CallResult result = Below(parent, zeroTerminatedName, out opened);
        if (result.Failed)
        {
            return result;
        }

        call = SystemCall.Statx;
        result = Sys.Stat(opened, out status);
        if (result.Failed)
        {
            return Sys.Reject(ref opened, result.Error);
        }

        return FileSystems.AreOne(parent, parentStatus, opened, status) switch
        {
            true => result,
            null when status.Inode == Sys.EmptySubvolumeInode => Sys.Reject(ref opened, Errno.ENOENT),
            _ => Sys.Reject(ref opened, Errno.EXDEV),
        };
    }

    /// <summary>Opens the parent of an open directory. ESTALE if it is not the expected one.</summary>
    public static CallResult Above(Descriptor child, in Statx expected, out Descriptor opened)
    {
        fixed (byte* name = "..\0"u8)
        {
            CallResult result = Sys.OpenQuietlyAt(child, name, s_flags, out opened, out _);
            return Expect(result, ref opened, expected);
        }
    }

    /// <summary>
    /// Checks that an opened directory is the expected one: ESTALE if it is not, another errno if this cannot be determined.
    /// </summary>
    public static CallResult Expect(CallResult result, ref Descriptor opened, in Statx expected)
    {
        if (result.Failed)
        {
            return result;
        }

        CallResult looked = Sys.Stat(opened, out Statx status);
        return looked.Failed ? Sys.Reject(ref opened, looked)
            : status.IsSameFileAs(expected) ? result
            : Sys.Reject(ref opened, Errno.ESTALE);
    }
}
