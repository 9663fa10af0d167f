using System.Diagnostics;
using System.Text.Json;
using BtrfsClone.Tests.Optimizing;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.ProgramTests;

/// <summary><c>btrfs-clone optimize</c> as a process: what it says, and that it may end at any moment.</summary>
public sealed class OptimizeCommandTests
{
    private const string Tools = "btrfs sync sha256sum find fallocate";

    [RootFact(Needs = Tools)]
    public void Says_what_would_come_free_and_what_has()
    {
        using ScratchImage image = Optimizer.NewImage();
        string file = Path.Combine(image.Root, "a\nb");
        byte[] content = new byte[40960];
        Random.Shared.NextBytes(content);
        File.WriteAllBytes(file, content);
        Shell.Check("sync", "--file-system", image.Root);
        Shell.Check("fallocate", "--punch-hole", "--offset", "8192", "--length", "12288", file);
        Shell.Check("sync", "--file-system", image.Root);
        string shown = Path.Combine(image.Root, @"a\x0ab");

        ShellResult promised = Support.Program.Run("optimize", "--dry-run", file);
        ShellResult nothing = Support.Program.Run("optimize", "--minimum-gain", "12289", file);
        ShellResult done = Support.Program.Run("optimize", "--maximum-rate", "100000000", "--json", image.Root, file);

        Assert.Equal(
            new ShellResult(0, $"{shown}: 1 extent would be replaced by 1, 12288 bytes gained, 28672 written, 0 left\n", ""), promised);
        Assert.Equal(new ShellResult(0, $"{shown}: 0 extents replaced by 0, 0 bytes gained, 0 written, 0 left\n", ""), nothing);
        Assert.Equal((0, ""), (done.ExitCode, done.Error));
        JsonElement[] objects = [.. done.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(
            new[] { (image.Root, 1L, 12288L, 28672L, 0L), (file, 0L, 0L, 0L, 0L) },
            objects.Select(one => (
                one.GetProperty("Path").GetString()!, one.GetProperty("ExtentsReplaced").GetInt64(),
                one.GetProperty("GainedLength").GetInt64(), one.GetProperty("WrittenLength").GetInt64(),
                one.GetProperty("LeftLength").GetInt64())));
    }

    [RootFact(Needs = Tools + " filefrag")]
    public void Joins_fragments_and_says_which_it_does_not()
    {
        using ScratchImage image = Optimizer.NewImage();
        string pool = Path.Combine(image.Root, "pool");
        string file = Path.Combine(pool, "file");
        Shell.Check("btrfs", "subvolume", "create", pool);
        Fragments.Write(file, new Random(1), 10 * Optimizer.Block, blocks: 1);
        ShellResult none = Support.Program.Run("optimize", "--target-extent-size", "0", file);
        ShellResult promised = Support.Program.Run("optimize", "-n", "--target-extent-size", "8192", file);
        Shell.Check("btrfs", "subvolume", "snapshot", "-r", pool, Path.Combine(image.Root, "snapshot"));
        ShellResult kept = Support.Program.Run("optimize", file);

        Assert.Equal(new ShellResult(0, $"{file}: 0 extents replaced by 0, 0 bytes gained, 0 written, 0 left\n", ""), none);
        Assert.Equal(
            new ShellResult(0, $"{file}: 10 extents would be replaced by 1, 0 bytes gained, 40960 written, 0 left\n", ""), promised);
        Assert.Equal(
            new ShellResult(0, $"{file}: 0 extents replaced by 0, 0 bytes gained, 0 written, 0 left, 10 extents not joined\n", ""), kept);
    }

    [RootFact(Needs = Tools + " cp " + Injection.Tools)]
    public void A_file_that_fails_is_named_by_its_own_path()
    {
        using ScratchImage image = Optimizer.NewImage();
        string pool = Path.Combine(image.Root, "pool");
        string other = Path.Combine(image.Root, "other/file");
        Directory.CreateDirectory(pool);
        Directory.CreateDirectory(Path.GetDirectoryName(other)!);
        Fragments.Write(other, new Random(1), 10 * Optimizer.Block, blocks: 1);
        Shell.Check("cp", "--reflink=always", other, Path.Combine(pool, "clone"));

        // The first call only sees whether the process may.
        ShellResult result = Injection.Run("open_by_handle_at:error=EACCES:when=2", out int injected, "optimize", pool);

        Assert.Equal(1, injected);
        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith($"btrfs-clone: {other}: ", result.Error, StringComparison.Ordinal);
        Assert.Contains($"{pool}: 0 extents replaced", result.Output, StringComparison.Ordinal);
    }

    [RootFact(Needs = Tools + " setpriv")]
    public void Who_may_not_is_told_what_it_takes()
    {
        using ScratchImage image = Optimizer.NewImage();
        ShellResult plain = Shell.Run(
            "setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", Support.Program.File, "optimize", image.Root);
        ShellResult withoutHandles = Shell.Run(
            "setpriv", "--bounding-set=-dac_read_search", "--inh-caps=-dac_read_search", Support.Program.File, "optimize", image.Root);

        Assert.Equal((1, 1), (plain.ExitCode, withoutHandles.ExitCode));
        Assert.Contains("needs CAP_SYS_ADMIN: run as root", plain.Error, StringComparison.Ordinal);
        Assert.Contains("needs CAP_DAC_READ_SEARCH: run as root", withoutHandles.Error, StringComparison.Ordinal);
    }

    [RootFact(Needs = Tools)]
    public void Ended_at_any_moment_it_leaves_each_file_as_it_was_and_the_next_run_completes_it()
    {
        using ScratchImage image = Optimizer.NewImage(size: 2L << 30);
        string file = Path.Combine(image.Root, "file");
        string clone = Path.Combine(image.Root, "clone");
        Random random = new(21);
        byte[] content = new byte[(64 << 20) + 100];
        random.NextBytes(content);
        File.WriteAllBytes(file, content);
        Shell.Check("cp", "--reflink=always", file, clone);
        Optimizer.Overwrite(clone, random, rounds: 20, blocks: 400);
        File.Delete(file);
        Shell.Check("cp", "--reflink=always", clone, file);
        int inTheMiddle = 0;
        int rounds = TestMachine.IsThorough ? 30 : 6;
        for (int round = 0; round < rounds; round++)
        {
            Optimizer.Overwrite(clone, random, rounds: 3, blocks: 1500);
            Shell.Check("cp", "--reflink=always", clone, file);
            long used = DataUsage.Of(image.Root);
            string facts = Optimizer.Facts(image.Root);
            using (Process process = Support.Program.Start("optimize", "--minimum-gain", "1", "--maximum-rate", "100000000", image.Root))
            {
                int signal = round % 2 == 0 ? Signal.Kill : Signal.Interrupt;
                // The runtime takes a while to start.
                Thread.Sleep(100 + random.Next(1200));
                Signal.Send(process, signal);
                process.WaitForExit();
                Assert.Contains(process.ExitCode, (int[])[0, 128 + signal]);
                inTheMiddle += process.ExitCode == 0 ? 0 : 1;
            }

            Assert.Equal(facts, Optimizer.Facts(image.Root));
            // What is moved in part is there twice, up to an extent (BTRFS_MAX_EXTENT_SIZE): what is not moved yet holds the old one.
            Assert.InRange(DataUsage.Of(image.Root), 1, used + (128 << 20));
            Assert.Equal(new[] { clone, file }, Directory.GetFileSystemEntries(image.Root).Order());
            if (round == rounds - 1)
            {
                image.Check();
            }
        }

        Assert.True(inTheMiddle > 0, "Every end came too late.");
        ShellResult last = Support.Program.Run("optimize", "--minimum-gain", "1", image.Root);
        Assert.Equal((0, ""), (last.ExitCode, last.Error));
        Assert.Equal((content.Length + 4095) / 4096 * 4096, DataUsage.Of(image.Root));
        Assert.Equal(0, new WasteWitness(image).Waste);
    }
}
