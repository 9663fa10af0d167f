using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using BtrfsClone.Carrying;
using BtrfsClone.Cloning;
using BtrfsClone.Syncing;
using BtrfsClone.Tests.Cloning;
using BtrfsClone.Tests.Support;
using BtrfsClone.Tests.Syncing;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Carrying;

/// <summary>What becomes of shared data at another filesystem: the room that it takes, and what may happen on the way.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed partial class CarryTests(ScratchBtrfs btrfs) : IDisposable
{
    private const int Mega = 1 << 20;

    private readonly ScratchImage _other = new(2L << 30, "noatime", "mkfs.btrfs", "--quiet", "--metadata", "single");
    private readonly Random _random = new(7);

    private static CloneOptions Auto => new CloneOptions { Reflink = ReflinkMode.Auto }.KeepingSharing();

    public void Dispose() => _other.Dispose();

    [RootFact(Needs = "cp compsize diff")]
    public void A_pool_of_clones_takes_the_room_that_it_took()
    {
        string pool = NewPool(clones: 10, files: 40, length: 200_001);

        CloneResult result = Cloner.Clone(pool, In("pool"), Auto);

        AssertSame(pool, In("pool"));
        Assert.InRange(DiskLength(In("pool")), 0, DiskLength(pool) * 102 / 100);
        Assert.Equal(result.Length, result.CopiedLength + result.SharedLength);
        Assert.InRange(result.CopiedLength, 40 * 200_001, (40 * 200_001) + (10 * 5 * 4096));
        _other.Check();
    }

    [RootFact(Needs = "fallocate dd filefrag")]
    public void An_overwritten_middle_stays_three_pieces()
    {
        string folder = btrfs.NewFolder();
        string file = Path.Combine(folder, "foo");
        // Its room is reserved first: the kernel may start to write out what is half written, each part to a place of its own.
        Shell.Check("fallocate", "--length", "8M", file);
        Shell.Check("dd", "if=/dev/urandom", $"of={file}", "bs=1M", "count=8", "conv=notrunc", "status=none");
        Shell.Check("sync", "--file-system", folder);
        Shell.Check("dd", "if=/dev/urandom", $"of={file}", "bs=4k", "count=1", "seek=100", "conv=notrunc", "status=none");
        Shell.Check("sync", "--file-system", folder);

        Cloner.Clone(file, In("foo"), Auto);

        Assert.Equal(SharingPieces(file, btrfs.Device), SharingPieces(In("foo"), _other.Device));
        Assert.Equal([(0, 409_600), (409_600, 4096), (413_696, 7_974_912)], SharingPieces(file, btrfs.Device));
    }

    [RootFact(Needs = "cp dd fallocate filefrag")]
    public void A_large_extent_stays_one_piece()
    {
        string folder = btrfs.NewFolder();
        string file = Path.Combine(folder, "foo");
        Shell.Check("fallocate", "--length", "40M", file);
        Shell.Check("dd", "if=/dev/urandom", $"of={file}", "bs=1M", "count=40", "conv=notrunc", "status=none");
        Shell.Check("sync", "--file-system", folder);
        Shell.Check("cp", "--reflink=always", file, Path.Combine(folder, "clone"));

        CloneResult result = Cloner.Clone(folder, In("folder"), Auto);

        Assert.Equal(40 * Mega, result.SharedLength);
        Assert.Equal([(0, 40 * Mega)], SharingPieces(file, btrfs.Device));
        Assert.Equal([(0, 40 * Mega)], SharingPieces(In("folder/foo"), _other.Device));
    }

    [RootFact]
    public void Progress_goes_on_within_a_large_file()
    {
        string file = Path.Combine(btrfs.NewFolder(), "large");
        File.WriteAllBytes(file, new byte[200 * Mega]);
        List<long> shown = [];
        Cloner? cloner = null;
        using (cloner = new Cloner(Auto, onTick: () => shown.Add(cloner!.Session.Counters.CopiedLength)))
        {
            cloner.Clone(file, CloneDestination.Named(In("large")));
        }

        Assert.Contains(shown, length => length is > 0 and < 200 * Mega);
    }

    [RootFact(Needs = "cp")]
    public void What_is_not_measured_shows_bytes_and_rate()
    {
        string pool = NewPool(clones: 3, files: 10, length: 50_000);
        using Cloner cloner = new(Auto);
        CloneDestination destination = CloneDestination.Named(In("pool"));
        var measured = new CarryProgress(cloner.Session.Counters);
        var progress = new CarryProgress(cloner.Session.Counters) { MostExtents = 5 };

        Assert.Null(measured.Add(pool, destination, CancellationToken.None));
        Assert.Null(progress.Add(pool, destination, CancellationToken.None));
        cloner.Clone(pool, destination);

        Assert.Equal(1, measured.Fraction);
        Assert.Null(progress.Fraction);
        Assert.Null(progress.TimeLeft);
        Assert.Matches(@"^0\.\d MB copied, [\d.]+ MB/s$", progress.Describe());
        Assert.Matches(@"^0\.\d of 0\.\d MB copied, [\d.]+ MB/s, 00:00:\d\d left$", measured.Describe());
    }

    [RootFact]
    public void What_progress_throws_ends_the_copy_once_the_file_is_whole()
    {
        string file = Path.Combine(btrfs.NewFolder(), "large");
        File.WriteAllBytes(file, new byte[40 * Mega]);
        using Cloner cloner = new(Auto, onTick: () => throw new TimeoutException());

        Assert.Throws<TimeoutException>(() => cloner.Clone(file, CloneDestination.Named(In("large"))));

        Assert.Equal(40 * Mega, new FileInfo(In("large")).Length);
    }

    [RootFact(Needs = "compsize cmp setpriv")]
    public void Compressed_extents_travel_as_they_are_or_are_counted()
    {
        string folder = btrfs.NewFolder();
        Shell.Check("btrfs", "property", "set", folder, "compression", "zstd");
        byte[] text = new byte[3 * Mega];
        for (int i = 0; i < text.Length; i++)
        {
            text[i] = (byte)('a' + _random.Next(4));
        }

        string file = Path.Combine(folder, "packed");
        File.WriteAllBytes(file, text);
        Shell.Check("sync", "--file-system", folder);
        Shell.Check("chmod", "a+rx", folder);
        Directory.CreateDirectory(In("free"));
        Shell.Check("chmod", "a+rwx", _other.Root, In("free"));

        CloneResult packed = Cloner.Clone(file, In("packed"), Auto);
        ShellResult unpacked = Shell.Run(
            "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", Support.Program.File, "copy", "--reflink", "auto",
            file, In("free"));

        Shell.Check("cmp", file, In("packed"));
        Shell.Check("cmp", file, In("free/packed"));
        Assert.Equal(0, packed.UnpackedLength);
        Assert.InRange(DiskLength(file), 0, text.Length / 2);
        Assert.Equal(DiskLength(file), DiskLength(In("packed")));
        Assert.Equal(0, unpacked.ExitCode);
        Assert.Contains("that are compressed at the source were unpacked", unpacked.Error, StringComparison.Ordinal);
    }

    [RootFact(Needs = "cp compsize diff setpriv")]
    public void Without_root_sharing_is_kept_too()
    {
        string pool = NewPool(clones: 3, files: 10, length: 50_000);
        Shell.Check("chmod", "--recursive", "a+rX", pool);
        Shell.Check("chmod", "a+rwx", _other.Root);

        Shell.Check(
            "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", Support.Program.File, "copy", "--reflink", "auto",
            pool, In("pool"));

        AssertSame(pool, In("pool"));
        Assert.InRange(DiskLength(In("pool")), 0, DiskLength(pool) * 102 / 100);
    }

    [RootFact(Needs = "cp cmp")]
    public void A_full_filesystem_leaves_whole_files_only()
    {
        using ScratchImage small = new(120L << 20, "noatime", "mkfs.btrfs", "--quiet", "--mixed", "--metadata", "single");
        string pool = NewPool(clones: 3, files: 60, length: 2 * Mega);
        string copy = Path.Combine(small.Root, "pool");
        using Cloner cloner = new(Auto);
        var progress = new CarryProgress(cloner.Session.Counters);

        string? shortage = progress.Add(pool, CloneDestination.Named(copy), CancellationToken.None);
        CloneResult result = cloner.Clone(pool, CloneDestination.Named(copy));

        Assert.Contains("bytes may have to be written", shortage, StringComparison.Ordinal);
        Assert.NotEmpty(cloner.Failures);
        Assert.All(cloner.Failures, failure => Assert.Equal(BtrfsError.NoSpace, failure.Error));
        Assert.Equal(result.Files, AssertWhole(pool, copy));
        Assert.InRange(result.Failed, 1, 180 - result.Files!.Value);
    }

    [RootFact(Needs = "cp cmp")]
    public void A_cancelled_copy_leaves_whole_files_only()
    {
        string pool = NewPool(clones: 3, files: 60, length: 2 * Mega);
        using CancellationTokenSource cancellation = new();
        bool Filter(ReadOnlySpan<string> path, EntryKind kind)
        {
            // However quick the others are, it is not done before it is cancelled.
            return path[^2] != "clone2" || cancellation.Token.WaitHandle.WaitOne(TimeSpan.FromMinutes(1));
        }

        using Cloner cloner = new(Auto with { Filter = Filter, Workers = 4 });
        CloneCounters counters = cloner.Session.Counters;
        Task canceller = Task.Run(() =>
        {
            SpinWait.SpinUntil(() => counters.CopiedLength > 20 * Mega, TimeSpan.FromMinutes(1));
            cancellation.Cancel();
        });

        Assert.Throws<OperationCanceledException>(
            () => cloner.Clone(pool, CloneDestination.Named(In("pool")), cancellation.Token));

        canceller.Wait();
        Assert.Equal(counters.Files, AssertWhole(pool, In("pool")));
    }

    [RootFact(Needs = "cp cmp")]
    public void A_killed_copy_leaves_nothing_that_takes_room()
    {
        string pool = NewPool(clones: 2, files: 60, length: 2 * Mega);
        bool inTheMiddle = false;
        for (int attempt = 0; attempt < 10 && !inTheMiddle; attempt++)
        {
            Shell.Check("rm", "--recursive", "--force", In("pool"));
            using Process process = Support.Program.Start("copy", "--reflink", "auto", pool, In("pool"));
            SpinWait.SpinUntil(() => process.HasExited || Directory.Exists(In("pool/clone0")) &&
                Directory.GetFiles(In("pool/clone0")).Length > 10 - attempt);
            process.Kill();
            process.WaitForExit();
            inTheMiddle = process.ExitCode != 0;
        }

        Assert.True(inTheMiddle, "Every copy was done before it was killed.");
        Shell.Check("rm", "--recursive", "--force", In("pool"));
        _other.Check();
        Shell.Check("btrfs", "subvolume", "sync", _other.Root);
        Shell.Check("sync", "--file-system", _other.Root);
        string usage = Shell.Check("btrfs", "filesystem", "usage", "-b", _other.Root);
        Assert.InRange(long.Parse(Used().Match(usage).Groups[1].Value, CultureInfo.InvariantCulture), 0, 2 * Mega);
    }

    [RootFact(Needs = "cp compsize diff")]
    public void Atomic_appears_at_once_and_shares()
    {
        string pool = NewPool(clones: 3, files: 10, length: 50_000);
        using Cloner cloner = new(Auto with { Atomic = true });

        cloner.Clone(pool, CloneDestination.Named(In("pool")));
        Assert.False(Directory.Exists(In("pool")));
        cloner.Session.Complete();

        AssertSame(pool, In("pool"));
        Assert.InRange(DiskLength(In("pool")), 0, DiskLength(pool) * 102 / 100);
    }

    [RootFact(Needs = "cp compsize diff")]
    public void A_sync_shares_what_differs()
    {
        string pool = NewPool(clones: 4, files: 10, length: 50_000);
        var options = new SyncOptions { Reflink = ReflinkMode.Auto, Delete = true };
        Syncer.Sync(pool, In("pool"), options);
        Assert.InRange(DiskLength(In("pool")), 0, DiskLength(pool) * 102 / 100);
        Shell.Check("cp", "--archive", "--reflink=always", Path.Combine(pool, "clone1"), Path.Combine(pool, "more1"));
        byte[] other = new byte[300_000];
        _random.NextBytes(other);
        File.WriteAllBytes(Path.Combine(pool, "more1", "new"), other);
        Shell.Check("cp", "--archive", "--reflink=always", Path.Combine(pool, "more1"), Path.Combine(pool, "more2"));

        SyncResult result = Syncer.Sync(pool, In("pool"), options);

        AssertSame(pool, In("pool"));
        Assert.InRange(result.CopiedLength, 300_000, 300_000 + (10 * 50_000));
        Assert.InRange(result.SharedLength, 300_000, long.MaxValue);
    }

    [RootFact(Needs = "cp cmp")]
    public void What_is_written_meanwhile_changes_no_other_file()
    {
        string folder = btrfs.NewFolder();
        int rounds = TestMachine.IsThorough ? 100 : 10;
        for (int round = 0; round < rounds; round++)
        {
            string tree = Directory.CreateDirectory(Path.Combine(folder, $"tree{round}")).FullName;
            string busy = Path.Combine(tree, "a-busy");
            byte[] data = new byte[4 * Mega];
            _random.NextBytes(data);
            File.WriteAllBytes(busy, data);
            Shell.Check("sync", "--file-system", tree);
            foreach (string name in new[] { "b", "c", "d" })
            {
                Shell.Check("cp", "--archive", "--reflink=always", busy, Path.Combine(tree, name));
            }

            using CancellationTokenSource end = new();
            Task writer = Task.Run(() => WriteAtRandom(busy, end.Token));
            string copy = In($"copy{round}");
            Cloner.Clone(tree, copy, Auto);
            end.Cancel();
            writer.Wait();

            foreach (string name in new[] { "b", "c", "d" })
            {
                Assert.True(data.AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(copy, name))), $"round {round}: {name}");
            }

            Directory.Delete(copy, recursive: true);
        }
    }

    [RootTheory(Needs = "cp diff mkfs.xfs")]
    [InlineData("mkfs.btrfs", "--quiet", "--mixed", "--metadata", "single")]
    [InlineData("mkfs.xfs", "-q", "-m", "reflink=1")]
    public void What_takes_the_room_of_shared_data_that_is_gone_is_not_taken_for_it(params string[] mkfs)
    {
        using ScratchImage small = new(320L << 20, "noatime", mkfs);
        string source = Path.Combine(small.Root, "source");
        using Cloner cloner = new(Auto);
        for (int round = 0; round < 3; round++)
        {
            Directory.CreateDirectory(source);
            byte[] data = new byte[100 * Mega];
            _random.NextBytes(data);
            string[] files = [Path.Combine(source, "a"), Path.Combine(source, "b")];
            File.WriteAllBytes(files[0], data);
            Shell.Check("cp", "--archive", "--reflink=always", files[0], files[1]);
            Shell.Check("sync", "--file-system", small.Root);

            string copy = In($"copy{round}");
            cloner.Clone(source, CloneDestination.Named(copy));

            Assert.Empty(cloner.Failures);
            AssertSame(source, copy);
            Directory.Delete(source, recursive: true);
            Directory.Delete(copy, recursive: true);
            Shell.Check("sync", "--file-system", small.Root);
        }
    }

    [RootTheory(Needs = InPlace.Tools + " cmp")]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_written_in_place_and_cloned_again_arrives_as_it_is(bool inherit)
    {
        InPlace source = new(btrfs.NewFolder());
        source.Make();
        using Cloner cloner = new(Auto with { InheritProperty = inherit });
        CloneResult first = cloner.Clone(source.First, CloneDestination.Named(In("first")));
        source.Overwrite();

        cloner.Clone(source.Second, CloneDestination.Named(In("second")));

        Assert.Empty(cloner.Failures);
        Assert.Equal(256 << 10, first.SharedLength);
        Shell.Check("cmp", Path.Combine(source.Second, "clone"), In("second/clone"));
    }

    [RootFact(Needs = PackedNeighbours.Tools + " diff")]
    public void Compressed_extents_that_FIEMAP_takes_for_one_arrive_shared()
    {
        using ScratchImage source = new(1L << 30, "noatime", "mkfs.btrfs", "--quiet", "--metadata", "single");
        string tree = Path.Combine(source.Root, "tree");
        PackedNeighbours.Make(tree, source.Device);

        Cloner.Clone(tree, In("tree"), Auto);

        AssertSame(tree, In("tree"));
        PackedNeighbours.AssertSharing(tree, source.Device, In("tree"), _other.Device);
    }

    private static void WriteAtRandom(string path, CancellationToken end)
    {
        Random random = new();
        byte[] bytes = new byte[4096];
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        while (!end.IsCancellationRequested)
        {
            random.NextBytes(bytes);
            RandomAccess.Write(file, bytes, random.Next(1024) * 4096L);
            if (random.Next(50) == 0)
            {
                RandomAccess.FlushToDisk(file);
            }
        }
    }

    private string In(string name) => Path.Combine(_other.Root, name);

    /// <summary>Clones of one tree, in each of which a few blocks differ.</summary>
    private string NewPool(int clones, int files, int length)
    {
        string pool = btrfs.NewFolder();
        string first = Directory.CreateDirectory(Path.Combine(pool, "clone0")).FullName;
        byte[] data = new byte[length];
        for (int i = 0; i < files; i++)
        {
            _random.NextBytes(data);
            File.WriteAllBytes(Path.Combine(first, $"file{i}"), data);
        }

        Shell.Check("sync", "--file-system", pool);
        for (int i = 1; i < clones; i++)
        {
            string clone = Path.Combine(pool, $"clone{i}");
            Shell.Check("cp", "--archive", "--reflink=always", first, clone);
            for (int change = 0; change < 5; change++)
            {
                using SafeFileHandle file = Native.Open(Path.Combine(clone, $"file{_random.Next(files)}"), write: true);
                RandomAccess.Write(file, data.AsSpan(0, 4096), _random.Next(length / 4096) * 4096L);
            }
        }

        Shell.Check("sync", "--file-system", pool);
        return pool;
    }

    private static void AssertSame(string source, string copy)
    {
        Shell.Check("sync", "--file-system", copy);
        Shell.Check("diff", "--recursive", source, copy);
    }

    private static int AssertWhole(string source, string copy)
    {
        string[] files = Directory.GetFiles(copy, "*", SearchOption.AllDirectories);
        foreach (string file in files)
        {
            Shell.Check("cmp", Path.Combine(source, Path.GetRelativePath(copy, file)), file);
        }

        return files.Length;
    }

    private static (long, long)[] SharingPieces(string file, string device)
    {
        Shell.Check("sync", "--file-system", file);
        return SharingWitness.Pieces(file, device);
    }

    private static long DiskLength(string path)
    {
        Shell.Check("sync", "--file-system", path);
        Match total = Total().Match(Shell.Check("compsize", "-b", path));
        return long.Parse(total.Groups[1].Value, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"TOTAL +\d+% +(\d+)")]
    private static partial Regex Total();

    [GeneratedRegex(@"Used:\s+(\d+)")]
    private static partial Regex Used();
}
