using BtrfsClone.Comparing;
using BtrfsClone.Tests.Cloning;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Comparing;

/// <summary>Trees by relative path.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class TreeTests(ScratchBtrfs btrfs)
{
    private const int Block = 4096;

    private readonly string _folder = btrfs.NewFolder();

    [BtrfsTheory(Needs = RandomTree.Tools + " " + TreeFacts.Tools)]
    [InlineData(311)]
    public void A_clone_of_a_random_tree_is_one_until_something_of_it_changes(int seed)
    {
        RandomTree.Make(At("tree"), seed, new TreeShape { WideEntries = 1200 });
        Cloner.Clone(At("tree"), At("clone"));
        TreeFacts facts = TreeFacts.Of(At("tree"));

        CompareResult result = Compare("tree", "clone");

        long size = facts.Entries.Values.Where(entry => entry.IsFile).Sum(entry => entry.Size);
        Assert.Empty(result.OnlyInReference.Concat(result.OnlyInPath).Concat(result.Different));
        Assert.Equal((true, 1.0), (result.IsClone, result.SharedRatio));
        Assert.Equal(
            (size, size, facts.Entries.Values.Count(entry => entry.IsFile)),
            (result.Length, result.SharedLength + result.InlineLength, result.Files));

        // Without the trees compressed files are read as well.
        CompareResult mapped = Compare("tree", "clone", mayReadTrees: false);
        Assert.Equal((true, result.SharedLength, result.InlineLength), (mapped.IsClone, mapped.SharedLength, mapped.InlineLength));
        Assert.True(mapped.ComparedLength > result.ComparedLength);

        string[] files = [.. facts.Entries.Where(entry => entry.Value.IsFile && entry.Value.Size > 0).Select(entry => entry.Key)];
        string changed = ByteText.FromText(At("clone")) + "/" + files[new Random(seed).Next(files.Length)];
        Native.Chmod(changed, 0x180);
        using (var file = Native.Open(changed, write: true))
        {
            RandomAccess.Write(file, [77], 0);
        }

        Assert.False(Compare("tree", "clone").IsClone);
    }

    [BtrfsFact(Needs = "cp ln mkfifo")]
    public void What_one_side_has_alone_or_as_something_else_is_listed()
    {
        string[] folders = ["one/both/deep", "one/gone/below", "one/folder", "two/both/deep", "two/new/below", "two/other"];
        foreach (string folder in folders)
        {
            Directory.CreateDirectory(At(folder));
        }

        Write("one/both/deep/file", 3 * Block);
        Shell.Check("cp", "--reflink=always", At("one/both/deep/file"), At("two/both/deep/file"));
        Write("one/gone/below/file", Block);
        Write("one/lost", Block);
        Shell.Check("ln", "-s", "target", At("one/link"));
        Shell.Check("ln", "-s", "elsewhere", At("two/link"));
        Shell.Check("ln", "-s", "target", At("one/same-link"));
        Shell.Check("ln", "-s", "target", At("two/same-link"));
        Write("two/folder", 5 * Block);
        Write("one/other", Block);
        Write("two/other/inside", 2 * Block);
        Write("two/new/below/file", 7 * Block);
        Write("two/extra", 11);
        Shell.Check("mkfifo", At("one/fifo"));
        Write("two/fifo", 13);

        CompareResult result = Compare("one", "two");

        Assert.Equal(["gone", "lost"], result.OnlyInReference);
        Assert.Equal(["extra", "new"], result.OnlyInPath);
        Assert.Equal(["fifo", "folder", "link", "other"], result.Different);
        Assert.Equal((6, (17 * Block) + 24, 3 * Block), (result.Files, result.Length, result.SharedLength));
        Assert.False(result.IsClone);

        List<CompareResult> entries = [];
        CompareResult sum = Compare("one", "two", entries: entries);

        Assert.Equal(sum.SharedLength, entries.Sum(entry => entry.SharedLength));
        Assert.Equal((result.Length, result.SharedLength, result.Files), (sum.Length, sum.SharedLength, entries.Sum(entry => entry.Files)));
        Assert.Equal(sum.Length, entries.Sum(entry => entry.Length));
        Assert.Equal(
            ["both/deep/file yes", "extra only", "fifo different", "folder different", "gone missing", "link different",
                "lost missing", "new only", "new/below/file only", "other different", "other/inside only"],
            entries.Select(entry => $"{Path.GetRelativePath(At("two"), entry.Path)} " + (
                entry.IsClone ? "yes" : entry.OnlyInReference.Count > 0 ? "missing"
                : entry.OnlyInPath.Count > 0 ? "only" : entry.Different.Count > 0 ? "different" : "no")).Order(StringComparer.Ordinal));
        CompareResult lost = Assert.Single(entries, entry => entry.Path == At("two/lost"));
        Assert.Equal((At("one/lost"), 0L, null), (lost.ReferencePath, lost.Length, lost.SharedRatio));
    }

    [BtrfsFact(Needs = "cp")]
    public void Names_may_be_any_bytes_and_directories_of_any_depth()
    {
        string deep = At("one");
        for (int i = 0; i < 600; i++)
        {
            deep += "/level";
        }

        Shell.Check("mkdir", "-p", At("one"));
        Shell.Check("sh", "-c", "cd \"$1\" && for i in $(seq 600); do mkdir level && cd level; done; echo content > file", "sh", At("one"));
        Native.CreateFile(ByteText.FromText(At("one")) + "/\u00ff\n\u00fe").Dispose();
        Shell.Check("cp", "-a", "--reflink=always", At("one"), At("two"));
        Assert.True(Compare("one", "two").IsClone);
        Shell.Check("sh", "-c", "cd \"$1\" && for i in $(seq 600); do cd level; done; echo more > other", "sh", At("two"));

        CompareResult result = Compare("one", "two");

        Assert.EndsWith("level/other", Assert.Single(result.OnlyInPath), StringComparison.Ordinal);
        Assert.Empty(result.OnlyInReference);
    }

    [RootFact(Needs = "cp setpriv chmod")]
    public void What_cannot_be_read_is_no_clone()
    {
        Directory.CreateDirectory(At("one"));
        Write("one/file", 2 * Block);
        Write("one/secret", 2 * Block);
        Shell.Check("cp", "-a", "--reflink=always", At("one"), At("two"));
        Shell.Check("chmod", "600", At("two/secret"));

        ShellResult result = Shell.Run(
            "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", Program.File, "compare", At("one"), At("two"));

        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith($"btrfs-clone: {At("two/secret")}: permission denied", result.Error, StringComparison.Ordinal);
        Assert.Contains(" no ", result.Output, StringComparison.Ordinal);
        Assert.Contains(" 8192 ", result.Output, StringComparison.Ordinal);
    }

    [RootFact(Needs = "setpriv xfs_io cp")]
    public void Two_parts_of_one_compressed_extent_are_told_apart_by_anybody()
    {
        using ModelFile whole = new(At("whole"), compressed: true);
        using ModelFile one = new(At("one"), compressed: true);
        using ModelFile other = new(At("other"), compressed: true);
        whole.Write(0, 32);
        one.CloneFrom(whole, 0, 16, 0);
        other.CloneFrom(whole, 16, 16, 0);
        Shell.Check("cp", "--reflink=always", At("one"), At("clone"));
        Shell.Check("chmod", "644", At("one"), At("other"), At("clone"));

        Assert.Equal((0, 0), Ask("compare", At("one"), At("clone")));
        Assert.Equal((1, 0), Ask("compare", At("one"), At("other")));
        Assert.Equal(0, Compare("one", "clone").ComparedLength);
        Assert.False(Compare("one", "other").IsClone);

        (int ExitCode, int Errors) Ask(params string[] arguments)
        {
            ShellResult result = Shell.Run(
                "setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", Program.File, .. arguments]);
            return (result.ExitCode, result.Error.Length);
        }
    }

    private void Write(string name, int length)
    {
        byte[] content = new byte[length];
        new Random(length).NextBytes(content);
        File.WriteAllBytes(At(name), content);
    }

    private CompareResult Compare(
        string reference, string path, bool mayReadTrees = true, List<CompareResult>? entries = null)
    {
        using CompareSession session = new(
            new ComparisonOptions { MayReadTrees = mayReadTrees },
            new CompareEvents { OnFailure = failure => throw failure, OnEntry = entries is null ? null : entries.Add });
        CompareResult result = session.Compare(At(reference), At(path), CancellationToken.None);
        Assert.Equal((At(reference), At(path), 0), (result.ReferencePath, result.Path, result.Failed));
        return result;
    }

    private string At(string path) => Path.Combine(_folder, path);
}
