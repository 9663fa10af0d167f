using System.Globalization;
using System.Security.Cryptography;
using BtrfsClone.Finding;
using BtrfsClone.Merging;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Finding;

/// <summary>Groups that are merged: what the filesystem gets back, and what stays as it was.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class DuplicateMergeTests(ScratchBtrfs btrfs)
{
    private const int Block = 4096;

    private readonly string _folder = btrfs.NewFolder();

    [RootTheory(Needs = RandomDuplicates.Tools)]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public void The_filesystem_gets_back_what_was_promised_and_no_file_changes(int seed)
    {
        int rounds = TestMachine.IsThorough ? 100 : 6;
        for (int i = 0; i < rounds; i++)
        {
            int own = (seed * 1000) + i;
            Random random = new(own);
            string folder = Path.Combine(btrfs.NewFolder(), "tree");
            Shell.Check("btrfs", "subvolume", "create", folder);
            RandomDuplicates tree = new(random, folder);
            tree.Make();
            string before = State(tree.Files);
            long used = Used();

            List<BtrfsDuplicate> groups = Finder.Find(new FindOptions(), folder);

            // In whatever order, and several at a time.
            List<BtrfsException> failures = MergeAll(i % 2 == 0 ? groups : groups.AsEnumerable().Reverse(), together: i % 3 == 0);

            Assert.True(failures.Count == 0, $"Seed {own}: {failures.FirstOrDefault()?.Message}");
            Assert.Equal(before, State(tree.Files));
            Assert.True(used - Used() == groups.Sum(group => group.ReclaimableLength),
                $"Seed {own}: {groups.Sum(group => group.ReclaimableLength)} bytes were promised, {used - Used()} came free.");

            // All that holds the same is in one place now, whatever groups it was in.
            Assert.Empty(Finder.Find(new FindOptions(), folder));
        }
    }

    [RootFact(Needs = "sync")]
    public void A_forged_checksum_is_a_group_that_the_kernel_refuses()
    {
        (byte[] one, byte[] other) = ForgedChecksum.Pair(seed: 77);
        File.WriteAllBytes(At("one"), one);
        File.WriteAllBytes(At("other"), other);

        BtrfsDuplicate group = Assert.Single(Finder.Find(new FindOptions(), _folder));
        DuplicateMerger merger = new(new SessionEvents { OnFailure = failure => Assert.Fail(failure.Message) });
        MergeResult result = Assert.Single(merger.Merge(group, CancellationToken.None));

        Assert.Equal((0, Block), (result.DedupedLength, result.DifferentLength));
        Assert.Equal(one, File.ReadAllBytes(At("one")));
        Assert.Equal(other, File.ReadAllBytes(At("other")));
        Assert.Empty(Finder.Find(new FindOptions { Source = DuplicateSource.Content }, _folder));
    }

    [RootFact(Needs = "sync")]
    public void Many_places_are_merged_whatever_one_call_takes()
    {
        byte[] content = RandomNumberGenerator.GetBytes(3 * Block);
        for (int i = 0; i < 300; i++)
        {
            File.WriteAllBytes(At($"f{i}"), content);
        }

        long used = Used();
        BtrfsDuplicate group = Assert.Single(Finder.Find(new FindOptions(), _folder));

        Assert.Equal((300, 299L * content.Length), (group.Count, group.ReclaimableLength));
        Assert.Empty(MergeAll([group]));
        Assert.Equal(group.ReclaimableLength, used - Used());
    }

    [RootFact(Needs = "sync")]
    public void What_has_changed_since_it_was_found_stays_as_it_is()
    {
        byte[] content = RandomNumberGenerator.GetBytes(8 * Block);
        foreach (string name in (string[])["kept", "changed", "short", "gone", "same"])
        {
            File.WriteAllBytes(At(name), content);
        }

        BtrfsDuplicate group = Assert.Single(Finder.Find(new FindOptions(), _folder));
        string[] others = [.. group.Places.Skip(1).Select(place => place.Path)];
        byte[] changed = [.. content];
        changed[5 * Block] ^= 1;
        File.WriteAllBytes(others[0], changed);
        File.WriteAllBytes(others[1], content[..Block]);
        File.Delete(others[2]);
        List<BtrfsException> failures = [];
        DuplicateMerger merger = new(new SessionEvents { OnFailure = failures.Add });

        IReadOnlyList<MergeResult> results = merger.Merge(group, CancellationToken.None);

        Assert.Equal(
            [BtrfsError.ChangedMeanwhile, BtrfsError.SourceNotFound], failures.Select(failure => failure.Error));
        Assert.Equal(
            [(others[0], 0L, 8L * Block), (others[3], 8L * Block, 0L)],
            results.Select(result => (result.Path, result.DedupedLength, result.DifferentLength)));
        Assert.Equal(changed, File.ReadAllBytes(others[0]));
        Assert.Equal(content[..Block], File.ReadAllBytes(others[1]));
        Assert.Equal(2, merger.Counters.Failed);
    }

    [RootTheory(Needs = "sync")]
    [InlineData("blocks of its own")]
    [InlineData("a clone elsewhere")]
    [InlineData("a clone elsewhere", true)]
    [InlineData("overwritten parts")]
    public void What_cannot_come_free_is_kept_though_it_is_smaller(string why, bool isShifted = false)
    {
        byte[] data = RandomNumberGenerator.GetBytes(40 * Block);
        byte[] own = RandomNumberGenerator.GetBytes(8 * Block);
        string outside = btrfs.NewFolder();
        WriteOut("all", isShifted ? [.. data[(20 * Block)..], .. data[..(20 * Block)]] : data);
        long freed = data.Length;
        switch (why)
        {
            case "blocks of its own":
                WriteOut("first", [.. data[..(20 * Block)], .. own[..Block]]);
                WriteOut("second", [.. own[Block..(3 * Block)], .. data[(20 * Block)..]]);
                break;
            case "a clone elsewhere":
                WriteOut("first", data[..(20 * Block)]);
                WriteOut("second", data[(20 * Block)..]);
                Shell.Check("cp", "--reflink=always", At("first"), At("second"), outside);
                break;
            default:
                // An extent most of which nobody can reach any more, and the files' pieces in other places.
                File.Delete(At("all"));
                WriteOut("large", [.. data, .. own]);
                Shell.Check("cp", "--reflink=always", At("large"), At("cut"));
                File.Delete(At("large"));
                using (FileStream file = File.OpenWrite(At("cut")))
                {
                    file.SetLength(10 * Block);
                }

                WriteOut("whole", [.. data[(5 * Block)..(10 * Block)], .. data[..(5 * Block)]]);
                freed += own.Length;
                break;
        }

        long used = Used();
        List<BtrfsDuplicate> groups = Finder.Find(new FindOptions(), _folder);

        Assert.Equal(freed, groups.Sum(group => group.ReclaimableLength));
        Assert.Empty(MergeAll(groups));
        Assert.Equal(freed, used - Used());
        Assert.Empty(Finder.Find(new FindOptions(), _folder));
    }

    private string At(string name) => Path.Combine(_folder, name);

    /// <summary>Writes a file that is one extent.</summary>
    private void WriteOut(string name, byte[] content)
    {
        File.WriteAllBytes(At(name), content);
        Shell.Check("sync", At(name));
    }

    [RootFact(Needs = "sync")]
    public void A_parallel_merger_goes_on_after_a_group_that_is_gone_and_ends_when_it_is_cancelled()
    {
        List<BtrfsDuplicate> groups = [.. Enumerable.Range(0, 50).Select(number =>
        {
            string folder = Directory.CreateDirectory(At($"{number}")).FullName;
            byte[] content = RandomNumberGenerator.GetBytes(4 * Block);
            File.WriteAllBytes(Path.Combine(folder, "a"), content);
            File.WriteAllBytes(Path.Combine(folder, "b"), content);
            return Assert.Single(Finder.Find(new FindOptions(), folder));
        })];
        File.Delete(groups[3].Places[0].Path);
        List<BtrfsException> failures = [];
        int thread = Environment.CurrentManagedThreadId;
        using (CancellationTokenSource cancellation = new())
        using (ParallelDuplicateMerger merger = new(
            new SessionEvents { OnFailure = Add, OnTick = () => Assert.Equal(thread, Environment.CurrentManagedThreadId) },
            cancellation.Token))
        {
            groups.ForEach(merger.Add);
            merger.Complete();

            Assert.Equal(BtrfsError.SourceNotFound, Assert.Single(failures).Error);
            Assert.Equal(49 * 4L * Block, merger.Counters.DedupedLength);
        }

        using CancellationTokenSource cancelled = new();
        using ParallelDuplicateMerger stopped = new(new SessionEvents { OnFailure = Add }, cancelled.Token);
        cancelled.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() =>
        {
            groups.ForEach(stopped.Add);
            stopped.Complete();
        });
        Assert.Equal(0, stopped.Counters.DedupedLength);
        return;

        void Add(BtrfsException failure)
        {
            Assert.Equal(thread, Environment.CurrentManagedThreadId);
            failures.Add(failure);
        }
    }

    private static List<BtrfsException> MergeAll(IEnumerable<BtrfsDuplicate> groups, bool together = false)
    {
        List<BtrfsException> failures = [];
        if (together)
        {
            using ParallelDuplicateMerger parallel = new(new SessionEvents { OnFailure = failures.Add }, CancellationToken.None);
            foreach (BtrfsDuplicate group in groups)
            {
                parallel.Add(group);
            }

            parallel.Complete();
            return failures;
        }

        DuplicateMerger merger = new(new SessionEvents { OnFailure = failures.Add });
        foreach (BtrfsDuplicate group in groups)
        {
            merger.Merge(group, CancellationToken.None);
        }

        return failures;
    }

    private long Used() => DataUsage.Of(btrfs.Root);

    private static string State(IReadOnlyList<string> files) => string.Join('\n', files.Select(file =>
        $"{file} {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)))} " +
        Shell.Check("stat", "--format=%s %a %Y %y %Z %z", file)));
}
