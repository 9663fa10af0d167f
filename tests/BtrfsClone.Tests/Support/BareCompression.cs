namespace BtrfsClone.Tests.Support;

/// <summary>
/// Entries with the flag that lets data be compressed and without the property "compression". A kernel makes them in a directory
/// that has the property, when it has read the directory's inode anew and its xattrs lie in the next leaf of the tree (seen in
/// Linux 6.18). Nobody can set the one without the other.
/// </summary>
internal static class BareCompression
{
    /// <summary>The commands that it needs, as root.</summary>
    public const string Tools = "lsattr getfattr mkdir sync";

    private const string Property = "btrfs.compression";

    /// <summary>Makes a file and a directory, both empty. False where this kernel makes no such ones.</summary>
    /// <param name="folder">An empty folder, which they are made in.</param>
    public static bool TryMake(string folder)
    {
        for (int round = 0; round < 20; round++)
        {
            string[] parents = [.. Enumerable.Range(0, 60).Select(i => Path.Combine(folder, $"{round}-{new string('x', i * 4)}"))];
            foreach ((string parent, int i) in parents.Select((parent, i) => (parent, i)))
            {
                Native.MakeDirectory(parent);
                Native.SetXattr(parent, Property, "zlib"u8);
                for (int xattr = 0; xattr < i % 9; xattr++)
                {
                    Native.SetXattr(parent, $"user.{xattr}", new byte[50 * xattr]);
                }
            }

            Shell.Check("sync", "-f", folder);
            File.WriteAllText("/proc/sys/vm/drop_caches", "3");
            foreach (string parent in parents)
            {
                (string file, string directory) = (Path.Combine(parent, "file"), Path.Combine(parent, "directory"));
                File.WriteAllText(file, "");
                Shell.Check("mkdir", directory);
                if (IsBare(file) && IsBare(directory))
                {
                    File.Move(file, Path.Combine(folder, "file"));
                    Directory.Move(directory, Path.Combine(folder, "directory"));
                    parents.ToList().ForEach(each => Directory.Delete(each, recursive: true));
                    return true;
                }
            }

            parents.ToList().ForEach(each => Directory.Delete(each, recursive: true));
        }

        return false;
    }

    /// <summary>Whether something has the flag, by lsattr.</summary>
    public static bool HasFlag(string path) => Shell.Check("lsattr", "-d", path).Split(' ')[0].Contains('c');

    private static bool IsBare(string path) =>
        HasFlag(path) && Shell.Run("getfattr", "--only-values", "-n", Property, path).ExitCode != 0;
}
