using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>
/// Opens directories for listing. Listing counts as access; a directory's owner and root may leave its time alone.
/// </summary>
internal static unsafe class OpenDirectory
{
    private static readonly int s_flags = OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NonBlock;

    /// <summary>Opens a directory by its path, also through symbolic links. Returns a descriptor or a negative errno.</summary>
    public static int At(string path)
    {
        fixed (byte* name = Utf8Z.From(path))
        {
            return Open(Sys.WorkingDirectory, name, s_flags);
        }
    }

    /// <summary>Opens a directory below another one, not through a symbolic link. Returns a descriptor or a negative errno.</summary>
    public static int Below(int parent, ReadOnlySpan<byte> zeroTerminatedName)
    {
        fixed (byte* name = zeroTerminatedName)
        {
            return Open(parent, name, s_flags | OpenFlags.NoFollow);
        }
    }

    /// <summary>
    /// Opens the directory above an open one. Returns a descriptor or a negative errno, ESTALE where it is not the one
    /// that is expected there.
    /// </summary>
    public static int Above(int child, in Statx expected)
    {
        fixed (byte* name = "..\0"u8)
        {
            int parent = Open(child, name, s_flags);
            if (parent >= 0 && (Sys.Stat(parent, out Statx status) < 0 || !status.IsSameFileAs(expected)))
            {
                Sys.Close(parent);
                return -Errno.ESTALE;
            }

            return parent;
        }
    }

    private static int Open(int directory, byte* name, int flags)
    {
        int result = Sys.OpenAt(directory, name, flags | OpenFlags.NoAccessTime);
        return result == -Errno.EPERM ? Sys.OpenAt(directory, name, flags) : result;
    }
}
