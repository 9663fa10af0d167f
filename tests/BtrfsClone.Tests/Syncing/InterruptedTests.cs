using System.Diagnostics;
using BtrfsClone.Interop;
using BtrfsClone.Syncing;
using BtrfsClone.Tests.Faults;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Syncing;

/// <summary>A sync that is killed, that finds no room or may not read, and one whose source changes meanwhile.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class InterruptedTests(ScratchBtrfs btrfs)
{
    private const int Workers = 2;

    [RootFact(Needs = Fingerprint.Tools + " diff setfattr")]
    public void Killed_at_any_moment()
    {
        using ScratchImage image = new(1L << 30, "noatime", "mkfs.btrfs", "--quiet", "--metadata", "single");
        InterruptionTree tree = new(image.Root);
        string destination = Path.Combine(image.Root, "destination");
        Random random = new(16);
        Renew();
        Stopwatch watch = Stopwatch.StartNew();
        Assert.Equal(0, Run(tree.Source, destination).ExitCode);
        TimeSpan usual = watch.Elapsed;
        string whole = Fingerprint.TextOf(tree.Source);
        int inTheMiddle = 0;
        for (int round = 1; round <= (TestMachine.IsThorough ? 100 : 5); round++)
        {
            Renew();
            using (Process program = Program.Start(
                "sync", "--delete", "--jobs", $"{Workers}", tree.Source, destination))
            {
                Thread.Sleep(usual * (0.2 + (random.NextDouble() * 0.8)));
                program.Kill();
                program.WaitForExit();
            }

            if (round % 20 == 1)
            {
                image.Check();
            }

            tree.AssertOldOrNew(destination, Workers);

            // The next one completes it, and leaves nothing that the killed one has left.
            ShellResult rest = Program.Run("sync", "--delete", "--verbose", tree.Source, destination);
            Assert.Equal((0, ""), (rest.ExitCode, rest.Error));
            inTheMiddle += rest.Output.Length > 0 ? 1 : 0;
            Assert.Equal(whole, Fingerprint.TextOf(destination));
            Assert.DoesNotContain(
                Directory.EnumerateFileSystemEntries(destination, "*", SearchOption.AllDirectories),
                path => Path.GetFileName(path).StartsWith(".btrfs-clone", StringComparison.Ordinal));
        }

        image.Check();
        tree.AssertSourceIntact();
        Assert.True(inTheMiddle > 0, "Every kill came too late.");

        void Renew()
        {
            Shell.Check("rm", "-rf", destination);
            Shell.Check("cp", "-a", "--reflink=always", tree.Old, destination);
        }
    }

    [RootFact(Needs = "dd diff")]
    public void A_full_filesystem_and_then_room_again()
    {
        using ScratchImage small = new(114 << 20, "noatime", "mkfs.btrfs", "--quiet", "--mixed", "--metadata", "single");
        string source = Path.Combine(small.Root, "source");
        string destination = Path.Combine(small.Root, "destination");
        Directory.CreateDirectory(source);
        for (int i = 0; i < 3000; i++)
        {
            File.WriteAllText(Path.Combine(source, $"{i}"), new string('x', 1500));
        }

        Directory.CreateDirectory(destination);
        File.WriteAllText(Path.Combine(destination, "1"), "old");
        Shell.Check("dd", "if=/dev/zero", "bs=1K", "count=1000", $"of={small.Root}/spare", "status=none");
        Shell.Check("sync", "--file-system", small.Root);
        Shell.Run("dd", "if=/dev/zero", "bs=1M", $"of={small.Root}/fill");
        Shell.Check("sync", "--file-system", small.Root);
        File.Delete($"{small.Root}/spare");
        Shell.Check("btrfs", "filesystem", "sync", small.Root);

        (SyncResult full, List<BtrfsException> failures, _) = Syncer.SyncAll(source, destination);

        Assert.NotEmpty(failures);
        Assert.Equal(failures.Count, full.Failed);
        Assert.All(failures, f => Assert.Equal(BtrfsError.NoSpace, f.Error));
        string kept = File.ReadAllText(Path.Combine(destination, "1"));
        Assert.Contains(kept, (string[])["old", new string('x', 1500)]);
        foreach (string path in Directory.EnumerateFiles(destination).Where(p => Path.GetFileName(p) != "1"))
        {
            Shell.Check("cmp", path, Path.Combine(source, Path.GetFileName(path)));
        }

        small.Check();
        File.Delete($"{small.Root}/fill");
        Syncer.Sync(source, destination);
        Shell.Check("diff", "-r", source, destination);
    }

    [RootFact(Needs = "btrfs diff")]
    public void A_quota_that_is_reached_and_then_lifted()
    {
        using ScratchImage image = new(256 << 20, "noatime", "mkfs.btrfs", "--quiet", "--metadata", "single");
        string source = Path.Combine(image.Root, "source");
        Directory.CreateDirectory(source);
        for (int i = 0; i < 200; i++)
        {
            File.WriteAllText(Path.Combine(source, $"{i:d3}"), new string('x', 10_000));
        }

        string limited = Path.Combine(image.Root, "limited");
        string destination = Path.Combine(limited, "destination");
        image.EnableQuota();
        Shell.Check("btrfs", "subvolume", "create", limited);
        Directory.CreateDirectory(destination);
        Shell.Check("btrfs", "qgroup", "limit", "512K", limited);
        int asked = 0;
        SyncOptions options = new()
        {
            Filter = (_, _) =>
            {
                // What is cloned counts from the next commit on (btrfs-quota(5)).
                if (Interlocked.Increment(ref asked) == 100)
                {
                    Shell.Check("btrfs", "filesystem", "sync", image.Root);
                }

                return true;
            },
        };

        List<BtrfsException> failures = Syncer.SyncAll(source, destination, options).Failures;

        Assert.NotEmpty(failures);
        Assert.All(failures, f => Assert.Equal(BtrfsError.QuotaExceeded, f.Error));
        image.Check();
        Shell.Check("btrfs", "qgroup", "limit", "none", limited);
        Syncer.Sync(source, destination, options);
        Shell.Check("diff", "-r", source, destination);
    }

    [RootFact(Needs = "setpriv chown")]
    public void Below_a_directory_that_cannot_be_read_nothing_is_removed()
    {
        string folder = btrfs.NewFolder();
        string source = Path.Combine(folder, "source");
        string destination = Path.Combine(folder, "destination");
        foreach (string name in new[] { "open", "closed" })
        {
            Directory.CreateDirectory(Path.Combine(source, name));
            Directory.CreateDirectory(Path.Combine(destination, name, "inner"));
            File.WriteAllText(Path.Combine(destination, name, "extra"), "mine");
        }

        Shell.Check("chown", "-R", "65534:65534", destination);
        Native.Chmod(Path.Combine(source, "closed"), 0);

        ShellResult result = Shell.Run(
            "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", Program.File, "sync", "--delete", source, destination);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(Path.Combine(source, "closed"), result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(destination, "open")));
        Assert.Equal(2, Directory.GetFileSystemEntries(Path.Combine(destination, "closed")).Length);
    }

    [RootTheory(Needs = "setpriv chown")]
    [InlineData(0)]
    [InlineData(0b001_001_001)]
    public void A_source_that_may_not_be_listed_is_an_error_of_its_own(uint mode)
    {
        string folder = btrfs.NewFolder();
        string source = Directory.CreateDirectory(Path.Combine(folder, "source")).FullName;
        string destination = Directory.CreateDirectory(Path.Combine(folder, "destination")).FullName;
        File.WriteAllText(Path.Combine(destination, "extra"), "mine");
        Shell.Check("chown", "-R", "65534:65534", folder);
        Native.Chmod(source, mode);

        ShellResult result = Shell.Run(
            "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", Program.File, "sync", "--delete", source, destination);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"{source}: permission denied: openat", result.Error, StringComparison.Ordinal);
        Assert.Single(Directory.GetFileSystemEntries(destination));
    }

    [RootTheory(Needs = "diff rm mv")]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_written_meanwhile_is_there_or_found_by_the_next_one(bool inPlace)
    {
        string folder = btrfs.NewFolder();
        string source = Path.Combine(folder, "source");
        string destination = Path.Combine(folder, "destination");
        SyncOptions options = new() { Delete = true, InPlace = inPlace };
        for (int i = 0; i < 400; i++)
        {
            Directory.CreateDirectory(Path.Combine(source, $"{i % 20}"));
            File.WriteAllText(Path.Combine(source, $"{i % 20}", $"{i}"), "first");
        }

        Syncer.Sync(source, destination, options);
        using CancellationTokenSource stop = new();
        Task writer = Task.Run(() => Write(source, stop.Token));
        try
        {
            for (int round = 0; round < (TestMachine.IsThorough ? 12 : 8); round++)
            {
                // A file may be gone by the time that it is reached: it says so, or the next one sees it.
                Assert.All(Syncer.SyncAll(source, destination, options).Failures, f => Assert.Contains(
                    f.Error, (BtrfsError[])[BtrfsError.SourceNotFound, BtrfsError.ChangedMeanwhile]));
            }
        }
        finally
        {
            stop.Cancel();
            writer.Wait();
        }

        Syncer.Sync(source, destination, options);
        Shell.Check("diff", "-r", source, destination);
        Assert.Null(Syncer.Sync(source, destination, options).Unchanged);
    }

    private static ShellResult Run(string source, string destination) =>
        Program.Run("sync", "--delete", source, destination);

    /// <summary>Writes, appends, moves, removes and makes files.</summary>
    private static void Write(string source, CancellationToken stop)
    {
        Random random = new(3);
        for (int i = 0; !stop.IsCancellationRequested; i++)
        {
            // Each sync writes out what is dirty, and is not to wait for us.
            Thread.Sleep(1);
            string path = Path.Combine(source, $"{random.Next(20)}", $"{random.Next(400)}");
            switch (random.Next(4))
            {
                case 0:
                    File.WriteAllText(path, new string('w', random.Next(20_000)));
                    break;
                case 1:
                    File.AppendAllText(path, "more");
                    break;
                case 2:
                    File.Delete(path);
                    break;
                default:
                    if (File.Exists(path))
                    {
                        File.Move(path, Path.Combine(source, $"{random.Next(20)}", $"moved{i % 50}"), overwrite: true);
                    }

                    break;
            }
        }
    }
}
