using BtrfsClone.Interop;

namespace BtrfsClone.Merging;

/// <summary>A regular file, open for reading.</summary>
/// <param name="Descriptor">Its descriptor, which whoever opened it closes.</param>
/// <param name="Path">Its path, for messages.</param>
/// <param name="Size">Its size in bytes.</param>
/// <param name="IsQuiet">Whether reading it leaves its access time alone, which owners and root may ask for.</param>
internal readonly record struct OpenFile(int Descriptor, string Path, long Size, bool IsQuiet)
{
    private static readonly int s_flags = OpenFlags.ReadOnly | OpenFlags.NonBlock | OpenFlags.NoControllingTerminal;

    /// <summary>Opens a file for reading. Returns its descriptor or a negative errno.</summary>
    public static unsafe int Open(int directory, byte* name, int flags, out bool isQuiet)
    {
        int descriptor = Sys.OpenAt(directory, name, s_flags | flags | OpenFlags.NoAccessTime);
        isQuiet = descriptor >= 0;
        return descriptor == -Errno.EPERM ? Sys.OpenAt(directory, name, s_flags | flags) : descriptor;
    }
}
