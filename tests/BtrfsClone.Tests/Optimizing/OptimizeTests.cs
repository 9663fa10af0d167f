using System.Globalization;
using BtrfsClone.Comparing;
using BtrfsClone.Interop;
using BtrfsClone.Optimizing;
using BtrfsClone.Tests.Support;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Optimizing;

/// <summary>What nobody can reach is given back, and nothing else changes.</summary>
public sealed class OptimizeTests
{
    private const int Block = Optimizer.Block;
    private const string Tools = RandomSubvolumes.Tools + " " + WasteWitness.Tools + " sha256sum";

    private static readonly int s_filesystems = TestMachine.IsThorough ? 50 : 3;

    [RootFact(Needs = Tools)]
    public void Random_filesystems_lose_what_nobody_uses_and_nothing_else()
    {
        long gained = 0;
        for (int seed = 1; seed <= s_filesystems; seed++)
        {
            using ScratchImage image = Optimizer.NewImage(
                seed % 4 == 3 ? "noatime,compress-force=zstd" : seed % 4 == 2 ? "noatime,compress=lzo" : "noatime");
            using RandomSubvolumes subvolumes = new(image.Root, new Random(seed));
            subvolumes.Change(150);
            for (int round = 0; round < 2; round++)
            {
                subvolumes.Change(40);
                long used = DataUsage.Of(image.Root);
                string facts = Optimizer.Facts(image.Root);

                OptimizeResult result = Optimizer.Run(image.Root);

                Assert.Equal(facts, Optimizer.Facts(image.Root));
                Assert.Equal((seed, round, result.GainedLength), (seed, round, used - DataUsage.Of(image.Root)));
                WasteWitness after = new(image);
                Assert.Equal((seed, round, 0L), (seed, round, after.Waste));
                Assert.True(result.LeftLength >= after.FixedWaste, $"{seed}: {result.LeftLength} {after.FixedWaste}");
                gained += result.GainedLength;

                // Nothing is left to do, but for what has not compressed as well.
                OptimizeResult again = Optimizer.Run(image.Root);
                Assert.Equal((seed, round, 0L, result.LeftLength), (seed, round, again.GainedLength, again.LeftLength));
            }

            subvolumes.CloseDeleted(image.Root);
            image.Check();
        }

        Assert.True(gained > 50 * Block, $"Too little came free to prove anything: {gained}.");
    }

    [RootFact(Needs = Tools + " filefrag")]
    public void A_database_and_its_clones_take_what_is_reachable_and_stay_shared()
    {
        using ScratchImage image = Optimizer.NewImage(size: 2L << 30, nodeSize: 16384);
        string At(string path) => Path.Combine(image.Root, path);
        Random random = new(7);
        Shell.Check("btrfs", "subvolume", "create", At("pool"));
        byte[] content = new byte[(32 << 20) + 1234];
        random.NextBytes(content);
        File.WriteAllBytes(At("pool/db"), content);
        for (int clone = 0; clone < 3; clone++)
        {
            Shell.Check("cp", "-a", "--reflink=always", At("pool/db"), At($"pool/clone{clone}"));
            Optimizer.Overwrite(At("pool/db"), random, rounds: 10, blocks: 1000);
        }

        File.Delete(At("pool/clone0"));
        Shell.Check("btrfs", "subvolume", "snapshot", At("pool"), At("snapshot"));
        long used = DataUsage.Of(image.Root);
        string facts = Optimizer.Facts(image.Root);
        long[] shared = Shared();
        long reachable = new WasteWitness(image).Reachable;
        Assert.True(used > reachable * 1.2, $"{used} of {reachable}");

        OptimizeResult promised = Optimizer.Run(At("pool"), new OptimizeOptions { Preview = true });
        Assert.Equal(used, DataUsage.Of(image.Root));
        OptimizeResult result = Optimizer.Run(At("pool"), new OptimizeOptions());

        Assert.Equal(Numbers(promised), Numbers(result));
        Assert.Equal(promised.GainedLength, used - DataUsage.Of(image.Root));
        Assert.InRange(DataUsage.Of(image.Root), reachable, (long)(reachable * 1.02));
        Assert.Equal(facts, Optimizer.Facts(image.Root));
        Assert.Equal(shared, Shared());
        image.Check();

        // What btrfs has for that parts the clones: each has data of its own afterwards.
        long before = DataUsage.Of(image.Root);
        Shell.Check("btrfs", "filesystem", "defragment", "-r", At("pool"));
        Assert.True(DataUsage.Of(image.Root) > before * 1.5);

        long[] Shared() =>
        [
            .. new[] { "clone1", "clone2" }.SelectMany(
                name => new[] { At("pool/" + name), At("snapshot/" + name), At("snapshot/db") }.Select(SharedWithDatabase)),
        ];

        long SharedWithDatabase(string path)
        {
            var events = new CompareEvents { OnFailure = failure => throw failure };
            using CompareSession session = new(new ComparisonOptions(), events);
            return session.Compare(At("pool/db"), path, CancellationToken.None).SharedLength;
        }
    }

    [RootFact(Needs = Tools)]
    public void All_owners_move_wherever_they_are()
    {
        using ScratchImage image = Optimizer.NewImage();
        string At(string path) => Path.Combine(image.Root, path);
        Shell.Check("btrfs", "subvolume", "create", At("sub"));
        string file = NewFile(At("sub/file"), 10);
        Shell.Check("btrfs", "subvolume", "snapshot", At("sub"), At("other"));
        Shell.Check("cp", "--reflink=always", file, At("clone"));
        Native.Link(file, At("sub/link"));
        foreach (string name in new[] { "sub/file", "other/file", "clone" })
        {
            Zero(At(name), 2, 3);
        }

        using SafeFileHandle open = File.OpenHandle(At("clone"));
        File.Delete(At("clone"));
        Shell.Check("sync", "--file-system", image.Root);

        // The one that is shown is not the one that holds them.
        Shell.Check("mount", "--options", "subvol=sub", image.Device, At("other"));
        try
        {
            long used = DataUsage.Of(image.Root);
            OptimizeResult result = Optimizer.Run(At("other/file"));
            Assert.Equal((1, 3 * Block, 7 * Block, 0), Numbers(result));
            Assert.Equal(3 * Block, used - DataUsage.Of(image.Root));
        }
        finally
        {
            Shell.Check("umount", At("other"));
        }
    }

    [RootFact(Needs = Tools)]
    public void What_cannot_be_moved_is_left_and_counted()
    {
        using ScratchImage image = Optimizer.NewImage();
        string At(string path) => Path.Combine(image.Root, path);

        Shell.Check("btrfs", "subvolume", "create", At("sub"));
        NewFile(At("sub/file"), 10);
        Zero(At("sub/file"), 2, 3);
        Shell.Check("btrfs", "subvolume", "snapshot", "-r", At("sub"), At("snap"));
        NewFile(At("immutable"), 10);
        Zero(At("immutable"), 2, 4);
        Native.AddFlags(At("immutable"), InodeFlags.Immutable);
        Directory.CreateDirectory(At("nocow"));
        Native.AddFlags(At("nocow"), InodeFlags.NoCow);
        NewFile(At("nocow/file"), 10);
        Shell.Check("cp", "--reflink=always", At("nocow/file"), At("nocow/clone"));
        Zero(At("nocow/file"), 2, 5);
        Zero(At("nocow/clone"), 2, 5);
        using (SafeFileHandle reserved = File.OpenHandle(At("reserved"), FileMode.CreateNew, FileAccess.Write))
        {
            Native.Preallocate(reserved, 0, 20 * Block);
            Native.PunchHole(reserved, 4 * Block, 6 * Block);
        }

        Shell.Check("sync", "--file-system", image.Root);
        long used = DataUsage.Of(image.Root);
        foreach ((string name, int blocks) in new[]
        {
            ("sub/file", 3), ("snap", 3), ("immutable", 4), ("nocow", 5), ("reserved", 6),
        })
        {
            Assert.Equal((0, 0, 0, blocks * Block), Numbers(Optimizer.Preview(At(name))));
            Assert.Equal((0, 0, 0, blocks * Block), Numbers(Optimizer.Run(At(name))));
        }

        Assert.Equal(used, DataUsage.Of(image.Root));
        Shell.Check("chattr", "-i", At("immutable"));
        Shell.Check("btrfs", "subvolume", "delete", At("snap"));
        Shell.Check("btrfs", "subvolume", "sync", image.Root);
        Assert.Equal((2, 7 * Block, 13 * Block, 11 * Block), Numbers(Optimizer.Run(image.Root)));
    }

    [RootFact(Needs = Tools)]
    public void An_extent_is_replaced_where_it_gives_back_enough()
    {
        using ScratchImage image = Optimizer.NewImage();
        string file = NewFile(Path.Combine(image.Root, "file"), 1000);
        Zero(file, 10, 5);
        Shell.Check("sync", "--file-system", image.Root);

        // Less than a hundredth of what has to be written.
        Assert.Equal((0, 0, 0, 0), Numbers(Optimizer.Run(file, new OptimizeOptions())));
        Assert.Equal((0, 0, 0, 0), Numbers(Optimizer.Run(file, new OptimizeOptions { MinimumGain = (5 * Block) + 1 })));
        Assert.Equal((1, 5 * Block, 995 * Block, 0), Numbers(Optimizer.Run(file, new OptimizeOptions { MinimumGain = 5 * Block })));
        Zero(file, 20, 20);
        Shell.Check("sync", "--file-system", image.Root);
        Assert.Equal((1, 20 * Block, 975 * Block, 0), Numbers(Optimizer.Run(file, new OptimizeOptions())));
    }

    [RootFact(Needs = Tools + " compsize")]
    public void Compressed_extents_stay_compressed()
    {
        using ScratchImage image = Optimizer.NewImage();
        foreach (string algorithm in new[] { "zlib", "lzo", "zstd" })
        {
            string file = Path.Combine(image.Root, algorithm);
            File.WriteAllBytes(file, []);
            Shell.Check("btrfs", "property", "set", file, "compression", algorithm);
            File.WriteAllBytes(file, HalfCompressible(128 * 1024));
            byte[] half = new byte[64 * 1024];
            Random.Shared.NextBytes(half);
            Shell.Check("sync", "--file-system", image.Root);
            using (SafeFileHandle opened = File.OpenHandle(file, FileMode.Open, FileAccess.Write))
            {
                RandomAccess.Write(opened, half, 32 * 1024);
            }

            Shell.Check("sync", "--file-system", image.Root);
            long used = DataUsage.Of(image.Root);
            string facts = Optimizer.Facts(image.Root);
            OptimizeResult result = Optimizer.Run(file);
            Assert.Equal(result.GainedLength, used - DataUsage.Of(image.Root));
            string[] kind = Assert.Single(
                Shell.Check("compsize", "-b", file).Split('\n'), line => line.StartsWith(algorithm, StringComparison.Ordinal))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(
                (1, result.WrittenLength, 64 * 1024, 64 * 1024),
                (result.ExtentsReplaced, Number(kind[2]), Number(kind[3]), Number(kind[4])));
            Assert.True(result.GainedLength > 0 && result.WrittenLength < 64 * 1024, $"{result}");
            Assert.Equal(facts, Optimizer.Facts(image.Root));
        }
    }

    [RootFact(Needs = Tools)]
    public void Who_writes_meanwhile_loses_nothing_and_others_get_nothing_of_it()
    {
        using ScratchImage image = Optimizer.NewImage();
        string At(string path) => Path.Combine(image.Root, path);
        Random random = new(11);
        byte[] content = new byte[16 << 20];
        random.NextBytes(content);
        File.WriteAllBytes(At("db"), content);
        Shell.Check("cp", "--reflink=always", At("db"), At("clone"));
        Optimizer.Overwrite(At("db"), random, rounds: 5, blocks: 500);
        Optimizer.Overwrite(At("clone"), random, rounds: 5, blocks: 500);
        byte[] expected = File.ReadAllBytes(At("db"));
        string clone = Shell.Check("sha256sum", At("clone"));
        SafeFileHandle writer = File.OpenHandle(At("db"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        bool isDone = false;
        Thread writing = new(() =>
        {
            Random other = new(12);
            byte[] block = new byte[Block];
            while (!Volatile.Read(ref isDone))
            {
                other.NextBytes(block);
                int at = other.Next(expected.Length / Block) * Block;
                RandomAccess.Write(writer, block, at);
                block.CopyTo(expected, at);
                Thread.Yield();
            }
        });
        writing.Start();
        try
        {
            Assert.True(Optimizer.Run(image.Root).WrittenLength > 0);
        }
        finally
        {
            Volatile.Write(ref isDone, true);
            writing.Join();
            writer.Dispose();
        }

        Assert.Equal(expected, File.ReadAllBytes(At("db")));
        Assert.Equal(clone, Shell.Check("sha256sum", At("clone")));
        Shell.Check("sync", "--file-system", image.Root);
        Optimizer.Run(image.Root);
        DataUsage.Of(image.Root);
        Assert.Equal(0, new WasteWitness(image).Waste);
        image.Check();
    }

    [RootFact(Needs = Tools)]
    public void Without_space_it_says_so_and_changes_nothing()
    {
        using ScratchImage image = new(128L << 20, "noatime", "mkfs.btrfs", "--quiet", "--mixed");
        string file = NewFile(Path.Combine(image.Root, "file"), 12_000);
        Zero(file, 0, 500);
        string rest = Path.Combine(image.Root, "rest");
        Shell.Run("sh", "-c", "head -c 200M /dev/urandom > \"$1\" 2> /dev/null", "sh", rest);
        Shell.Run("sync", "--file-system", image.Root);
        string digest = Shell.Check("sha256sum", file);

        BtrfsException failure = Assert.Throws<BtrfsException>(() => Optimizer.Run(file));

        Assert.Equal((BtrfsError.NoSpace, file), (failure.Error, failure.Path));
        Assert.Equal(digest, Shell.Check("sha256sum", file));
        File.Delete(rest);
        Shell.Check("sync", "--file-system", image.Root);
        Assert.Equal((1, 500 * Block), (Optimizer.Run(file).ExtentsReplaced, 500 * Block));
    }

    [RootFact(Needs = Tools)]
    public void A_rate_is_kept_and_an_end_comes_at_once()
    {
        using ScratchImage image = Optimizer.NewImage();
        string file = NewFile(Path.Combine(image.Root, "file"), 4096);
        Zero(file, 0, 1024);
        Shell.Check("sync", "--file-system", image.Root);
        string facts = Optimizer.Facts(image.Root);
        long used = DataUsage.Of(image.Root);
        using CancellationTokenSource stop = new();
        var events = new SessionEvents { OnFailure = failure => throw failure, OnTick = stop.Cancel };
        using (OptimizeSession session = new(new OptimizeOptions { MaximumRate = 1 << 20 }, events))
        {
            Assert.Throws<OperationCanceledException>(() => session.Optimize(file, stop.Token));
        }

        Assert.Equal((facts, used), (Optimizer.Facts(image.Root), DataUsage.Of(image.Root)));
        OptimizeResult result = Optimizer.Run(file, new OptimizeOptions { MaximumRate = 8 << 20 });
        Assert.Equal((1, 1024 * Block, 3072 * Block, 0), Numbers(result));
        Assert.True(result.Elapsed > TimeSpan.FromSeconds(1), $"{result.Elapsed}");
    }

    [RootFact(Needs = "mkfs.xfs")]
    public void What_it_is_not_for_is_refused()
    {
        using ScratchImage image = new(512L << 20, "noatime", "mkfs.xfs", "-q");
        Assert.Equal(BtrfsError.NotBtrfs, Assert.Throws<BtrfsException>(() => Optimizer.Run(image.Root)).Error);
        Assert.Equal(
            BtrfsError.NotRegularFile, Assert.Throws<BtrfsException>(() => Optimizer.Run("/dev/null")).Error);
        Assert.Equal(
            BtrfsError.SourceNotFound,
            Assert.Throws<BtrfsException>(() => Optimizer.Run(Path.Combine(image.Root, "missing"))).Error);
    }

    /// <summary>Lines that say the same twice.</summary>
    private static byte[] HalfCompressible(int length)
    {
        byte[] content = new byte[length];
        for (int line = 0; line < length; line += 64)
        {
            Random.Shared.GetItems("0123456789abcdef"u8, content.AsSpan(line, 32));
            content.AsSpan(line, 32).CopyTo(content.AsSpan(line + 32, 32));
        }

        return content;
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private static (long, long, long, long) Numbers(OptimizeResult result) =>
        (result.ExtentsReplaced, result.GainedLength, result.WrittenLength, result.LeftLength);

    /// <summary>A file of one extent.</summary>
    private static string NewFile(string path, int blocks)
    {
        byte[] content = new byte[blocks * Block];
        Random.Shared.NextBytes(content);
        File.WriteAllBytes(path, content);
        Shell.Check("sync", "--file-system", Path.GetDirectoryName(path)!);
        return path;
    }

    /// <summary>Takes blocks out of a file.</summary>
    private static void Zero(string path, int first, int blocks)
    {
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Write);
        Native.PunchHole(file, first * (long)Block, blocks * (long)Block);
    }
}
