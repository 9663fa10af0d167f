using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>The subvolumes that are entries of another one's directories.</summary>
internal static unsafe class NestedSubvolumes
{
    /// <summary>
    /// Adds their paths relative to the subvolume's open root, zero-terminated. Returns 0, or a negative errno where
    /// some could not be named.
    /// </summary>
    public static int List(int subvolume, List<byte[]> paths)
    {
        SubvolumeReferences references = default;
        int failure = 0;
        int result;
        do
        {
            result = Sys.ListSubvolumes(subvolume, &references);
            for (int i = 0; i < references.Count && result is 0 or -Errno.EOVERFLOW; i++)
            {
                int named = AddPath(subvolume, references[i], paths);
                failure = named < 0 ? named : failure;
            }
        }
        while (result == -Errno.EOVERFLOW);
        return result < 0 ? result : failure;
    }

    private static int AddPath(int subvolume, (ulong Id, ulong Directory) reference, List<byte[]> paths)
    {
        SubvolumeName name = new() { Id = reference.Id, Directory = reference.Directory };
        int result = Sys.FindSubvolume(subvolume, &name);
        if (result >= 0)
        {
            paths.Add([.. new ReadOnlySpan<byte>(name.Path, Utf8Z.Length(name.Path)),
                .. new ReadOnlySpan<byte>(name.Name, Utf8Z.Length(name.Name) + 1)]);
        }

        return result == -Errno.ENOENT ? 0 : result; // It was removed meanwhile.
    }
}
