using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Opens a directory of a pair again, from the top or an open one above it, and through no symbolic link below that.
/// </summary>
internal static unsafe class DirectoryByNames
{
    /// <summary>Returns a descriptor, or a negative errno. Entries can be named by one that is opened as a path only.</summary>
    public static int OpenDestination(DirectoryPair pair, int flags = OpenFlags.PathOnly)
    {
        var names = new List<byte[]>();
        for (; pair.Parent is not null; pair = pair.Parent)
        {
            names.Add(pair.DestinationName);
        }

        return Open(pair.Destination, pair.DestinationPath, names, flags);
    }

    /// <summary>As above, and only the directory that the pair had open before.</summary>
    public static int ReopenDestination(DirectoryPair pair)
    {
        int directory = OpenDestination(pair);
        if (directory >= 0 &&
            (Sys.Stat(directory, out Statx status) < 0 || !status.IsSameFileAs(pair.DestinationStatus)))
        {
            // Whoever may rename above it could have another one in its place.
            Sys.Close(directory);
            return -Errno.ESTALE;
        }

        return directory;
    }

    /// <summary>
    /// Returns a descriptor for reading, or a negative errno: the directory that has the source's name now, not the
    /// snapshot's.
    /// </summary>
    public static int OpenSource(DirectoryPair pair)
    {
        var names = new List<byte[]>();
        while (pair.Parent is not null && (names.Count == 0 || pair.LiveSource < 0))
        {
            names.Add(pair.Name);
            pair = pair.Parent;
        }

        return Open(pair.LiveSource, pair.SourcePath, names, OpenFlags.ReadOnly | OpenFlags.NonBlock);
    }

    /// <summary>Opens those on the way, named from the last one up, as paths only: searching them may be all that is allowed.</summary>
    private static int Open(int open, string path, List<byte[]> names, int flags)
    {
        int directory;
        fixed (byte* top = open >= 0 ? ".\0"u8.ToArray() : Utf8Z.From(path))
        {
            directory = Sys.OpenAt(
                open >= 0 ? open : Sys.WorkingDirectory, top,
                (names.Count == 0 ? flags : OpenFlags.PathOnly) | OpenFlags.Directory);
        }

        for (int i = names.Count - 1; i >= 0 && directory >= 0; i--)
        {
            int parent = directory;
            fixed (byte* name = names[i])
            {
                directory = Sys.OpenAt(
                    parent, name, (i == 0 ? flags : OpenFlags.PathOnly) | OpenFlags.Directory | OpenFlags.NoFollow);
            }

            Sys.Close(parent);
        }

        return directory;
    }
}
