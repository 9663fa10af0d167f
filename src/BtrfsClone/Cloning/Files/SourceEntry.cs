using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>Finds what is to be cloned, and sees whether it is still what its directory's listing has said.</summary>
internal static unsafe class SourceEntry
{
    /// <summary>Flags for opening a source file: no link is followed, and a FIFO put in its place does not block.</summary>
    private static readonly int s_sourceFlags = OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlock |
        OpenFlags.NoControllingTerminal;

    private static readonly int s_pathOnly = OpenFlags.PathOnly | OpenFlags.NoFollow;

    /// <summary>
    /// Finds an entry, and opens it where it is to be a regular file. <paramref name="source"/> is for the caller to close,
    /// or none where nothing is open. A link is followed only if that is asked for; what it leads to has its name alone then.
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
            // In a snapshot that is removed, what is not open would be looked up anew by each call.
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
