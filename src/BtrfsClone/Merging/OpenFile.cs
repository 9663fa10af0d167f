using BtrfsClone.Interop;

namespace BtrfsClone.Merging;

/// <summary>A regular file, open for reading.</summary>
/// <param name="Descriptor">Its descriptor, which whoever opened it closes.</param>
/// <param name="Path">Its path, for messages.</param>
/// <param name="Size">Its size in bytes.</param>
/// <param name="IsQuiet">Whether reading it leaves its access time alone, which owners and root may ask for.</param>
internal readonly record struct OpenFile(int Descriptor, string Path, long Size, bool IsQuiet)
{
    private const int Flags = OpenFlags.ReadOnly | OpenFlags.NonBlock | OpenFlags.NoControllingTerminal;

    /// <exception cref="BtrfsException">It cannot be opened, or is no regular file.</exception>
    public static unsafe OpenFile Open(int directory, byte* name, string path, int flags, out Statx status)
    {
        int descriptor = Sys.OpenAt(directory, name, Flags | flags | OpenFlags.NoAccessTime);
        bool isQuiet = descriptor >= 0;
        if (descriptor == -Errno.EPERM)
        {
            descriptor = Sys.OpenAt(directory, name, Flags | flags);
        }

        status = default;
        int result = descriptor < 0 ? descriptor : Sys.Stat(descriptor, out status);
        if (result >= 0 && status.FileType == Sys.ModeRegular)
        {
            return new OpenFile(descriptor, path, (long)status.Size, isQuiet);
        }

        if (descriptor >= 0)
        {
            Sys.Close(descriptor);
        }

        throw result < 0
            ? BtrfsException.FromErrno(-result, "openat", path)
            : new BtrfsException(BtrfsError.ChangedMeanwhile, path);
    }
}
