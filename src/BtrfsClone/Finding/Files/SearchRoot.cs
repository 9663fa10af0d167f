using BtrfsClone.Interop;

namespace BtrfsClone.Finding;

/// <summary>A file or directory given by the caller, opened.</summary>
internal sealed class SearchRoot : IDisposable
{
    private static readonly int s_flags =
        OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlock | OpenFlags.NoControllingTerminal;

    private Descriptor _descriptor;

    private SearchRoot(string path, Descriptor descriptor, in Statx status)
    {
        (Path, _descriptor, Status) = (path, descriptor, status);
        IsBtrfs = Sys.FileSystemMagic(descriptor, out long magic).Succeeded && magic == Sys.BtrfsMagic;
    }

    public string Path { get; }

    public Descriptor Descriptor => _descriptor;

    public Statx Status { get; }

    public bool IsBtrfs { get; }

    public bool IsDirectory => Status.FileType == Sys.ModeDirectory;

    /// <exception cref="BtrfsException">It is neither a regular file nor a directory, or cannot be opened.</exception>
    public static SearchRoot Open(string path)
    {
        // Checked first: opening a device can have side effects.
        CallResult result = Sys.Stat(path, follow: false, out Statx status);
        if (result.Succeeded && status.FileType is not (Sys.ModeRegular or Sys.ModeDirectory))
        {
            throw new BtrfsException(
                BtrfsError.NotRegularFile, path, description: "neither a regular file nor a directory");
        }

        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, SystemCall.Statx, path);
        }

        int flags = s_flags | (status.FileType == Sys.ModeDirectory ? OpenFlags.Directory : 0);
        result = OpenQuietly(path, flags, out Descriptor descriptor);
        return result.Succeeded
            ? new SearchRoot(path, descriptor, status)
            : throw BtrfsException.FromErrno(result.Error, SystemCall.OpenAt, path);
    }

    public bool IsOnFileSystemOf(SearchRoot other) =>
        FileSystems.AreOne(Descriptor, Status, other.Descriptor, other.Status) == true;

    public void Dispose()
    {
        Sys.Close(_descriptor);
        _descriptor = Descriptor.None;
    }

    private static unsafe CallResult OpenQuietly(string path, int flags, out Descriptor descriptor)
    {
        fixed (byte* name = Utf8Z.From(path))
        {
            return Sys.OpenQuietlyAt(Descriptor.WorkingDirectory, name, flags, out descriptor, out _);
        }
    }
}
