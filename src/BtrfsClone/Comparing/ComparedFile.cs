using BtrfsClone.Interop;

namespace BtrfsClone.Comparing;

/// <summary>A regular file, open for reading.</summary>
/// <param name="descriptor">Its descriptor, which is closed by the code that opened it.</param>
/// <param name="path">The path to use in error messages.</param>
/// <param name="status">Its status.</param>
internal readonly struct ComparedFile(Descriptor descriptor, string path, in Statx status)
{
    public readonly Statx Status = status;

    public Descriptor Descriptor { get; } = descriptor;

    public string Path { get; } = path;

    public long Size => (long)Status.Size;

    public long BlockSize => Math.Max(Status.BlockSize, 512);

    /// <summary>Whether the file still has the same status. Returns it with its current status.</summary>
    public bool IsUnchanged(out ComparedFile now)
    {
        now = Sys.Stat(Descriptor, out Statx status).Failed ? this : new ComparedFile(Descriptor, Path, status);
        return now.Size == Size && now.Status.ChangeTime.Equals(Status.ChangeTime);
    }

    /// <summary>Opens a file for reading, if possible without updating its access time.</summary>
    public static unsafe CallResult Open(Descriptor directory, byte* name, int more, out Descriptor opened)
    {
        int flags = OpenFlags.ReadOnly | OpenFlags.NonBlock | OpenFlags.NoControllingTerminal | more;
        return Sys.OpenQuietlyAt(directory, name, flags, out opened, out _);
    }
}
