using BtrfsClone.Syncing;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Syncing;

/// <summary>A second sync looks only at what has changed since the first, and misses nothing.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class GenerationTests(ScratchBtrfs btrfs)
{
    private const string Needs = RandomTree.Tools + " " + SyncedTrees.Tools + " " + TreeMutator.Tools + " getfattr";

    // Without nested subvolumes, in which changes do not show.
    private static readonly TreeShape s_plain = new()
    {
        Files = 60,
        WideEntries = 40,
        Depth = 6,
        Privileged = false,
        LongestHole = 1 << 20,
    };

    private static readonly int s_trees = TestMachine.IsThorough ? 10 : 2;
    private static readonly int s_rounds = TestMachine.IsThorough ? 10 : 2;
    private static readonly int s_changes = TestMachine.IsThorough ? 100 : 40;

    [RootFact(Needs = Needs)]
    public void Every_change_between_two_syncs_is_found() => Parallel.For(
        1, s_trees + 1, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, seed =>
        {
            string folder = btrfs.NewFolder();
            string source = Path.Combine(folder, "source");
            string destination = Path.Combine(folder, "destination");
            RandomTree.Make(source, seed, s_plain);
            SyncOptions options = new() { Delete = true, InPlace = seed % 2 == 0 };
            Syncer.Sync(source, destination, options);
            for (int round = 0; round < s_rounds; round++)
            {
                TreeMutator.Change(source, (1000 * seed) + round, s_changes);
                TreeMutator.Change(destination, (1000 * seed) + 500 + round, round % 2 == 0 ? s_changes / 2 : 0);

                SyncResult result = Syncer.Sync(source, destination, options);

                Assert.Null(result.Unchanged);
                try
                {
                    SyncedTrees.AssertEqual(folder);
                }
                catch (Exception e)
                {
                    throw new InvalidOperationException($"Seed {seed}, round {round}: {e.Message}", e);
                }
            }
        });

    [RootFact(Needs = SyncedTrees.Tools)]
    public void What_comes_after_many_names_and_many_extents_is_found()
    {
        string folder = btrfs.NewFolder();
        string source = Path.Combine(folder, "source");
        string destination = Path.Combine(folder, "destination");
        string last = Path.Combine(source, "last");
        Directory.CreateDirectory(last);
        string[] names = [.. Enumerable.Range(0, 3000).Select(i => Path.Combine(last, $"{i}{new string('n', 200)}"))];
        Array.ForEach(names, name => File.WriteAllText(name, name));
        string pieces = Path.Combine(source, "pieces");
        WritePieces(pieces, 0);
        string behind = Path.Combine(source, "behind");
        File.WriteAllText(behind, "old");
        SyncOptions options = new() { Delete = true };
        Syncer.Sync(source, destination, options);

        // Of each leaf of the directory's names, something changes, and some inodes behind them do.
        for (int i = 0; i < names.Length; i += 10)
        {
            File.AppendAllText(names[i], "more");
            File.Move(names[i + 1], names[i + 1] + "m");
            File.Delete(names[i + 2]);
        }

        WritePieces(pieces, 1);
        File.WriteAllText(behind, "new");

        Assert.Null(Syncer.Sync(source, destination, options).Unchanged);
        SyncedTrees.AssertEqual(folder);
        Assert.Equal("new", File.ReadAllText(Path.Combine(destination, "behind")));
    }

    /// <summary>Writes every second block of a file from one on: each is an extent.</summary>
    private static void WritePieces(string path, int first)
    {
        using FileStream file = new(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, bufferSize: 0);
        for (int i = 0; i < 5000; i++)
        {
            file.Position = ((2L * i) + first) * 4096;
            file.Write(new byte[4096]);
        }
    }

    [RootFact(Needs = "getfattr setfattr btrfs")]
    public void A_mark_that_does_not_fit_means_a_look_at_all()
    {
        string folder = btrfs.NewFolder();
        string source = Path.Combine(folder, "source");
        string destination = Path.Combine(folder, "destination");
        Directory.CreateDirectory(source);
        File.WriteAllText(Path.Combine(source, "file"), "x");
        Syncer.Sync(source, destination);
        Assert.Null(Syncer.Sync(source, destination).Unchanged);

        // Other options, another source, another destination.
        Assert.NotNull(Syncer.Sync(source, destination, new SyncOptions { Delete = true }).Unchanged);
        string other = source + "2";
        Shell.Check("cp", "-a", source, other);
        Assert.NotNull(Syncer.Sync(other, destination).Unchanged);
        Shell.Check("cp", "-a", destination, destination + "2");
        Assert.NotNull(Syncer.Sync(other, destination + "2").Unchanged);

        // A nested subvolume's changes do not show in the tree around it.
        Shell.Check("btrfs", "subvolume", "create", Path.Combine(other, "nested"));
        Syncer.Sync(other, destination);
        File.WriteAllText(Path.Combine(other, "nested", "later"), "y");
        Assert.NotNull(Syncer.Sync(other, destination).Unchanged);
        Assert.True(File.Exists(Path.Combine(destination, "nested", "later")));
    }

    [RootFact(Needs = "mv")]
    public void A_directory_in_the_place_of_another_is_looked_into()
    {
        string folder = btrfs.NewFolder();
        string source = Path.Combine(folder, "source");
        string destination = Path.Combine(folder, "destination");
        foreach (string name in new[] { "a", "b" })
        {
            Directory.CreateDirectory(Path.Combine(source, name, "deep"));
            File.WriteAllText(Path.Combine(source, name, "deep", name), name);
        }

        SyncOptions options = new() { Delete = true };
        Syncer.Sync(source, destination, options);
        Shell.Check("mv", Path.Combine(source, "a"), Path.Combine(source, "c"));
        Shell.Check("mv", Path.Combine(source, "b"), Path.Combine(source, "a"));

        Assert.Null(Syncer.Sync(source, destination, options).Unchanged);

        Shell.Check("diff", "-r", source, destination);
    }
}
