using BtrfsClone.Syncing;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Syncing;

/// <summary>What changes without a trace in the two subvolumes' trees, and so means a look at all.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class BlindSpotTests
{
    private static readonly SyncOptions s_delete = new() { Delete = true };

    private readonly string _folder;
    private readonly string _source;
    private readonly string _destination;

    public BlindSpotTests(ScratchBtrfs btrfs)
    {
        if (TestMachine.NoRoot is not null)
        {
            _folder = _source = _destination = "";
            return;
        }

        _folder = btrfs.NewFolder();
        _source = Path.Combine(_folder, "source");
        _destination = Path.Combine(_folder, "destination");
    }

    [RootTheory(Needs = "btrfs diff")]
    [InlineData(true)]
    [InlineData(false)]
    public void A_nested_subvolume(bool atSource)
    {
        MakeSource();
        string side = atSource ? _source : _destination;
        if (!atSource)
        {
            // A clone of a subvolume is a directory: only another subvolume makes it one.
            Directory.CreateDirectory(Path.Combine(_source, "nested"));
            Directory.CreateDirectory(_destination);
        }

        string nested = Path.Combine(side, "nested");
        Shell.Check("btrfs", "subvolume", "create", nested);
        File.WriteAllText(Path.Combine(_source, "nested", "file"), "1");
        Syncer.Sync(_source, _destination, s_delete);
        File.WriteAllText(Path.Combine(nested, "file"), "2");

        AssertSeen();
    }

    [RootTheory(Needs = "mount umount diff")]
    [InlineData(true)]
    [InlineData(false)]
    public void A_mount(bool atSource)
    {
        MakeSource();
        Directory.CreateDirectory(Path.Combine(_source, "mounted"));
        Syncer.Sync(_source, _destination, s_delete);
        string mounted = Path.Combine(atSource ? _source : _destination, "mounted");
        string elsewhere = Directory.CreateDirectory(Path.Combine(_folder, "elsewhere")).FullName;
        File.WriteAllText(Path.Combine(elsewhere, "file"), "old");
        Shell.Check("mount", "--bind", elsewhere, mounted);
        try
        {
            AssertSeen();
            File.WriteAllText(Path.Combine(elsewhere, "file"), "new");
            AssertSeen();
        }
        finally
        {
            Shell.Check("umount", mounted);
        }

        // What the mount hid is there again.
        Syncer.Sync(_source, _destination, s_delete);
        Shell.Check("diff", "-r", _source, _destination);
    }

    [RootTheory(Needs = "btrfs mv diff")]
    [InlineData(true)]
    [InlineData(false)]
    public void A_snapshot_put_back_in_its_subvolume_s_place(bool atSource)
    {
        Shell.Check("btrfs", "subvolume", "create", _source);
        Shell.Check("btrfs", "subvolume", "create", _destination);
        MakeSource();
        Syncer.Sync(_source, _destination, s_delete);
        string side = atSource ? _source : _destination;
        Shell.Check("btrfs", "subvolume", "snapshot", side, side + ".before");
        File.WriteAllText(Path.Combine(_source, "below", "file"), "later");
        Syncer.Sync(_source, _destination, s_delete);
        Assert.Null(Syncer.Sync(_source, _destination, s_delete).Unchanged);
        Shell.Check("mv", side, side + ".later");
        Shell.Check("mv", side + ".before", side);

        AssertSeen();
    }

    [RootTheory(Needs = "mv diff")]
    [InlineData(true)]
    [InlineData(false)]
    public void Directories_and_files_that_are_older_than_the_mark_and_moved_in(bool atSource)
    {
        MakeSource();
        string old = Directory.CreateDirectory(Path.Combine(_folder, "old/inner")).FullName;
        File.WriteAllText(Path.Combine(old, "file"), "old");
        File.WriteAllText(Path.Combine(_folder, "single"), "old");
        Syncer.Sync(_source, _destination, s_delete);
        Syncer.Sync(_source, _destination, s_delete);
        string side = atSource ? _source : _destination;
        Shell.Check("mv", Path.Combine(_folder, "old"), Path.Combine(side, "below", "old"));
        Shell.Check("mv", Path.Combine(_folder, "single"), Path.Combine(side, "below", "file"));

        Assert.Null(Syncer.Sync(_source, _destination, s_delete).Unchanged);

        Shell.Check("diff", "-r", _source, _destination);
        Assert.Equal(atSource, Directory.Exists(Path.Combine(_destination, "below", "old")));
    }

    [RootFact(Needs = "ln diff stat")]
    public void A_further_name_of_an_inode_that_has_not_changed_itself()
    {
        MakeSource();
        string file = Path.Combine(_source, "below", "file");
        Shell.Check("ln", file, Path.Combine(_source, "link"));
        Syncer.Sync(_source, _destination, s_delete);
        string other = Path.Combine(_destination, "link");
        File.Delete(other);
        File.WriteAllText(other, "another file");

        Assert.Null(Syncer.Sync(_source, _destination, s_delete).Unchanged);

        Assert.Equal(
            Shell.Check("stat", "-c", "%i", Path.Combine(_destination, "below", "file")), Shell.Check("stat", "-c", "%i", other));
    }

    [RootFact(Needs = "chattr diff")]
    public void A_directory_that_takes_no_mark()
    {
        MakeSource();
        Shell.Check("chattr", "+i", _source);
        try
        {
            Syncer.Sync(_source, _destination, s_delete);
            Shell.Check("chattr", "-i", _destination);
            File.WriteAllText(Path.Combine(_destination, "extra"), "mine");

            AssertSeen();
            Assert.Contains("i", Shell.Check("lsattr", "-d", _destination).Split(' ')[0], StringComparison.Ordinal);
        }
        finally
        {
            Shell.Check("chattr", "-i", _source, _destination);
        }
    }

    [RootFact(Needs = "diff")]
    public void A_sync_that_failed_in_part()
    {
        MakeSource();
        Syncer.Sync(_source, _destination);
        File.Delete(Path.Combine(_destination, "below", "file"));
        Directory.CreateDirectory(Path.Combine(_destination, "below", "file"));
        File.WriteAllText(Path.Combine(_source, "another"), "new");
        Assert.Single(Syncer.SyncAll(_source, _destination).Failures);
        Assert.Single(Syncer.SyncAll(_source, _destination).Failures);
        Directory.Delete(Path.Combine(_destination, "below", "file"));

        Syncer.Sync(_source, _destination);

        Shell.Check("diff", "-r", _source, _destination);
    }

    private void MakeSource()
    {
        Directory.CreateDirectory(Path.Combine(_source, "below"));
        File.WriteAllText(Path.Combine(_source, "below", "file"), "first");
    }

    private void AssertSeen()
    {
        Assert.NotNull(Syncer.Sync(_source, _destination, s_delete).Unchanged);
        Shell.Check("diff", "-r", _source, _destination);
    }
}
