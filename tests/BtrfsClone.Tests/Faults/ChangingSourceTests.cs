using System.ComponentModel;
using BtrfsClone.Cloning;
using BtrfsClone.Interop;
using BtrfsClone.Tests.Cloning;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Faults;

/// <summary>A source that changes while it is walked: what has changed is reported or cloned as it is, all else is whole.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class ChangingSourceTests(ScratchBtrfs btrfs)
{
    private readonly string _folder = btrfs.NewFolder();

    private string Source => Path.Combine(_folder, "source");

    private string Clone => Path.Combine(_folder, "clone");

    /// <summary>The commands make something else of <c>entry</c> when it is listed already and not opened yet.</summary>
    [BtrfsTheory]
    [InlineData("rm entry; ln -s ../secret entry", BtrfsError.ChangedMeanwhile)]
    [InlineData("rm entry; mkfifo entry", BtrfsError.ChangedMeanwhile)]
    [InlineData("rm entry; mkdir entry", BtrfsError.ChangedMeanwhile)]
    [InlineData("mv entry ../elsewhere", BtrfsError.SourceNotFound)]
    [InlineData("truncate -s 1 entry", null)]
    [InlineData("truncate -s 1M entry", null)]
    [InlineData("rm entry; echo other > entry", null)]
    public void A_file_becomes_something_else(string commands, BtrfsError? expected)
    {
        MakeFiles();
        File.WriteAllText(Path.Combine(_folder, "secret"), "secret");
        using Cloner cloner = new(new CloneOptions { Filter = WhenAsked("entry", commands) });

        CloneResult result = cloner.Clone(Source, CloneDestination.Named(Clone));

        if (expected is null)
        {
            Assert.Empty(cloner.Failures);
            Shell.Check("cmp", Path.Combine(Source, "entry"), Path.Combine(Clone, "entry"));
        }
        else
        {
            BtrfsException failure = Assert.Single(cloner.Failures);
            Assert.Equal((expected, Path.Combine(Source, "entry")), (failure.Error, failure.Path));
            Assert.False(Path.Exists(Path.Combine(Clone, "entry")));
        }

        Assert.Equal(expected is null ? 101 : 100, result.Files);
        Assert.DoesNotContain(Directory.GetFiles(Clone), file => File.ReadAllText(file) == "secret");
    }

    [BtrfsFact]
    public void A_directory_that_is_renamed_while_it_is_cloned_is_cloned_whole()
    {
        MakeFiles();
        Directory.CreateDirectory(Path.Combine(Source, "directory/inner"));
        File.WriteAllText(Path.Combine(Source, "directory/inner/last"), "last");
        File.WriteAllText(Path.Combine(Source, "directory/entry"), "entry");
        using Cloner cloner = new(new CloneOptions { Filter = WhenAsked("inner", "mv directory renamed"), Workers = 1 });

        cloner.Clone(Source, CloneDestination.Named(Clone));

        Assert.Empty(cloner.Failures);
        Assert.Equal("entry", File.ReadAllText(Path.Combine(Clone, "directory/entry")));
        Assert.Equal("last", File.ReadAllText(Path.Combine(Clone, "directory/inner/last")));
        // Whether the new name is listed as well is readdir(3)'s to decide; if so, it is whole too.
        Assert.InRange(Directory.GetDirectories(Clone).Length, 1, 2);
    }

    [BtrfsTheory(Needs = Fingerprint.Tools)]
    [InlineData(false)]
    [InlineData(true)]
    public void Everything_at_once_for_a_while(bool atomic)
    {
        const int Stable = 500;
        Directory.CreateDirectory(Path.Combine(Source, "stable"));
        for (int i = 0; i < Stable; i++)
        {
            File.WriteAllText(Path.Combine(Source, $"stable/{i}"), new string((char)('a' + (i % 26)), i * 40));
        }

        SortedDictionary<string, string> stable = Fingerprint.Of(Path.Combine(Source, "stable"));
        string outside = Directory.CreateDirectory(Path.Combine(_folder, "outside")).FullName;
        File.WriteAllText(Path.Combine(outside, "file"), "outside");
        using CancellationTokenSource stop = new();
        Task[] mutators = [.. Enumerable.Range(0, 2).Select(seed => Task.Run(() => Mutate(seed, outside, stop.Token)))];
        try
        {
            for (int round = 0; round < (TestMachine.IsThorough ? 30 : 5); round++)
            {
                string clone = Path.Combine(_folder, $"clone{round}");
                using Cloner cloner = new(new CloneOptions { Atomic = atomic, Workers = 1 + (round % 3) });
                cloner.Clone(Source, CloneDestination.Named(clone));
                Assert.All(
                    cloner.Failures,
                    f => Assert.Contains(f.Error, (BtrfsError[])[BtrfsError.SourceNotFound, BtrfsError.ChangedMeanwhile]));
                Assert.All(cloner.Failures, f => Assert.Contains("/source/changing", f.Path, StringComparison.Ordinal));
                if (atomic && cloner.Failures.Count > 0)
                {
                    Assert.Throws<BtrfsException>(() => cloner.Session.Complete());
                    Assert.False(Directory.Exists(clone));
                    continue;
                }

                cloner.Session.Complete();
                AssertSound(clone, stable);
            }
        }
        finally
        {
            stop.Cancel();
            Task.WaitAll(mutators);
        }

        Assert.Equal("file\n", Shell.Check("ls", "-A", outside));
        Assert.DoesNotContain(Directory.GetFileSystemEntries(_folder), path => Path.GetFileName(path).StartsWith('.'));
    }

    private static void AssertSound(string clone, SortedDictionary<string, string> stable)
    {
        Assert.Equal(stable, Fingerprint.Of(Path.Combine(clone, "stable")));
        string[] files = Shell.Check("find", clone, "-path", "*/changing/*", "-type", "f")
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
        foreach (string path in files)
        {
            // One letter, as often as somebody has written it: no file is made of two, and none comes from outside.
            Assert.InRange(File.ReadAllText(path).Distinct().Count(), 0, 1);
            Assert.DoesNotContain(".btrfs-clone", path, StringComparison.Ordinal);
        }
    }

    private void Mutate(int seed, string outside, CancellationToken stop)
    {
        Random random = new(seed);
        string top = Directory.CreateDirectory(Path.Combine(Source, "changing")).FullName;
        string Any() => $"{top}/{random.Next(8)}/{random.Next(8)}";
        while (!stop.IsCancellationRequested)
        {
            try
            {
                string path = Any();
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                switch (random.Next(9))
                {
                    case 0 or 1 or 2:
                        // As a whole: renamed into place, so that a clone can only meet one letter.
                        string temporary = $"{_folder}/source/changing/new{seed}";
                        File.WriteAllText(temporary, new string((char)('a' + random.Next(26)), random.Next(20_000)));
                        File.Move(temporary, path, overwrite: true);
                        break;
                    case 3:
                        File.Delete(path);
                        break;
                    case 4:
                        using (FileStream file = File.Open(path, FileMode.Open))
                        {
                            file.SetLength(file.Length / 2);
                        }

                        break;
                    case 5:
                        File.CreateSymbolicLink(path, outside);
                        break;
                    case 6:
                        Directory.CreateDirectory(path);
                        break;
                    case 7:
                        Directory.Move(Path.GetDirectoryName(path)!, $"{top}/{random.Next(8)}");
                        break;
                    default:
                        Native.MakeNode(path, Sys.ModeFifo);
                        break;
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or Win32Exception)
            {
                // Another mutator was quicker, or something else stands there.
            }
        }
    }

    private EntryFilter WhenAsked(string entry, string commands) => (path, _) =>
    {
        if (path[^1] == entry)
        {
            Shell.Check("sh", "-c", $"cd '{Source}' && {commands}");
        }

        return true;
    };

    private void MakeFiles()
    {
        Directory.CreateDirectory(Source);
        for (int i = 0; i < 100; i++)
        {
            File.WriteAllText(Path.Combine(Source, $"file{i}"), $"{i}");
        }

        File.WriteAllText(Path.Combine(Source, "entry"), new string('e', 10_000));
    }
}
