using System.Text;
using BtrfsClone.Cloning;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Cloning;

/// <summary>Where a clone goes, and what becomes of what stands there.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class DestinationTests(ScratchBtrfs btrfs)
{
    private readonly string _folder = btrfs.NewFolder();

    [BtrfsFact]
    public void A_new_name_becomes_the_clone()
    {
        string source = NewFile("source", "data");
        CloneDestination destination = CloneDestination.Named(At("new"));

        Assert.Equal(At("new"), destination.TargetOf(source));
        Assert.Equal(At("new"), Cloner.Clone(source, destination).Path);
        Assert.Equal("data", File.ReadAllText(At("new")));
    }

    [BtrfsFact]
    public void An_existing_directory_receives_the_item_under_its_own_name()
    {
        string source = NewFile("source", "data");
        Directory.CreateDirectory(At("folder"));
        File.CreateSymbolicLink(At("link"), "folder");

        foreach (string folder in new[] { At("folder"), At("folder/"), At("link") })
        {
            CloneDestination destination = CloneDestination.Named(folder);
            string target = Path.Combine(folder, "source");
            Assert.Equal(target, destination.TargetOf(source));
            Assert.Equal(target, Cloner.Clone(source, destination).Path);
            Assert.Equal("data", File.ReadAllText(At("folder/source")));
            File.Delete(At("folder/source"));
        }
    }

    [BtrfsFact]
    public void A_directory_to_clone_into_is_made_when_it_is_missing()
    {
        string one = NewFile("one", "1");
        string two = NewFile("two", "2");
        CloneDestination destination = CloneDestination.Into(At("new/folder"));
        using Cloner cloner = new();

        cloner.Clone(one, destination);
        cloner.Clone(two, destination);

        Assert.Equal("1", File.ReadAllText(At("new/folder/one")));
        Assert.Equal("2", File.ReadAllText(At("new/folder/two")));
    }

    [BtrfsFact(Needs = TreeFacts.Tools)]
    public void A_relative_base_keeps_the_folders_and_their_metadata()
    {
        NewFile("base/a/b/one", "1");
        NewFile("base/a/two", "2");
        Shell.Check("setfattr", "--name=user.x", "--value=1", At("base/a"));
        Shell.Check("chmod", "750", At("base/a/b"));
        Shell.Check("touch", "--date=@12345.678", At("base/a/b"), At("base/a"));
        TreeFacts before = TreeFacts.Of(At("base/a"));
        CloneDestination destination = CloneDestination.Into(At("new"), At("base"));
        using (Cloner cloner = new())
        {
            Assert.Equal(At("new/a/b/one"), destination.TargetOf(At("base/a/b/one")));
            Assert.Equal(At("new/a/b/one"), cloner.Clone(At("base/a/b/one"), destination).Path);
            cloner.Clone(At("base/a/two"), destination);
        }

        before.AssertEqual(TreeFacts.Of(At("new/a")), TreeFacts.Unstable(btrfs));
    }

    [BtrfsTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Directories_that_others_replace_between_two_items_are_opened_anew(bool relative)
    {
        CloneDestination destination = CloneDestination.Into(At("into"), relative ? _folder : null);
        string clone = relative ? "into/source" : "into";
        using Cloner cloner = new();
        NewFile("source/1", "old");
        cloner.Clone(At("source/1"), destination);

        Directory.Delete(At("source"), recursive: true);
        NewFile("source/2", "new");
        cloner.Clone(At("source/2"), destination);
        Directory.Move(At(clone), At("moved"));
        cloner.Clone(At("source/2"), destination);

        Assert.Equal(["1", "2"], Directory.GetFiles(At("moved")).Select(Path.GetFileName).Order());
        Assert.Equal("2", Path.GetFileName(Assert.Single(Directory.GetFiles(At(clone)))));
    }

    [BtrfsFact]
    public void An_item_outside_the_relative_base_is_refused()
    {
        string source = NewFile("source", "data");
        Directory.CreateDirectory(At("base"));

        BtrfsException refusal = Assert.Throws<BtrfsException>(
            () => Cloner.Clone(source, CloneDestination.Into(At("new"), At("base"))));

        Assert.Equal(BtrfsError.SourceOutsideBase, refusal.Error);
        Assert.False(File.Exists(At("new/source")));
    }

    [BtrfsTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_link_between_the_relative_base_and_the_item_is_called_what_it_is(bool atomic)
    {
        NewFile("base/dir/file", "data");
        File.CreateSymbolicLink(At("base/link"), "dir");

        BtrfsException refusal = Assert.Throws<BtrfsException>(() => Cloner.Clone(
            At("base/link/file"), CloneDestination.Into(At("new"), At("base")), new CloneOptions { Atomic = atomic }));

        Assert.Equal((BtrfsError.SourceOutsideBase, At("base/link")), (refusal.Error, refusal.Path));
        Assert.Contains("symbolic link", refusal.Message, StringComparison.Ordinal);
    }

    [BtrfsFact]
    public void An_existing_directory_is_merged_into()
    {
        NewFile("source/tree/both", "new");
        NewFile("source/tree/only", "source");
        NewFile("tree/both", "old");
        NewFile("tree/kept", "kept");

        Cloner.Clone(At("source/tree"), CloneDestination.Into(_folder));

        Assert.Equal("new", File.ReadAllText(At("tree/both")));
        Assert.Equal("source", File.ReadAllText(At("tree/only")));
        Assert.Equal("kept", File.ReadAllText(At("tree/kept")));
    }

    [BtrfsFact]
    public void A_file_is_replaced_and_not_written_over()
    {
        string source = NewFile("source", "new");
        string old = NewFile("folder/source", "old");
        Shell.Check("ln", old, At("other-name"));
        using FileStream open = File.OpenRead(old);

        Cloner.Clone(source, CloneDestination.Into(At("folder")));

        Assert.Equal("new", File.ReadAllText(old));
        Assert.Equal("old", File.ReadAllText(At("other-name")));
        Assert.Equal((byte)'o', open.ReadByte());
        Assert.Equal([old], Directory.GetFileSystemEntries(At("folder")));
    }

    [BtrfsFact]
    public void A_name_that_is_replaced_is_never_missing_and_never_empty()
    {
        string source = NewFile("source", "new content");
        string target = NewFile("folder/source", "old content");
        using CancellationTokenSource done = new();
        Task<HashSet<string>> watching = Task.Run(() =>
        {
            HashSet<string> seen = [];
            while (!done.IsCancellationRequested)
            {
                seen.Add(File.Exists(target) ? File.ReadAllText(target) : "(missing)");
            }

            return seen;
        });

        for (int i = 0; i < 300; i++)
        {
            Cloner.Clone(source, CloneDestination.Into(At("folder")));
        }

        done.Cancel();
        Assert.Subset(new HashSet<string> { "old content", "new content" }, watching.GetAwaiter().GetResult());
    }

    [BtrfsFact]
    public void A_symbolic_link_at_the_destination_is_replaced_and_not_followed()
    {
        string source = NewFile("source", "new");
        NewFile("victim", "old");
        Directory.CreateDirectory(At("folder"));
        File.CreateSymbolicLink(At("folder/source"), "../victim");

        Cloner.Clone(source, CloneDestination.Into(At("folder")));

        Assert.Equal("old", File.ReadAllText(At("victim")));
        Assert.Null(new FileInfo(At("folder/source")).LinkTarget);
        Assert.Equal("new", File.ReadAllText(At("folder/source")));
    }

    [BtrfsFact]
    public void A_link_to_a_directory_inside_the_destination_leads_nothing_elsewhere()
    {
        NewFile("source/inner/file", "new");
        Directory.CreateDirectory(At("elsewhere"));
        Directory.CreateDirectory(At("copies/source"));
        File.CreateSymbolicLink(At("copies/source/inner"), "../../elsewhere");
        using Cloner cloner = new();

        CloneResult result = cloner.Clone(At("source"), CloneDestination.Into(At("copies")));

        Assert.Equal(BtrfsError.DestinationExists, Assert.Single(cloner.Failures).Error);
        Assert.Equal(1, result.Failed);
        Assert.Empty(Directory.GetFileSystemEntries(At("elsewhere")));
        Assert.NotNull(new FileInfo(At("copies/source/inner")).LinkTarget);
    }

    [BtrfsFact]
    public void NoClobber_leaves_existing_files_and_reports_them()
    {
        NewFile("source/tree/both", "new");
        NewFile("source/tree/only", "source");
        NewFile("tree/both", "old");
        using Cloner cloner = new(new CloneOptions { NoClobber = true });

        CloneResult result = cloner.Clone(At("source/tree"), CloneDestination.Into(_folder));
        BtrfsException refusal = Assert.Throws<BtrfsException>(
            () => cloner.Clone(At("source/tree/both"), CloneDestination.Into(At("tree"))));

        BtrfsException failure = Assert.Single(cloner.Failures);
        Assert.Equal((BtrfsError.DestinationExists, At("tree/both")), (failure.Error, failure.Path));
        Assert.Equal(1, result.Failed);
        Assert.Equal(BtrfsError.DestinationExists, refusal.Error);
        Assert.Equal("old", File.ReadAllText(At("tree/both")));
        Assert.Equal("source", File.ReadAllText(At("tree/only")));
    }

    [BtrfsFact]
    public void A_file_without_write_permission_is_replaced_by_force_only()
    {
        string source = NewFile("folder/file", "new");
        string old = NewFile("file", "old");
        Shell.Check("chmod", "a-w", old);

        BtrfsException refusal = Assert.Throws<BtrfsException>(
            () => Cloner.Clone(source, CloneDestination.Into(_folder)));
        Assert.Equal(BtrfsError.DestinationReadOnly, refusal.Error);
        Assert.Equal("old", File.ReadAllText(old));

        Cloner.Clone(source, CloneDestination.Into(_folder), new CloneOptions { Force = true });
        Assert.Equal("new", File.ReadAllText(old));
    }

    [BtrfsFact]
    public void Neither_replaces_a_directory_a_file_nor_a_file_a_directory()
    {
        NewFile("source/tree/a/file", "");
        NewFile("source/tree/b", "new");
        NewFile("tree/a", "old");
        NewFile("tree/b/file", "old");
        using Cloner cloner = new(new CloneOptions { Force = true });

        CloneResult result = cloner.Clone(At("source/tree"), CloneDestination.Into(_folder));

        Assert.Equal(2, result.Failed);
        Assert.All(cloner.Failures, f => Assert.Equal(BtrfsError.DestinationExists, f.Error));
        Assert.Equal([At("tree/a"), At("tree/b")], cloner.Failures.Select(f => f.Path).Order());
        Assert.Equal("old", File.ReadAllText(At("tree/a")));
        Assert.Equal("old", File.ReadAllText(At("tree/b/file")));
    }

    [BtrfsFact(Needs = TreeFacts.Tools)]
    public void Without_recursing_a_directory_is_cloned_itself_only()
    {
        NewFile("source/file", "data");
        Shell.Check("setfattr", "--name=user.x", "--value=1", At("source"));
        Shell.Check("touch", "--date=@12345.678", At("source"));

        Cloner.Clone(At("source"), At("clone"), new CloneOptions { Recurse = false });

        EntryFacts expected = TreeFacts.Of(At("source")).Entries[""];
        TreeFacts clone = TreeFacts.Of(At("clone"));
        EntryFacts found = Assert.Single(clone.Entries).Value;
        // A directory's size tells its names' lengths.
        Assert.Equal(
            expected.Where(f => f.Key != "size" && !TreeFacts.Unstable(btrfs).Contains(f.Key)),
            found.Where(f => f.Key != "size" && !TreeFacts.Unstable(btrfs).Contains(f.Key)));
    }

    [BtrfsFact]
    public void A_filter_is_asked_for_each_entry_below_the_item_and_keeps_excluded_directories_closed()
    {
        NewFile("source/a.txt", "");
        NewFile("source/a.bin", "");
        NewFile("source/kept/b.bin", "");
        NewFile("source/skipped/c.txt", "");
        List<string> asked = [];
        bool Filter(ReadOnlySpan<string> path, EntryKind kind)
        {
            string name = path[^1];
            lock (asked)
            {
                asked.Add(name);
            }

            return kind == EntryKind.Directory ? name != "skipped" : name.EndsWith(".txt", StringComparison.Ordinal);
        }

        Cloner.Clone(At("source"), At("clone"), new CloneOptions { Filter = Filter });

        Assert.Equal(["a.bin", "a.txt", "b.bin", "kept", "skipped"], asked.Order());
        Assert.Equal(
            ["a.txt", "kept"],
            Directory.EnumerateFileSystemEntries(At("clone"), "*", SearchOption.AllDirectories)
                .Select(p => Path.GetRelativePath(At("clone"), p)).Order());
    }

    [BtrfsFact]
    public void Single_items_of_every_kind_are_cloned()
    {
        File.CreateSymbolicLink(At("link"), "nowhere");
        Shell.Check("mkfifo", At("fifo"));
        Directory.CreateDirectory(At("empty"));
        NewFile("file", "");
        (string, EntryKind)[] kinds =
        [
            ("link", EntryKind.SymbolicLink), ("fifo", EntryKind.Fifo), ("empty", EntryKind.Directory), ("file", EntryKind.File),
        ];
        foreach ((string name, EntryKind kind) in kinds)
        {
            Assert.Equal(kind.ToString(), Cloner.Clone(At(name), CloneDestination.Into(At("clones"))).Kind);
        }

        Assert.Equal("nowhere", new FileInfo(At("clones/link")).LinkTarget);
        Assert.Equal("fifo", Shell.Check("stat", "--format=%F", At("clones/fifo")).Trim());
        Assert.Empty(Directory.GetFileSystemEntries(At("clones/empty")));
    }

    private string At(string path) => Path.Combine(_folder, path);

    private string NewFile(string path, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
        File.WriteAllBytes(At(path), Encoding.UTF8.GetBytes(content));
        return At(path);
    }
}
