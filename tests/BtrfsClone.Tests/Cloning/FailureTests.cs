using BtrfsClone.Cloning;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Cloning;

/// <summary>What fails inside a tree is reported, undone and alone; a cancelled clone leaves whole files.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class FailureTests(ScratchBtrfs btrfs)
{
    private const int Entries = 3000;

    private readonly string _folder = btrfs.NewFolder();

    private string Source => Path.Combine(_folder, "source");

    private string Clone => Path.Combine(_folder, "clone");

    [BtrfsFact]
    public void A_file_that_vanishes_is_one_failure_and_the_rest_is_cloned()
    {
        MakeFiles();
        // The filter is asked when the entry is listed already, and before it is opened.
        bool Filter(ReadOnlySpan<string> path, EntryKind kind)
        {
            string name = path[^1];
            if (name == "file1234")
            {
                File.Delete(Path.Combine(Source, name));
            }

            return true;
        }

        using Cloner cloner = new(new CloneOptions { Filter = Filter });

        CloneResult result = cloner.Clone(Source, CloneDestination.Named(Clone));

        BtrfsException failure = Assert.Single(cloner.Failures);
        Assert.Equal(
            (BtrfsError.SourceNotFound, Path.Combine(Source, "file1234")), (failure.Error, failure.Path));
        Assert.Equal((1, Entries - 1), (result.Failed, result.Files));
        Assert.Equal(1, cloner.Session.Counters.Failed);
        Shell.Check("diff", "--recursive", Source, Clone);
    }

    [BtrfsFact]
    public void A_directory_that_becomes_a_link_is_not_followed()
    {
        MakeFiles();
        Directory.CreateDirectory(Path.Combine(Source, "inner"));
        string secret = Directory.CreateDirectory(Path.Combine(_folder, "secret")).FullName;
        File.WriteAllText(Path.Combine(secret, "file"), "secret");
        bool Filter(ReadOnlySpan<string> path, EntryKind kind)
        {
            string name = path[^1];
            if (name == "inner")
            {
                Directory.Delete(Path.Combine(Source, name));
                File.CreateSymbolicLink(Path.Combine(Source, name), secret);
            }

            return true;
        }

        using Cloner cloner = new(new CloneOptions { Filter = Filter });

        CloneResult result = cloner.Clone(Source, CloneDestination.Named(Clone));

        Assert.False(File.Exists(Path.Combine(Clone, "inner", "file")));
        Assert.Equal(Path.Combine(Source, "inner"), Assert.Single(cloner.Failures).Path);
        Assert.Equal((1, Entries), (result.Failed, result.Files));
    }

    [RootFact(Needs = SwapFile.Tools)]
    public void A_file_that_cannot_be_cloned_leaves_nothing_of_its_own_behind()
    {
        MakeFiles();
        string path = Path.Combine(Source, "swap");
        using SwapFile swap = new(path);
        using Cloner cloner = new();

        CloneResult result = cloner.Clone(Source, CloneDestination.Named(Clone));

        BtrfsException failure = Assert.Single(cloner.Failures);
        Assert.Equal((BtrfsError.SwapFile, path), (failure.Error, failure.Path));
        Assert.Equal((1L, (long)Entries), (result.Failed, result.Files));
        Assert.Equal(Entries, Directory.EnumerateFileSystemEntries(Clone).Count());
    }

    [RootFact(Needs = "cmp")]
    public void A_full_filesystem_fails_the_files_that_it_has_no_room_for()
    {
        // Copied bytes need room, and here there is none: reflink=auto onto a small file system.
        using ScratchImage small = new(128L << 20, "noatime", "mkfs.btrfs", "--quiet", "--mixed");
        Directory.CreateDirectory(Source);
        byte[] data = new byte[20 << 20];
        new Random(81).NextBytes(data);
        for (int i = 0; i < 10; i++)
        {
            File.WriteAllBytes(Path.Combine(Source, $"file{i}"), data);
        }

        using Cloner cloner = new(new CloneOptions { Reflink = ReflinkMode.Auto });
        string clone = Path.Combine(small.Root, "clone");

        CloneResult result = cloner.Clone(Source, CloneDestination.Named(clone));

        Assert.NotEmpty(cloner.Failures);
        Assert.All(cloner.Failures, f => Assert.Equal(BtrfsError.NoSpace, f.Error));
        Assert.Equal(result.Failed, cloner.Failures.Count);
        Assert.Equal(10, result.Files + result.Failed);
        string[] files = Directory.GetFiles(clone);
        Assert.Equal(result.Files, files.Length);
        Assert.All(files, file => Shell.Check("cmp", file, Path.Combine(Source, Path.GetFileName(file))));
    }

    [BtrfsTheory(Needs = TreeFacts.Tools)]
    [InlineData(1)]
    [InlineData(4)]
    public void A_cancelled_clone_leaves_whole_files_only(int workers)
    {
        MakeFiles();
        using CancellationTokenSource cancellation = new();
        int asked = 0;
        bool Filter(ReadOnlySpan<string> path, EntryKind kind)
        {
            string name = path[^1];
            if (Interlocked.Increment(ref asked) == Entries / 2)
            {
                cancellation.Cancel();
            }

            return true;
        }

        using Cloner cloner = new(new CloneOptions { Filter = Filter, Workers = workers });

        Assert.Throws<OperationCanceledException>(
            () => cloner.Clone(Source, CloneDestination.Named(Clone), cancellation.Token));

        Assert.Empty(cloner.Failures);
        TreeFacts source = TreeFacts.Of(Source);
        TreeFacts clone = TreeFacts.Of(Clone);
        Assert.InRange(clone.Entries.Count, 1, Entries);
        Assert.Empty(clone.Unshared);
        foreach ((string path, EntryFacts entry) in clone.Entries.Where(e => e.Key.Length > 0))
        {
            Assert.Equal(source.Entries[path], entry);
        }
    }

    [BtrfsFact]
    public void A_cancelled_token_clones_nothing()
    {
        MakeFiles();
        using Cloner cloner = new();

        Assert.Throws<OperationCanceledException>(
            () => cloner.Clone(Source, CloneDestination.Named(Clone), new CancellationToken(canceled: true)));

        Assert.False(Directory.Exists(Clone));
    }

    [BtrfsFact]
    public void Callbacks_run_on_the_thread_that_calls()
    {
        MakeFiles();
        int thread = Environment.CurrentManagedThreadId;
        List<int> threads = [];
        using CloneSession session = new(
            new CloneOptions { Workers = 4, Filter = (path, _) => Vanish(path[^1]) },
            new SessionEvents
            {
                OnFailure = _ => threads.Add(Environment.CurrentManagedThreadId),
                OnTick = () => threads.Add(Environment.CurrentManagedThreadId),
            });

        session.Clone(Source, CloneDestination.Named(Clone), CancellationToken.None);

        Assert.Equal(Entries / 100, session.Counters.Failed);
        Assert.True(threads.Count >= Entries / 100);
        Assert.All(threads, t => Assert.Equal(thread, t));
    }

    private bool Vanish(string name)
    {
        if (name.EndsWith("00", StringComparison.Ordinal))
        {
            File.Delete(Path.Combine(Source, name));
        }

        return true;
    }

    private void MakeFiles()
    {
        Directory.CreateDirectory(Source);
        for (int i = 1; i <= Entries; i++)
        {
            File.WriteAllBytes(Path.Combine(Source, $"file{i}"), new byte[i % 7 * 1000]);
        }
    }
}
