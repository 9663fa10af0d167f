using System.Collections.Concurrent;
using BtrfsClone.Cloning;
using BtrfsClone.Interop;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Cloning;

/// <summary>Neither depth nor width of a tree costs descriptors, stack or path length.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed unsafe class LargeTreeTests(ScratchBtrfs btrfs)
{
    /// <summary>With names of seven bytes, four times as deep as a path can be long.</summary>
    private const int Depth = 2000;

    [BtrfsFact(Needs = "prlimit find xargs")]
    public void A_chain_of_directories_deeper_than_descriptors_and_paths_go()
    {
        string folder = btrfs.NewFolder();
        string source = Directory.CreateDirectory(Path.Combine(folder, "source")).FullName;
        MakeChain(source);
        string clone = Path.Combine(folder, "clone");

        ShellResult result = Shell.Run("prlimit", "--nofile=256", Program.File, "copy", source, clone);

        Assert.Equal(new ShellResult(0, result.Output, ""), result);
        string[] expected = Listing(source);
        Assert.Equal((Depth * 2) + 1, expected.Length);
        Assert.Equal(expected, Listing(clone));
    }

    [BtrfsFact(Needs = "prlimit")]
    public void A_chain_as_deep_is_removed_where_it_is_not_to_appear()
    {
        string folder = btrfs.NewFolder();
        string source = Directory.CreateDirectory(Path.Combine(folder, "source")).FullName;
        MakeChain(source);

        ShellResult result = Shell.Run(
            "prlimit", "--nofile=256", Program.File, "copy", "--atomic", source, Path.Combine(folder, "missing"),
            Path.Combine(folder, "clone"));

        Assert.Equal((1, 2), (result.ExitCode, result.Error.Count(c => c == '\n')));
        Assert.Equal([source], Directory.EnumerateFileSystemEntries(folder));
    }

    [BtrfsTheory(Needs = "find")]
    [InlineData(1)]
    [InlineData(4)]
    public void Many_directories_side_by_side_and_one_below_the_other(int workers)
    {
        string folder = btrfs.NewFolder();
        string source = Path.Combine(folder, "source");
        for (int i = 0; i < 2000; i++)
        {
            // A path for each number's digits, so that directories have directories and files, or nothing.
            string path = Directory.CreateDirectory(Path.Combine([source, .. $"{i * 37 % 5000}".Select(c => $"{c}")])).FullName;
            if (i % 3 == 0)
            {
                File.WriteAllText(Path.Combine(path, "file"), $"{i}");
            }
        }

        string clone = Path.Combine(folder, "clone");
        ConcurrentDictionary<int, bool> threads = [];
        bool Note(ReadOnlySpan<string> path, EntryKind kind) => threads[Environment.CurrentManagedThreadId] = true;
        Cloner.Clone(source, clone, new() { Workers = workers, Filter = Note });

        Assert.InRange(threads.Count, Math.Min(workers, 2), workers);
        Assert.Equal(Listing(source), Listing(clone));
        Shell.Check("diff", "--recursive", source, clone);
    }

    /// <summary>Type, mode, size and both times of every entry, with its depth and name.</summary>
    private static string[] Listing(string root) =>
        [.. Shell.Check("find", root, "-mindepth", "1", "-printf", @"%d %y %m %s %T@ %f\n").Split('\n').Order(StringComparer.Ordinal)];

    private static void MakeChain(string root)
    {
        Assert.True(Sys.Open(root, OpenFlags.Directory, out Descriptor directory).Succeeded);
        for (int i = 0; i < Depth; i++)
        {
            fixed (byte* file = "file\0"u8, name = ByteText.ToBytesZ($"lvl{i:0000}"))
            {
                int create = OpenFlags.Create | OpenFlags.WriteOnly;
                Assert.True(Sys.OpenAt(directory, file, create, out Descriptor made, Sys.ModeOwnerReadWrite).Succeeded);
                Sys.Close(made);
                Assert.True(Sys.MakeDirectory(directory, name, Sys.ModeOwner).Succeeded);
                Assert.True(Sys.OpenAt(directory, name, OpenFlags.Directory, out Descriptor next).Succeeded);
                Sys.Close(directory);
                directory = next;
            }
        }

        Sys.Close(directory);
    }
}
