using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>
/// Opens directories for listing. Listing counts as access; a directory's owner and root may leave its time alone.
/// </summary>
internal static unsafe class OpenDirectory
{
    private static readonly int s_flags = OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NonBlock;

    /// <summary>Opens a directory by its path, also through symbolic links.</summary>
    public static CallResult At(string path, out Descriptor opened)
    {
        fixed (byte* name = Utf8Z.From(path))
        {
            return Sys.OpenQuietlyAt(Descriptor.WorkingDirectory, name, s_flags, out opened, out _);
        }
    }

    /// <summary>Opens a directory below another one, not through a symbolic link.</summary>
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
    /// Opens a directory that a walk has found, and looks at it. EXDEV where another filesystem is mounted there; a subvolume has
    /// another device number, and belongs to the same one. ENOENT for what a snapshot has in the place of a nested subvolume, which
    /// answers no ioctl, and in which nothing can be.
    /// </summary>
    /// <param name="parent">The directory that it was found in, open.</param>
    /// <param name="parentStatus">That one's status.</param>
    /// <param name="zeroTerminatedName">Its name there.</param>
    /// <param name="opened">The open directory; none where it fails.</param>
    /// <param name="status">Its status.</param>
    /// <param name="call">The call that has failed.</param>
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

    /// <summary>Opens the directory above an open one. ESTALE where it is not the one that is expected there.</summary>
    public static CallResult Above(Descriptor child, in Statx expected, out Descriptor opened)
    {
        fixed (byte* name = "..\0"u8)
        {
            CallResult result = Sys.OpenQuietlyAt(child, name, s_flags, out opened, out _);
            return Expect(result, ref opened, expected);
        }
    }

    /// <summary>
    /// What was opened, if it is what is expected there: ESTALE where it is not, another errno where that cannot be told.
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
