using System.Diagnostics;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Faults;

/// <summary>The program ends at random moments: by its own handling of a signal, by SIGKILL, with the machine's power.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class KillTests(ScratchBtrfs btrfs)
{
    private const string Hidden = ".btrfs-clone-atomic.";
    private const int Workers = 2;

    private readonly string _folder = btrfs.NewFolder();
    private readonly Random _random = new(5);

    [RootTheory(Needs = Fingerprint.Tools)]
    [InlineData(true)]
    [InlineData(false)]
    public void Killed_at_any_moment(bool atomic)
    {
        using ScratchImage image = new(1L << 30, "noatime", "mkfs.btrfs", "--quiet", "--metadata", "single");
        InterruptionTree tree = new(image.Root);
        string place = Directory.CreateDirectory(Path.Combine(image.Root, "place")).FullName;
        string clone = Path.Combine(place, "clone");
        (TimeSpan begin, TimeSpan end) = Measure(tree.Source, clone, atomic);
        int inTheMiddle = 0;
        int rounds = TestMachine.IsThorough ? 100 : 4;
        for (int round = 0; round < rounds; round++)
        {
            Shell.Check("rm", "-rf", clone);
            if (!atomic)
            {
                Shell.Check("cp", "-a", "--reflink=always", tree.Old, clone);
            }

            Interrupt(Signal.Kill, tree.Source, clone, atomic, begin, end);
            image.Check();

            string[] hidden = [.. Directory.EnumerateFileSystemEntries(place).Where(p => p != clone)];
            Assert.InRange(hidden.Length, 0, 1);
            Assert.All(hidden, h => Assert.StartsWith(Hidden, Path.GetFileName(h), StringComparison.Ordinal));
            inTheMiddle += hidden.Length;
            if (!atomic)
            {
                Assert.Empty(hidden);
                inTheMiddle += tree.AssertOldOrNew(clone, Workers);
            }
            else if (Directory.Exists(clone))
            {
                tree.AssertWhole(clone);
            }
        }

        // What a killed run has left, the next one finishes or removes.
        Shell.Check("rm", "-rf", clone);
        Assert.Equal(new ShellResult(0, "", ""), Run(tree.Source, clone, atomic));
        tree.AssertWhole(clone);
        Assert.Equal("clone\n", Shell.Check("ls", "-A", place));
        tree.AssertSourceIntact();
        Assert.True(inTheMiddle > 0 || !TestMachine.IsThorough, "Every kill came too early or too late.");
    }

    [BtrfsTheory(Needs = Fingerprint.Tools)]
    [InlineData(true)]
    [InlineData(false)]
    public void Asked_to_end_at_any_moment(bool atomic)
    {
        InterruptionTree tree = new(_folder);
        string place = Directory.CreateDirectory(Path.Combine(_folder, "place")).FullName;
        string clone = Path.Combine(place, "clone");
        (TimeSpan begin, TimeSpan end) = Measure(tree.Source, clone, atomic);
        for (int round = 0; round < (TestMachine.IsThorough ? 20 : 4); round++)
        {
            Shell.Check("rm", "-rf", clone);
            if (!atomic)
            {
                Shell.Check("cp", "-a", "--reflink=always", tree.Old, clone);
            }

            int signal = round % 2 == 0 ? Signal.Interrupt : Signal.Terminate;
            (int exitCode, string error) = Interrupt(signal, tree.Source, clone, atomic, begin, end);

            // Before the runtime can handle signals, they end it at once.
            Assert.Contains(exitCode, (int[])[0, 128 + signal]);
            Assert.Equal("", error);
            if (Directory.Exists(clone))
            {
                Assert.Equal("clone\n", Shell.Check("ls", "-A", place));
                Assert.Equal(0, tree.AssertOldOrNew(clone, Workers));
            }
            else
            {
                Assert.Equal("", Shell.Check("ls", "-A", place));
            }

            if (atomic && Directory.Exists(clone))
            {
                tree.AssertWhole(clone);
            }
            else if (exitCode == 0)
            {
                Shell.Check("diff", "--recursive", "--no-dereference", tree.Source, clone);
            }
        }

        tree.AssertSourceIntact();
    }

    [RootFact(Needs = Fingerprint.Tools + " cp")]
    public void Power_that_fails_at_any_moment_of_an_atomic_clone()
    {
        // The image lies on btrfs, so that a copy of it is all of it at one moment, as a disk's platters would be.
        using ScratchImage image = new(
            1L << 30, "noatime", new DirectoryInfo(_folder), "mkfs.btrfs", "--quiet", "--metadata", "single");
        InterruptionTree tree = new(image.Root);
        string place = Directory.CreateDirectory(Path.Combine(image.Root, "place")).FullName;
        string clone = Path.Combine(place, "clone");
        (TimeSpan begin, TimeSpan end) = Measure(tree.Source, clone, atomic: true);
        for (int round = 0; round < (TestMachine.IsThorough ? 12 : 2); round++)
        {
            Shell.Check("rm", "-rf", clone);
            Shell.Check("sync", "--file-system", image.Root);
            using Process program = Start(tree.Source, clone, atomic: true);
            Thread.Sleep(Between(begin, end));
            Task commit = Task.Run(() => Shell.Run("btrfs", "filesystem", "sync", image.Root));
            Thread.Sleep(_random.Next(30));
            string copy = Path.Combine(_folder, "copy");
            Shell.Check("cp", "--reflink=always", image.Image, copy);
            program.Kill();
            program.WaitForExit();
            commit.Wait();
            image.Unmount();

            Shell.Check("btrfs", "check", copy);
            string mount = Directory.CreateDirectory(Path.Combine(_folder, "mount")).FullName;
            Shell.Check("mount", "-o", "loop,noatime", copy, mount);
            try
            {
                InterruptionTree left = tree.At(mount);
                left.AssertSourceIntact();
                if (Directory.Exists(Path.Combine(mount, "place/clone")))
                {
                    left.AssertWhole(Path.Combine(mount, "place/clone"));
                }

                Assert.InRange(
                    Directory.GetFileSystemEntries(Path.Combine(mount, "place"), Hidden + "*").Length, 0, 1);
            }
            finally
            {
                Shell.Check("umount", mount);
                File.Delete(copy);
                image.Mount();
            }
        }
    }

    /// <summary>When the program begins to write, and when it is done.</summary>
    private static (TimeSpan Begin, TimeSpan End) Measure(string source, string clone, bool atomic)
    {
        Stopwatch watch = Stopwatch.StartNew();
        using Process program = Start(source, clone, atomic);
        string place = Path.GetDirectoryName(clone)!;
        while (!program.HasExited && !Directory.EnumerateFileSystemEntries(place).Any())
        {
            Thread.Yield();
        }

        TimeSpan begin = watch.Elapsed;
        program.WaitForExit();
        return (begin, watch.Elapsed);
    }

    private static Process Start(string source, string clone, bool atomic) => Support.Program.Start(
        ["copy", "--jobs", $"{Workers}", .. atomic ? (string[])["--atomic"] : ["--force"], .. Paths(source, clone, atomic)]);

    private static ShellResult Run(string source, string clone, bool atomic) => Shell.Run(
        Support.Program.File, ["copy", .. atomic ? (string[])["--atomic"] : [], .. Paths(source, clone, atomic)]);

    /// <summary>A plain clone merges into what is there, for which the source's own name has to be the clone's.</summary>
    private static string[] Paths(string source, string clone, bool atomic) => atomic || !Directory.Exists(clone)
        ? [source, clone]
        : [.. Directory.EnumerateFileSystemEntries(source), clone];

    private (int ExitCode, string Error) Interrupt(
        int signal, string source, string clone, bool atomic, TimeSpan begin, TimeSpan end)
    {
        using Process program = Start(source, clone, atomic);
        Thread.Sleep(Between(begin, end));
        Signal.Send(program, signal);
        string error = program.StandardError.ReadToEnd();
        program.WaitForExit();
        return (program.ExitCode, error);
    }

    private TimeSpan Between(TimeSpan begin, TimeSpan end) => begin + (_random.NextDouble() * 1.1 * (end - begin));
}
