using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>Opens a destination directory again, from the top and through no symbolic link below it.</summary>
internal static unsafe class DestinationDirectory
{
    /// <summary>Returns a descriptor that entries can be named by, or a negative errno.</summary>
    public static int Open(DirectoryPair pair)
    {
        var names = new List<byte[]>();
        for (; pair.Parent is not null; pair = pair.Parent)
        {
            names.Add(pair.DestinationName);
        }

        int directory = Sys.Open(pair.DestinationPath, OpenFlags.PathOnly | OpenFlags.Directory);
        for (int i = names.Count - 1; i >= 0 && directory >= 0; i--)
        {
            int parent = directory;
            fixed (byte* name = names[i])
            {
                directory = Sys.OpenAt(parent, name, OpenFlags.PathOnly | OpenFlags.Directory | OpenFlags.NoFollow);
            }

            Sys.Close(parent);
        }

        return directory;
    }
}
