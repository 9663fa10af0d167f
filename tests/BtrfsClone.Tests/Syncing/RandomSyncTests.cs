using BtrfsClone.Interop;
using BtrfsClone.Syncing;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Syncing;

/// <summary>Random pairs of trees: after a sync the destination equals its source, and what was equal is untouched.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class RandomSyncTests(ScratchBtrfs btrfs)
{
    private const string Needs = RandomTree.Tools + " " + SyncedTrees.Tools + " " + TreeMutator.Tools;

    private static readonly TreeShape s_small = new() { Files = 25, WideEntries = 10, Depth = 3, LongestHole = 1 << 20 };

    // Each round of each tree is another pair: both sides have changed.
    private static readonly int s_trees = TestMachine.IsThorough ? 25 : 2;
    private static readonly int s_rounds = TestMachine.IsThorough ? 20 : 3;

    [BtrfsFact(Needs = Needs)]
    public void A_changed_destination_becomes_its_source_again() => Parallel.For(
        1, s_trees + 1, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, seed =>
        {
            string folder = NewPair(seed);
            SyncOptions options = new() { Delete = true, InPlace = seed % 3 == 0, Workers = seed % 4 };
            Dictionary<string, string>? known = null;
            for (int round = 0; round < s_rounds; round++)
            {
                try
                {
                    TreeMutator.Change(Path.Combine(folder, "source"), (100 * seed) + round, 15);
                    TreeMutator.Change(Path.Combine(folder, "destination"), (100 * seed) + 50 + round, round % 3 == 2 ? 0 : 15);
                    known = Sync(folder, options, known);
                }
                catch (Exception e)
                {
                    throw new InvalidOperationException($"Seed {seed}, round {round}: {e.Message}", e);
                }
            }
        });

    [BtrfsTheory(Needs = Needs)]
    [InlineData(901)]
    [InlineData(902)]
    public void Without_delete_nothing_is_gone(int seed)
    {
        string folder = NewPair(seed);
        string destination = Path.Combine(folder, "destination");
        TreeMutator.Change(destination, seed, 30);
        string[] before = [.. Stamps(destination).Keys];

        (SyncResult result, _, _) = Syncer.SyncAll(Path.Combine(folder, "source"), destination);

        Assert.Equal(0, result.Deleted);
        Assert.Empty(before.Except(Stamps(destination).Keys));
    }

    /// <summary>
    /// Syncs twice. What has changed on neither side since the last time was equal, and stays untouched; so does all the second
    /// time.
    /// </summary>
    private static Dictionary<string, string> Sync(string folder, SyncOptions options, Dictionary<string, string>? known)
    {
        (string source, string destination) = (Path.Combine(folder, "source"), Path.Combine(folder, "destination"));
        Dictionary<string, string> before = Stamps(folder);

        (SyncResult result, _, List<SyncChange> told) = Syncer.SyncAll(source, destination, options);

        Assert.Equal(0, result.Failed);
        SyncedTrees.AssertEqual(folder);
        Dictionary<string, string> after = Stamps(folder);
        const string Source = "source/", Destination = "destination/";
        foreach (string path in before.Keys.Where(path => path.StartsWith(Destination, StringComparison.Ordinal)))
        {
            // Nothing but where the data lies changes without a trace in the times: defragmentation and deduplication do that.
            if (IsAsKnown(path) && IsAsKnown(Source + path[Destination.Length..]) && before[path] != after.GetValueOrDefault(path))
            {
                string text = Path.Combine(folder, Utf8Z.ToText(ByteText.ToBytes(path)));
                Assert.Contains(told, change => change.Path == text && change.SharedLength > 0);
            }
        }

        (_, _, List<SyncChange> foreseen) = Syncer.SyncAll(source, destination, options with { DryRun = true });
        Assert.True(foreseen.Count == 0, string.Join('\n', foreseen.Select(change => Described(change, folder, told))));
        (SyncResult again, _, List<SyncChange> changes) = Syncer.SyncAll(source, destination, options);
        Assert.Empty(changes);
        Assert.Equal(0, again.Failed);
        Assert.Equal(after, Stamps(folder));
        return after;

        // A directory changes with what is in it, and what has several names with those.
        bool IsAsKnown(string path) => known?.GetValueOrDefault(path) is { } stamp && stamp == before.GetValueOrDefault(path) &&
            stamp[0] != 'd' && stamp.AsSpan(1).StartsWith(" 1 ");
    }

    /// <summary>What a second sync would do, what the first has done there, and where both files lie.</summary>
    private static string Described(SyncChange change, string folder, List<SyncChange> told)
    {
        string other = Path.Combine(folder, "source", Path.GetRelativePath(Path.Combine(folder, "destination"), change.Path));
        IEnumerable<string> before = told.Where(step => step.Path == change.Path).Select(step => $"{step.Action} {step.SharedLength}");
        string extents = Shell.Run("filefrag", "-v", "-b1", other, change.Path).Output;
        return $"{change.Path}: {string.Join(", ", before)}, then {change.Action} {change.SharedLength}\n{extents}";
    }

    /// <summary>A folder with a source and a destination, which is a copy.</summary>
    private string NewPair(int seed)
    {
        string folder = btrfs.NewFolder();
        RandomTree.Make(Path.Combine(folder, "source"), seed, s_small);
        Shell.Check(
            "cp", "--archive", "--reflink=auto", Path.Combine(folder, "source"), Path.Combine(folder, "destination"));
        return folder;
    }

    /// <summary>By path, as byte text: the type, the number of links, and what changes with each touch.</summary>
    private static Dictionary<string, string> Stamps(string root) =>
        ByteText.FromBytes(Shell.CheckBytes(null, "find", root, "-mindepth", "1", "-printf", @"%P\0%y %n %i %C@\0"))
            .Split('\0', StringSplitOptions.RemoveEmptyEntries).Chunk(2).ToDictionary(e => e[0], e => e[1]);
}
