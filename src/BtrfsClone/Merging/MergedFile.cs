using BtrfsClone.Interop;

namespace BtrfsClone.Merging;

/// <summary>A regular file, open for reading.</summary>
/// <param name="Descriptor">Its descriptor, which is closed by the code that opened it.</param>
/// <param name="Path">Its path, for messages.</param>
/// <param name="Size">Its size in bytes.</param>
/// <param name="IsQuiet">Whether reading it does not update its access time, which owners and root may request.</param>
internal readonly record struct MergedFile(Descriptor Descriptor, string Path, long Size, bool IsQuiet)
{
    private const int Flags = OpenFlags.ReadOnly | OpenFlags.NonBlock | OpenFlags.NoControllingTerminal;

    /// <exception cref="BtrfsException">It cannot be opened, or is not a regular file.</exception>
    public static unsafe MergedFile Open(
        Descriptor directory, byte* name, string path, int flags, out Statx status)
    {
        status = default;
        CallResult result = Sys.OpenQuietlyAt(directory, name, Flags | flags, out Descriptor file, out bool isQuiet);
        result = result.Failed ? result : Sys.Stat(file, out status);
        if (result.Succeeded && status.FileType == Sys.ModeRegular)
        {
            return new MergedFile(file, path, (long)status.Size, isQuiet);
        }

        result = Sys.Reject(ref file, result);
        throw result.Failed
            ? BtrfsException.FromErrno(result.Error, SystemCall.OpenAt, path)
            : new BtrfsException(BtrfsError.ChangedMeanwhile, path);
    }
}
