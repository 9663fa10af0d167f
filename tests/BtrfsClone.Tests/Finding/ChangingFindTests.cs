using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using BtrfsClone.Finding;
using BtrfsClone.Merging;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Finding;

/// <summary>Searches of files that are written, cut short, removed, cloned by snapshots and balanced meanwhile.</summary>
public sealed class ChangingFindTests
{
    private const int Block = 4096;
    private const int Blocks = 16;
    private const int StillFiles = 200;

    [RootFact(Needs = "btrfs sync")]
    public void No_byte_changes_while_files_are_changed_snapshotted_and_balanced()
    {
        using ScratchImage image = new(2L << 30, "noatime", "mkfs.btrfs", "--quiet");
        string tree = Path.Combine(image.Root, "tree");
        Shell.Check("btrfs", "subvolume", "create", tree);
        Dictionary<string, string> still = MakeStill(tree);
        using CancellationTokenSource stop = new();
        ConcurrentDictionary<string, byte[]> written = new();
        int balanced = 0;
        Task[] changers =
        [
            Start(() => Change(tree, written, stop.Token)),
            Start(() => SnapshotAndBalance(image.Root, tree, () => Interlocked.Increment(ref balanced), stop.Token)),
        ];

        long deduped = 0;
        int rounds = TestMachine.IsThorough ? 60 : 8;
        int balances = TestMachine.IsThorough ? 8 : 2;
        List<BtrfsException> failures = [];
        for (int i = 0; (i < rounds || Volatile.Read(ref balanced) < balances) && !changers.Any(changer => changer.IsCompleted); i++)
        {
            FindOptions options = new() { Source = (DuplicateSource)(i % 3) };
            FindSession session = new(options, new SessionEvents { OnFailure = failures.Add });
            DuplicateMerger merger = new(new SessionEvents { OnFailure = failures.Add });
            foreach (BtrfsDuplicate group in session.Find([tree], CancellationToken.None))
            {
                Merge(merger, group, failures);
            }

            deduped += merger.Counters.DedupedLength;
        }

        stop.Cancel();
        Task.WaitAll(changers);
        Assert.True(deduped > 0);
        Assert.All(still, file => Assert.Equal(file.Value, HashOf(file.Key)));

        // What was written last is there: no merge has put anything older over it.
        Assert.All(written, file => Assert.Equal(file.Value, File.ReadAllBytes(file.Key)));
        Assert.All(failures, failure => Assert.True(
            failure.Error is BtrfsError.ChangedMeanwhile or BtrfsError.SourceNotFound, $"{failure.Error}: {failure.Message}"));
        image.Check();
    }

    [RootTheory(Needs = "sync")]
    [InlineData(DuplicateSource.Checksum)]
    [InlineData(DuplicateSource.Content)]
    public void Groups_that_went_stale_are_left_out_and_counted(DuplicateSource source)
    {
        using ScratchImage image = new(512L << 20, "noatime", "mkfs.btrfs", "--quiet");
        for (int i = 0; i < 20; i++)
        {
            byte[] content = RandomNumberGenerator.GetBytes((i + 1) * Block);
            File.WriteAllBytes(Path.Combine(image.Root, $"{i}-one"), content);
            File.WriteAllBytes(Path.Combine(image.Root, $"{i}-other"), content);
        }

        FindSession session = new(
            new FindOptions { Source = source }, new SessionEvents { OnFailure = failure => Assert.Fail(failure.Message) });
        List<string> written = [];
        foreach (BtrfsDuplicate group in session.Find([image.Root], CancellationToken.None))
        {
            Assert.Equal(2, group.Places.Count);
            if (written.Count == 0)
            {
                // Of those that come later, largest first, one is written, one cut short, one removed and one renamed.
                File.AppendAllText(Path.Combine(image.Root, "7-one"), "more");
                using (FileStream file = File.OpenWrite(Path.Combine(image.Root, "6-other")))
                {
                    file.SetLength(Block);
                }

                File.Delete(Path.Combine(image.Root, "5-one"));
                File.Move(Path.Combine(image.Root, "4-one"), Path.Combine(image.Root, "4-moved"));
                Shell.Check("sync", "--file-system", image.Root);
            }

            written.Add(Path.GetFileName(group.Places[0].Path).Split('-')[0]);
        }

        Assert.Equal(4, session.Progress.Stale);
        Assert.Equal(
            [0, 1, 2, 3, .. Enumerable.Range(8, 12)],
            written.Select(name => int.Parse(name, CultureInfo.InvariantCulture)).Order());
    }

    private static void Merge(DuplicateMerger merger, BtrfsDuplicate group, List<BtrfsException> failures)
    {
        try
        {
            foreach (MergeResult result in merger.Merge(group, CancellationToken.None))
            {
                Assert.Equal(group.Length, result.DedupedLength + result.SameLength + result.DifferentLength);
            }
        }
        catch (BtrfsException failure)
        {
            failures.Add(failure);
        }
    }

    /// <summary>Files that nobody changes, each of them twice, by what they hold.</summary>
    /// <summary>Both have a thread of their own: one of the pool's may be long in coming.</summary>
    private static Task Start(Action changer) =>
        Task.Factory.StartNew(changer, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static Dictionary<string, string> MakeStill(string tree)
    {
        Dictionary<string, string> hashes = [];
        byte[] content = [];
        for (int i = 0; i < StillFiles; i++)
        {
            content = i % 2 == 0 ? RandomNumberGenerator.GetBytes(Blocks * Block) : content;
            string path = Path.Combine(tree, $"still{i}");
            File.WriteAllBytes(path, content);
            hashes.Add(path, HashOf(path));
        }

        return hashes;
    }

    /// <summary>Writes, overwrites, cuts short and removes files of a few different blocks, and keeps what each holds.</summary>
    private static void Change(string tree, ConcurrentDictionary<string, byte[]> written, CancellationToken stop)
    {
        Random random = new(3);
        byte[][] blocks = [.. Enumerable.Range(0, 8).Select(_ => RandomNumberGenerator.GetBytes(Block))];
        // Without a pause, a commit has always more to write, and a balance waits for commits.
        while (!stop.WaitHandle.WaitOne(1))
        {
            string path = Path.Combine(tree, $"changing{random.Next(40)}");
            byte[] content = [.. Enumerable.Range(0, random.Next(1, Blocks)).SelectMany(_ => blocks[random.Next(blocks.Length)])];
            byte[] old = written.GetValueOrDefault(path) ?? [];
            switch (random.Next(5))
            {
                case 0:
                    File.Delete(path);
                    written.TryRemove(path, out _);
                    break;
                case 1 when old.Length > 0:
                    content = old[..random.Next(old.Length)];
                    using (FileStream file = File.OpenWrite(path))
                    {
                        file.SetLength(content.Length);
                    }

                    written[path] = content;
                    break;
                case 2 when old.Length > Block:
                    content = [.. old];
                    int at = random.Next(content.Length / Block) * Block;
                    blocks[random.Next(blocks.Length)].CopyTo(content, at);
                    using (FileStream file = File.OpenWrite(path))
                    {
                        file.Position = at;
                        file.Write(content, at, Block);
                    }

                    written[path] = content;
                    break;
                default:
                    File.WriteAllBytes(path, content);
                    written[path] = content;
                    break;
            }
        }
    }

    private static void SnapshotAndBalance(string root, string tree, Action balanced, CancellationToken stop)
    {
        for (int i = 0; !stop.IsCancellationRequested; i++)
        {
            string snapshot = Path.Combine(tree, $"snapshot{i}");
            Shell.Check("btrfs", ["subvolume", "snapshot", .. i % 2 == 0 ? (string[])["-r"] : [], tree, snapshot]);

            // There may be no chunk to move, or no room for one.
            Shell.Run("btrfs", "balance", "start", "--full-balance", root);
            balanced();
            Shell.Check("btrfs", "subvolume", "delete", snapshot);
        }
    }

    private static string HashOf(string path) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)));
}
