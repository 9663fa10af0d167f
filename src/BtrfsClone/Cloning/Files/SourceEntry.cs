using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>Finds an entry to clone, and checks that it is still what the listing of its directory showed.</summary>
internal static unsafe class SourceEntry
{
    /// <summary>Flags for opening a source file: no link is followed, and opening a FIFO that has replaced it does not block.</summary>
    private static readonly int s_sourceFlags = OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlock |
        OpenFlags.NoControllingTerminal;

    private static readonly int s_pathOnly = OpenFlags.PathOnly | OpenFlags.NoFollow;

    /// <summary>
    /// Finds an entry, and opens it if it is expected to be a regular file. <paramref name="source"/> must be closed by the caller,
    /// or is none if nothing is open. A link is followed only if requested; its target then has only the link's name.
    /// </summary>
    public static Failure Open(
        WorkerBuffers buffers, DirectoryPair directory, byte* name, bool expectRegular, out Descriptor source, out Statx status,
        bool followLinks = false)
    {
        source = Descriptor.None;
        status = default;
        if (directory.Mounts is { } mounts && mounts.Contains(new ReadOnlySpan<byte>(name, Utf8Z.Length(name))))
        {
            return Failure.Refused(BtrfsError.MountInBetween, atSource: true);
        }

        if (followLinks)
        {
            CallResult looked = Sys.StatEntry(directory.Source, name, out Statx link);
            if (looked.Failed)
            {
                return Failure.Source(SystemCall.Statx, looked);
            }

            if (link.FileType == Sys.ModeSymlink)
            {
                return Follow(buffers, directory, name, expectRegular, out source, out status);
            }
        }

        if (expectRegular || directory.InSnapshot)
        {
            // In a snapshot that was removed, each call would have to look up an entry that is not open again.
            CallResult opened = Sys.OpenAt(directory.Source, name, expectRegular ? s_sourceFlags : s_pathOnly, out source);
            if (opened.Failed)
            {
                return Failure.Source(SystemCall.OpenAt, opened);
            }
        }

        CallResult result = source.IsOpen ? Sys.Stat(source, out status) : Sys.StatEntry(directory.Source, name, out status);
        return Expect(buffers, result, expectRegular, ref source, status);
    }

    private static Failure Follow(
        WorkerBuffers buffers, DirectoryPair directory, byte* name, bool expectRegular, out Descriptor source, out Statx status)
    {
        source = Descriptor.None;
        CallResult result = Sys.StatTarget(directory.Source, name, out status);
        if (result.Succeeded && status.FileType == Sys.ModeRegular)
        {
            result = Sys.OpenAt(directory.Source, name, s_sourceFlags & ~OpenFlags.NoFollow, out source);
            if (result.Failed)
            {
                return Failure.Source(SystemCall.OpenAt, result).OnPath();
            }

            result = Sys.Stat(source, out status);
        }

        status.LinkCount = 1;
        return result.Failed
            ? Failure.Source(SystemCall.Statx, result).OnPath()
            : Expect(buffers, result, expectRegular, ref source, status);
    }

    private static Failure Expect(
        WorkerBuffers buffers, CallResult result, bool expectRegular, ref Descriptor source, in Statx status)
    {
        Failure failure = result.Failed ? Failure.Source(SystemCall.Statx, result)
            : (status.FileType == Sys.ModeRegular) != expectRegular || status.FileType == Sys.ModeDirectory
                ? Failure.Refused(BtrfsError.ChangedMeanwhile, atSource: true)
            : default;
        if (failure.Failed && source.IsOpen)
        {
            buffers.Closing.Add(source);
            source = Descriptor.None;
        }

        return failure;
    }
}
