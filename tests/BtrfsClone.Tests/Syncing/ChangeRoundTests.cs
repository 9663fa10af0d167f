using BtrfsClone.Syncing;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Syncing;

/// <summary>A look at changes alone, in many directories at once.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class ChangeRoundTests(ScratchBtrfs btrfs)
{
    private const int Directories = 60;

    private readonly string _folder = btrfs.NewFolder();

    private string Source => Path.Combine(_folder, "source");

    private string Destination => Path.Combine(_folder, "destination");

    [RootFact(Needs = SyncedTrees.Tools)]
    public void Many_directories_change_at_once()
    {
        MakePair();
        Change();

        (SyncResult result, List<BtrfsException> failures, List<SyncChange> changes) =
            Syncer.SyncAll(Source, Destination, new SyncOptions { Delete = true });

        Assert.Empty(failures);
        Assert.Null(result.Unchanged);
        Assert.Equal((Directories * 3, Directories, Directories), (result.Created, result.Replaced, result.Deleted));
        Assert.Equal(Directories * 5, changes.Count(change => change.Action != nameof(SyncAction.Update)));
        SyncedTrees.AssertEqual(_folder);
    }

    [RootFact(Needs = "stat")]
    public void What_a_sync_has_changed_is_looked_at_by_the_next_one_alone()
    {
        MakePair();
        Change();
        Syncer.Sync(Source, Destination, new SyncOptions { Delete = true });

        // The second looks at what the first has changed, and says so by another mark. The third has nothing to say.
        string first = ChangeTime();
        SyncResult second = Syncer.Sync(Source, Destination, new SyncOptions { Delete = true });
        Assert.Equal((0, 0, 0), (second.Created, second.Replaced, second.Deleted));
        string marked = ChangeTime();
        Assert.NotEqual(first, marked);
        Assert.Null(Syncer.Sync(Source, Destination, new SyncOptions { Delete = true }).Unchanged);
        Assert.Equal(marked, ChangeTime());
    }

    [RootFact(Needs = "sh")]
    public void A_change_is_found_deeper_than_a_path_may_be_long()
    {
        Directory.CreateDirectory(Source);
        InDeepest(Source, "echo old > file");
        Syncer.Sync(Source, Destination);
        InDeepest(Source, "echo longer > file");

        SyncResult result = Syncer.Sync(Source, Destination);

        Assert.Equal((null, 1), (result.Unchanged, result.Replaced));
        Assert.Equal("longer", InDeepest(Destination, "cat file").TrimEnd());
    }

    [RootFact]
    public void What_the_caller_throws_ends_all_threads()
    {
        MakePair();
        Change();
        using SyncSession session = new(
            new SyncOptions { Delete = true, Workers = 8 },
            new SyncEvents { OnFailure = _ => { }, OnChange = _ => throw new TimeoutException() });

        Assert.Throws<TimeoutException>(() => session.Sync(Source, Destination, CancellationToken.None));

        // The next one makes up for it.
        Syncer.Sync(Source, Destination, new SyncOptions { Delete = true });
        Assert.Equal(Directories, Directory.GetFiles(Destination, "new", SearchOption.AllDirectories).Length / 2);
    }

    /// <summary>Runs a command more than PATH_MAX below a directory.</summary>
    private static string InDeepest(string top, string command)
    {
        string[] way = [.. Enumerable.Repeat($"mkdir -p {Name} && cd -P {Name} && ", 25)];
        return Shell.Check("sh", "-c", $"cd \"$1\" && {string.Concat(way)}{command}", "sh", top);
    }

    private static string Name { get; } = new('n', 200);

    private string ChangeTime() => Shell.Check("stat", "-c", "%z", Destination);

    private void MakePair()
    {
        for (int i = 0; i < Directories; i++)
        {
            string directory = Directory.CreateDirectory(Path.Combine(Source, $"{i % 3}/{i}")).FullName;
            File.WriteAllText(Path.Combine(directory, "changed"), "old");
            File.WriteAllText(Path.Combine(directory, "gone"), "gone");
            File.WriteAllText(Path.Combine(directory, "kept"), "kept");
        }

        Syncer.Sync(Source, Destination, new SyncOptions { Delete = true });
        Syncer.Sync(Source, Destination, new SyncOptions { Delete = true });
    }

    private void Change()
    {
        foreach (string directory in Directory.GetDirectories(Source, "*", SearchOption.AllDirectories)
            .Where(directory => File.Exists(Path.Combine(directory, "kept"))))
        {
            File.WriteAllText(Path.Combine(directory, "changed"), "later");
            File.Delete(Path.Combine(directory, "gone"));
            File.WriteAllText(Path.Combine(directory, "new"), "new");
            Directory.CreateDirectory(Path.Combine(directory, "below"));
            File.WriteAllText(Path.Combine(directory, "below", "new"), "new");
        }
    }
}
