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
    /// or negative where nothing is open.
    /// </summary>
    public static Fault Open(
        WorkerBuffers buffers, DirectoryPair directory, byte* name, bool expectRegular, out int source, out Statx status)
    {
        source = -1;
        status = default;
        if (directory.Mounts is { } mounts && mounts.Contains(new ReadOnlySpan<byte>(name, Utf8Z.Length(name))))
        {
            return Fault.Refused(BtrfsError.MountInBetween, atSource: true);
        }

        if (expectRegular || directory.InMoment)
        {
            // In a snapshot that is removed, what is not open would be looked up anew by each call.
            source = Sys.OpenAt(directory.Source, name, expectRegular ? s_sourceFlags : s_pathOnly);
            if (source < 0)
            {
                return Fault.Source("openat", source);
            }
        }

        int result = source >= 0 ? Sys.Stat(source, out status) : Sys.StatEntry(directory.Source, name, out status);
        Fault fault = result < 0 ? Fault.Source("statx", result)
            : (status.FileType == Sys.ModeRegular) != expectRegular || status.FileType == Sys.ModeDirectory
                ? Fault.Refused(BtrfsError.ChangedMeanwhile, atSource: true)
            : default;
        if (fault.Failed && source >= 0)
        {
            buffers.Closing.Add(source);
            source = -1;
        }

        return fault;
    }
}
