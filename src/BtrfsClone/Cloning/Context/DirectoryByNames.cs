using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>
/// Opens a directory of a pair again, from the top directory or an open parent directory, and without following symbolic links
/// below that.
/// </summary>
internal static unsafe class DirectoryByNames
{
    /// <summary>Opens a destination directory. With O_PATH, it can be used to name entries.</summary>
    public static CallResult OpenDestination(DirectoryPair pair, out Descriptor opened, int flags = OpenFlags.PathOnly)
    {
        var names = new List<byte[]>();
        for (; pair.Parent is not null; pair = pair.Parent)
        {
            names.Add(pair.DestinationName);
        }

        LookupPath top = pair.Destination.IsOpen ? new LookupPath(pair.Destination, ".") : pair.DestinationLookup;
        return Open(top, names, flags, out opened);
    }

    /// <summary>As above, and fails unless it is the directory that the pair had open before.</summary>
    public static CallResult ReopenDestination(DirectoryPair pair, out Descriptor opened)
    {
        CallResult result = OpenDestination(pair, out opened);

        // A user who may rename one of its parent directories could have replaced it.
        return OpenDirectory.Expect(result, ref opened, pair.DestinationStatus);
    }

    /// <summary>Opens a directory for reading: the one that has the source's name now, not the snapshot's.</summary>
    public static CallResult OpenSource(DirectoryPair pair, out Descriptor opened)
    {
        var names = new List<byte[]>();
        while (pair.Parent is not null && (names.Count == 0 || !pair.LiveSource.IsOpen))
        {
            names.Add(pair.Name);
            pair = pair.Parent;
        }

        LookupPath top = pair.LiveSource.IsOpen ? new LookupPath(pair.LiveSource, ".") : new LookupPath(pair.SourcePath);
        return Open(top, names, OpenFlags.ReadOnly | OpenFlags.NonBlock, out opened);
    }

    /// <summary>
    /// Opens the directories of a path, whose names are given from the last one up, with O_PATH: there may only be search
    /// permission.
    /// </summary>
    private static CallResult Open(LookupPath top, List<byte[]> names, int flags, out Descriptor directory)
    {
        CallResult result = top.Open((names.Count == 0 ? flags : OpenFlags.PathOnly) | OpenFlags.Directory, out directory);
        for (int i = names.Count - 1; i >= 0 && !result.Failed; i--)
        {
            Descriptor parent = directory;
            using DescriptorScope closing = new(parent);
            fixed (byte* name = names[i])
            {
                result = Sys.OpenAt(
                    parent, name, (i == 0 ? flags : OpenFlags.PathOnly) | OpenFlags.Directory | OpenFlags.NoFollow,
                    out directory);
            }
        }

        return result;
    }
}
