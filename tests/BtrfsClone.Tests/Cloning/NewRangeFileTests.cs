using BtrfsClone.Cloning;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Cloning;

/// <summary>A file that a range makes: it has its name when the range is in it and no earlier.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class NewRangeFileTests(ScratchBtrfs btrfs)
{
    private const int Block = 4096;

    private readonly string _folder = btrfs.NewFolder();
    private readonly byte[] _content = NewContent();

    [BtrfsFact]
    public void A_range_that_fails_takes_nothing_of_another_that_runs_at_once()
    {
        string source = NewSource();
        using RangeCloner good = new();
        using RangeCloner bad = new();
        for (int i = 0; i < 300; i++)
        {
            string destination = At($"new{i}");

            AtOnce(
                () => good.Clone(source, destination, Block, Block, Block),
                () => Assert.Equal(
                    BtrfsError.UnalignedRange,
                    Assert.Throws<BtrfsException>(() => bad.Clone(source, destination, 1, Block, 0)).Error));

            Assert.Equal([.. new byte[Block], .. _content[Block..(2 * Block)]], File.ReadAllBytes(destination));
        }
    }

    [BtrfsFact]
    public void Two_ranges_at_once_into_one_missing_file_are_both_there()
    {
        string source = NewSource();
        using RangeCloner first = new();
        using RangeCloner second = new();
        for (int i = 0; i < 300; i++)
        {
            string destination = At($"new{i}");

            AtOnce(
                () => first.Clone(source, destination, 0, Block),
                () => second.Clone(source, destination, Block, Block));

            Assert.Equal(_content[..(2 * Block)], File.ReadAllBytes(destination));
        }

        Assert.Equal(301, Directory.GetFileSystemEntries(_folder).Length);
    }

    [BtrfsFact(Needs = RefusingProgram.Tools)]
    public void A_name_that_is_taken_in_the_last_moment_is_the_destination_that_exists()
    {
        string source = NewSource();
        RefusingProgram program = new(At("program"));

        Assert.Equal(new ShellResult(0, "", ""), program.Run("race", "range", $"{source}:4k:4k", At("new")));

        Assert.Equal([.. new byte[Block], .. _content[Block..(2 * Block)]], File.ReadAllBytes(At("new")));
        Assert.Equal(new[] { At("new"), At("program"), source }, Directory.GetFileSystemEntries(_folder).Order());
    }

    [RootFact(Needs = SwapFile.Tools)]
    public void A_range_that_fails_has_never_made_a_name()
    {
        string source = NewSource();
        using SwapFile swap = new(At("swap"));
        using ScratchImage other = new(128L << 20, "noatime", "mkfs.btrfs", "--quiet", "--mixed");

        Assert.Equal(new[] { At("end") }, NamesMade(_folder, () =>
        {
            using RangeCloner cloner = new();
            Assert.Equal(BtrfsError.UnalignedRange, Refusal(cloner, source, At("a"), 1).Error);
            Assert.Equal(BtrfsError.RangeBeyondEnd, Refusal(cloner, source, At("b"), 1L << 40).Error);
            Assert.Equal(BtrfsError.SwapFile, Refusal(cloner, swap.Path, At("c")).Error);
        }));
        Assert.Equal(new[] { Path.Combine(other.Root, "end") }, NamesMade(other.Root, () =>
        {
            using RangeCloner cloner = new();
            Assert.Equal(BtrfsError.CrossDevice, Refusal(cloner, source, Path.Combine(other.Root, "d")).Error);
        }));
    }

    [BtrfsTheory(Needs = RefusingProgram.Tools)]
    [InlineData("tmpfile")]
    [InlineData("linkfd")]
    [InlineData("tmpfile,linkfd")]
    public void Where_a_file_cannot_be_without_a_name_it_has_one_of_its_own_meanwhile(string refused)
    {
        string source = NewSource();
        RefusingProgram program = new(At("program"));

        Assert.Equal(new ShellResult(0, "", ""), program.Run(refused, "range", $"{source}:4k:4k", At("new")));
        Assert.Equal(new ShellResult(0, "", ""), program.Run(refused, "range", $"{source}:0:4k", At("new")));
        ShellResult failed = program.Run(refused, "range", $"{source}:1:4k", At("other"));

        Assert.Equal(1, failed.ExitCode);
        Assert.Equal(_content[..(2 * Block)], File.ReadAllBytes(At("new")));
        Assert.Equal(new[] { At("new"), At("program"), source }, Directory.GetFileSystemEntries(_folder).Order());
    }

    [BtrfsFact(Needs = "setfacl getfacl lsattr chattr chmod")]
    public void A_file_is_made_as_any_other_in_its_folder()
    {
        string source = NewSource();
        Shell.Check("chmod", "640", source);
        string folder = Directory.CreateDirectory(At("folder")).FullName;
        Shell.Check("chattr", "+c", folder);
        Shell.Check("setfacl", "-d", "-m", "u:1:rwx", folder);

        using RangeCloner cloner = new();
        cloner.Clone(source, Path.Combine(folder, "new"));

        Shell.Check("cp", "--reflink=never", source, Path.Combine(folder, "copy"));
        foreach (string[] look in new string[][] { ["getfacl", "-pc"], ["stat", "--format=%a %u:%g"] })
        {
            Assert.Equal(
                Shell.Check(look[0], [.. look[1..], Path.Combine(folder, "copy")]),
                Shell.Check(look[0], [.. look[1..], Path.Combine(folder, "new")]));
        }

        Assert.Equal(
            Shell.Check("lsattr", Path.Combine(folder, "copy")).Split(' ')[0],
            Shell.Check("lsattr", Path.Combine(folder, "new")).Split(' ')[0]);
    }

    [BtrfsFact]
    public void A_link_that_leads_nowhere_is_no_place_for_a_range()
    {
        string source = NewSource();
        File.CreateSymbolicLink(At("link"), "missing");
        using RangeCloner cloner = new();

        BtrfsException failure = Refusal(cloner, source, At("link"));

        Assert.Equal((BtrfsError.DestinationNotFound, At("link")), (failure.Error, failure.Path));
        Assert.Contains("symbolic link", failure.Message, StringComparison.Ordinal);
        Assert.Equal(new[] { At("link"), source }, Directory.GetFileSystemEntries(_folder).Order());
    }

    private static void AtOnce(params Action[] actions)
    {
        using Barrier barrier = new(actions.Length);
        Task[] tasks = [.. actions.Select(action => Task.Factory.StartNew(
            () =>
            {
                barrier.SignalAndWait();
                action();
            },
            TaskCreationOptions.LongRunning))];
        Task.WaitAll(tasks);
    }

    /// <summary>All names that were made in a folder, as the kernel tells them, up to one that ends the list.</summary>
    private static List<string> NamesMade(string folder, Action work)
    {
        List<string> names = [];
        using ManualResetEventSlim ended = new();
        using FileSystemWatcher watcher = new(folder);
        void Add(object sender, FileSystemEventArgs made)
        {
            names.Add(made.FullPath);
            if (made.Name == "end")
            {
                ended.Set();
            }
        }

        watcher.Created += Add;
        watcher.Renamed += Add;
        watcher.EnableRaisingEvents = true;
        work();
        File.WriteAllBytes(Path.Combine(folder, "end"), []);
        Assert.True(ended.Wait(TimeSpan.FromMinutes(1)));
        return names;
    }

    private static BtrfsException Refusal(RangeCloner cloner, string source, string destination, long offset = 0) =>
        Assert.Throws<BtrfsException>(() => cloner.Clone(source, destination, offset));

    private static byte[] NewContent()
    {
        byte[] content = new byte[4 * Block];
        new Random(41).NextBytes(content);
        return content;
    }

    private string NewSource()
    {
        File.WriteAllBytes(At("source"), _content);
        return At("source");
    }

    private string At(string name) => Path.Combine(_folder, name);
}
