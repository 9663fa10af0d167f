using BtrfsClone.Interop;

namespace BtrfsClone.Comparing;

/// <summary>A regular file, open for reading.</summary>
/// <param name="descriptor">Its descriptor, which whoever opened it closes.</param>
/// <param name="path">What to call it in errors.</param>
/// <param name="status">Its status.</param>
internal readonly struct ComparedFile(int descriptor, string path, in Statx status)
{
    public readonly Statx Status = status;

    public int Descriptor { get; } = descriptor;

    public string Path { get; } = path;

    public long Size => (long)Status.Size;

    public long BlockSize => Math.Max(Status.BlockSize, 512);

    /// <summary>Opens a file for reading, if possible without a trace in its access time. Returns a negative errno if not.</summary>
    public static unsafe int Open(int directory, byte* name, int more)
    {
        int flags = OpenFlags.ReadOnly | OpenFlags.NonBlock | OpenFlags.NoControllingTerminal | more;
        int descriptor = Sys.OpenAt(directory, name, flags | OpenFlags.NoAccessTime);
        return descriptor == -Errno.EPERM ? Sys.OpenAt(directory, name, flags) : descriptor;
    }
}
