using BtrfsClone.Optimizing;
using BtrfsClone.Tests.Support;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Optimizing;

/// <summary>Small extents become large ones, and nothing is parted from its clones.</summary>
public sealed class JoinTests
{
    private const int Block = Optimizer.Block;
    private const string Tools = RandomSubvolumes.Tools + " " + Fragments.Tools + " " + WasteWitness.Tools + " sha256sum";

    private static readonly int s_filesystems = TestMachine.IsThorough ? 40 : 4;

    [RootFact(Needs = Tools)]
    public void Fragments_of_a_file_and_its_clones_become_one_extent()
    {
        using ScratchImage image = Optimizer.NewImage();
        string At(string path) => Path.Combine(image.Root, path);
        Shell.Check("btrfs", "subvolume", "create", At("pool"));
        Fragments.Write(At("pool/db"), new Random(1), (500 * Block) + 100, blocks: 4);
        Shell.Check("cp", "--reflink=always", At("pool/db"), At("clone"));
        Native.Link(At("pool/db"), At("pool/link"));
        Shell.Check("btrfs", "subvolume", "snapshot", At("pool"), At("snapshot"));
        long used = DataUsage.Of(image.Root);
        string facts = Optimizer.Facts(image.Root);
        string sharing = Fragments.Sharing(image.Root);
        long extents = new WasteWitness(image).Count;
        Assert.True(extents > 150, $"{extents}");
        int fragments = Fragments.Count(At("pool/db"));
        Assert.InRange(fragments, 151, extents);

        OptimizeResult promised = Optimizer.Preview(At("pool"));
        Assert.Equal((used, fragments), (DataUsage.Of(image.Root), Fragments.Count(At("pool/db"))));
        OptimizeResult result = Optimizer.Run(At("pool"), new OptimizeOptions());

        Assert.Equal((extents, 1, 0, 501 * Block, 0), Numbers(promised));
        Optimizer.CheckKept(promised, result);
        Assert.Equal(used, DataUsage.Of(image.Root));
        Assert.Equal(result.ExtentsWritten, new WasteWitness(image).Count);
        Assert.True(result.ExtentsWritten < 10, $"{result.ExtentsWritten}");
        Assert.All(
            new[] { "pool/db", "clone", "snapshot/db", "snapshot/link" },
            name => Assert.InRange(Fragments.Count(At(name)), 1, (int)result.ExtentsWritten));
        Assert.Equal(facts, Optimizer.Facts(image.Root));
        Assert.Equal(sharing, Fragments.Sharing(image.Root));
        Optimizer.CheckDone(image.Root, promised, result);
        image.Check();
    }

    [RootFact(Needs = Tools)]
    public void Random_pools_have_fewer_extents_and_are_otherwise_as_they_were()
    {
        (int allFragments, int allJoined) = (0, 0);
        for (int seed = 1; seed <= s_filesystems; seed++)
        {
            using ScratchImage image = Optimizer.NewImage();
            string At(string path) => Path.Combine(image.Root, path);
            Random random = new(seed);
            Shell.Check("btrfs", "subvolume", "create", At("pool"));
            List<string> files = [];
            for (int i = 0; i < 3; i++)
            {
                files.Add(At($"pool/file{i}"));
                Fragments.Write(files[^1], random, random.Next(Block, 400 * Block), blocks: random.Next(1, 9));
            }

            for (int i = 0; i < 12; i++)
            {
                string file = files[random.Next(files.Count)];
                switch (random.Next(4))
                {
                    case 0:
                        files.Add(At($"pool/clone{i}"));
                        Shell.Check("cp", "--reflink=always", file, files[^1]);
                        break;
                    case 1:
                        Shell.Check("btrfs", "subvolume", "snapshot", At("pool"), At($"snapshot{i}"));
                        files.AddRange(Directory.GetFiles(At($"snapshot{i}")).Order());
                        break;
                    case 2:
                        using (SafeFileHandle opened = File.OpenHandle(file, FileMode.Open, FileAccess.Write))
                        {
                            Native.PunchHole(opened, random.Next(200) * (long)Block, random.Next(1, 20) * Block);
                        }

                        break;
                    default:
                        Optimizer.Overwrite(file, random, rounds: 5, blocks: 4);
                        break;
                }
            }

            long used = DataUsage.Of(image.Root);
            string facts = Optimizer.Facts(image.Root);
            string sharing = Fragments.Sharing(image.Root);
            long extents = new WasteWitness(image).Count;
            int fragments = Fragments.CountAll(image.Root);

            OptimizeResult promised = Optimizer.Preview(image.Root);
            OptimizeResult result = Optimizer.Run(image.Root);

            Optimizer.CheckKept(promised, result);
            Assert.Equal((seed, facts), (seed, Optimizer.Facts(image.Root)));
            Assert.Equal((seed, sharing), (seed, Fragments.Sharing(image.Root)));
            Assert.Equal((seed, result.GainedLength), (seed, used - DataUsage.Of(image.Root)));
            Assert.True(result.GainedLength >= 0);
            Assert.Equal(
                (seed, result.ExtentsReplaced - result.ExtentsWritten), (seed, extents - new WasteWitness(image).Count));
            int joined = Fragments.CountAll(image.Root);
            Assert.True(joined <= fragments, $"{seed}: {fragments} {joined}");
            (allFragments, allJoined) = (allFragments + fragments, allJoined + joined);
            Optimizer.CheckDone(image.Root, promised, result);
            image.Check();
        }

        // Where clones have gone different ways, little can be joined; elsewhere, nearly all.
        Assert.True(allJoined < allFragments / 2, $"{allFragments} {allJoined}");
    }

    [RootFact(Needs = Tools)]
    public void Defragmenting_parts_what_this_keeps_together()
    {
        using ScratchImage image = Optimizer.NewImage();
        string At(string path) => Path.Combine(image.Root, path);
        Directory.CreateDirectory(At("pool"));
        Fragments.Write(At("pool/db"), new Random(2), 2000 * Block, blocks: 4);
        for (int clone = 0; clone < 3; clone++)
        {
            Shell.Check("cp", "--reflink=always", At("pool/db"), At($"pool/clone{clone}"));
        }

        long used = DataUsage.Of(image.Root);
        string sharing = Fragments.Sharing(image.Root);
        Optimizer.Run(At("pool"));
        Assert.Equal((used, sharing), (DataUsage.Of(image.Root), Fragments.Sharing(image.Root)));
        Assert.InRange(Fragments.CountAll(image.Root), 4, 40);

        // One block that is new makes the rest fragments again.
        Optimizer.Overwrite(At("pool/db"), new Random(3), rounds: 20, blocks: 1);
        Shell.Check("btrfs", "filesystem", "defragment", "-r", "-t", "128M", At("pool"));
        long parted = DataUsage.Of(image.Root);
        Assert.True(parted > used * 1.5, $"{used} {parted}");
    }

    [RootFact(Needs = Tools)]
    public void An_extent_is_never_used_in_so_many_places_that_its_owners_take_long_to_find()
    {
        const int Places = 1000;
        using ScratchImage image = Optimizer.NewImage();
        string file = Path.Combine(image.Root, "file");
        using (SafeFileHandle opened = File.OpenHandle(file, FileMode.CreateNew, FileAccess.Write))
        {
            byte[] content = new byte[2 * Places * Block];
            new Random(7).NextBytes(content);
            Native.Preallocate(opened, 0, content.Length);
            RandomAccess.Write(opened, content, 0);
            RandomAccess.FlushToDisk(opened);
            for (int i = 0; i < Places; i++)
            {
                Native.PunchHole(opened, 2L * i * Block, Block);
            }
        }

        Shell.Check("cp", "--reflink=always", file, file + "2");
        Assert.Equal(1, new WasteWitness(image).Count);
        string facts = Optimizer.Facts(image.Root);
        string sharing = Fragments.Sharing(image.Root);

        OptimizeResult promised = Optimizer.Preview(image.Root);
        OptimizeResult result = Optimizer.Run(image.Root);

        Assert.Equal((1, 16, Places * Block, Places * Block, 0), Numbers(promised));
        Optimizer.CheckKept(promised, result);
        WasteWitness after = new(image);
        Assert.Equal((result.ExtentsWritten, after.Reachable), (after.Count, after.DiskLength));
        Assert.Equal(facts, Optimizer.Facts(image.Root));
        Assert.Equal(sharing, Fragments.Sharing(image.Root));
        Optimizer.CheckDone(image.Root, promised, result);
        image.Check();
    }

    [RootFact(Needs = Tools)]
    public void What_a_read_only_snapshot_holds_is_left_and_counted()
    {
        using ScratchImage image = Optimizer.NewImage();
        string At(string path) => Path.Combine(image.Root, path);
        Shell.Check("btrfs", "subvolume", "create", At("pool"));
        Fragments.Write(At("pool/db"), new Random(4), 100 * Block, blocks: 4);
        int count = new WasteWitness(image).Count;
        Shell.Check("btrfs", "subvolume", "snapshot", "-r", At("pool"), At("snapshot"));
        Fragments.Write(At("pool/new"), new Random(5), 100 * Block, blocks: 4);
        int others = new WasteWitness(image).Count - count;
        int fragments = Fragments.Count(At("pool/db"));
        long used = DataUsage.Of(image.Root);

        OptimizeResult promised = Optimizer.Preview(image.Root);
        OptimizeResult result = Optimizer.Run(image.Root);

        Assert.Equal((others, 1, 0, 100 * Block, 0), Numbers(promised));
        Assert.Equal(count, promised.ExtentsLeft);
        Optimizer.CheckKept(promised, result);
        Assert.Equal((used, fragments), (DataUsage.Of(image.Root), Fragments.Count(At("pool/db"))));
        Shell.Check("btrfs", "subvolume", "delete", At("snapshot"));
        Shell.Check("btrfs", "subvolume", "sync", image.Root);
        promised = Optimizer.Preview(At("pool/db"));
        Assert.Equal((count, 1, 0, 100 * Block, 0), Numbers(promised));
        Optimizer.CheckKept(promised, Optimizer.Run(At("pool/db")));
    }

    [RootFact(Needs = Tools)]
    public void Extents_of_the_target_size_stay_as_they_are()
    {
        using ScratchImage image = Optimizer.NewImage();
        string file = Path.Combine(image.Root, "file");
        Fragments.Write(file, new Random(6), 64 * Block, blocks: 1);
        Assert.Equal(64, new WasteWitness(image).Count);

        Assert.Equal((0, 0, 0, 0, 0), Numbers(Optimizer.Run(file, new OptimizeOptions { TargetExtentSize = 0 })));
        Assert.Equal((0, 0, 0, 0, 0), Numbers(Optimizer.Run(file, new OptimizeOptions { TargetExtentSize = Block })));
        OptimizeOptions options = new() { TargetExtentSize = Block + 1 };
        OptimizeResult promised = Optimizer.Run(file, options with { Preview = true });
        Assert.Equal((64, 1, 0, 64 * Block, 0), Numbers(promised));
        Optimizer.CheckKept(promised, Optimizer.Run(file, options));
    }

    [RootFact(Needs = Tools + " compsize")]
    public void Compressed_extents_are_joined_up_to_what_one_may_hold()
    {
        using ScratchImage image = Optimizer.NewImage("noatime,compress-force=zstd");
        string file = Path.Combine(image.Root, "file");
        byte[] content = new byte[128 * Block];
        Random.Shared.GetItems("01"u8, content);
        using (SafeFileHandle opened = File.OpenHandle(file, FileMode.CreateNew, FileAccess.Write))
        {
            for (int end = 128; end > 0; end -= 2)
            {
                RandomAccess.Write(opened, content.AsSpan((end - 2) * Block, 2 * Block), (end - 2) * Block);
                RandomAccess.FlushToDisk(opened);
            }
        }

        Shell.Check("cp", "--reflink=always", file, file + "2");
        long used = DataUsage.Of(image.Root);
        string facts = Optimizer.Facts(image.Root);
        Assert.Equal(64, new WasteWitness(image).Count);
        Assert.Equal(64 * Block, used);

        OptimizeResult result = Optimizer.Run(image.Root);

        Assert.Equal(64, result.ExtentsReplaced);
        Assert.InRange(result.ExtentsWritten, 4, 16);
        Assert.Equal(result.GainedLength, used - DataUsage.Of(image.Root));
        Assert.True(result.GainedLength >= 0);
        Assert.Equal(result.ExtentsWritten, new WasteWitness(image).Count);
        Assert.Contains("zstd", Shell.Check("compsize", image.Root), StringComparison.Ordinal);
        Assert.Equal(facts, Optimizer.Facts(image.Root));
        Assert.True(result.ExtentsWritten > 4 || Optimizer.Run(image.Root).ExtentsReplaced == 0);
    }

    private static (long, long, long, long, long) Numbers(OptimizeResult result) =>
        (result.ExtentsReplaced, result.ExtentsWritten, result.GainedLength, result.WrittenLength, result.LeftLength);
}
