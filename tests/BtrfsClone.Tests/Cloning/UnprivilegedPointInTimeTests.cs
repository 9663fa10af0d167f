using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Cloning;

/// <summary>What an ordinary user needs for clones of one moment, and is told.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class UnprivilegedPointInTimeTests(ScratchBtrfs btrfs)
{
    private const string Needs = "setpriv chown";

    [RootFact(Needs = Needs)]
    public void An_own_subvolume_is_enough_where_the_mount_lets_users_remove_theirs()
    {
        using ScratchImage image = new(1L << 28, "noatime,user_subvol_rm_allowed", "mkfs.btrfs", "--quiet");
        string folder = NewOwnFolder(image.Root);
        File.WriteAllText(folder + "/source/file", "x");
        Directory.CreateDirectory(folder + "/source/closed");
        File.WriteAllText(folder + "/source/closed file", "x");
        Shell.Check("chmod", "000", folder + "/source/closed file", folder + "/source/closed");
        Shell.Check("chmod", "555", folder + "/source");
        Shell.Check("btrfs", "subvolume", "create", folder + "/source/theirs");
        File.WriteAllText(folder + "/source/theirs/file", "x");

        ShellResult result = RunAsNobody("copy", "--point-in-time", folder + "/source", folder + "/clone");

        // The paths in the errors are the user's, not those of the snapshot.
        Assert.Equal(1, result.ExitCode);
        string[] lines = [.. result.Error.TrimEnd('\n').Split('\n').Order(StringComparer.Ordinal)];
        Assert.Equal(3, lines.Length);
        Assert.StartsWith($"btrfs-clone: {folder}/source/closed file: permission denied: openat. ", lines[0], StringComparison.Ordinal);
        Assert.StartsWith($"btrfs-clone: {folder}/source/closed: permission denied: openat. ", lines[1], StringComparison.Ordinal);
        Assert.StartsWith(
            $"btrfs-clone: {folder}/source/theirs: permission denied: BTRFS_IOC_SNAP_CREATE_V2: ", lines[2], StringComparison.Ordinal);
        Assert.Equal("x", File.ReadAllText(folder + "/clone/file"));
        Assert.Equal(["clone", "source"], Names(folder));
        Assert.DoesNotContain(
            "moment", Shell.Check("btrfs", "subvolume", "list", image.Root), StringComparison.Ordinal);
    }

    [RootTheory(Needs = Needs)]
    [InlineData("source")]
    [InlineData("source/dir")]
    public void An_own_subvolume_with_own_directories_is_enough_on_any_mount(string item)
    {
        // What a snapshot has to be emptied of: deep and wide, files of somebody else, what the owner may not write in.
        string folder = NewOwnFolder(btrfs.NewFolder());
        Shell.Check(
            "sh", "-c",
            "cd \"$1/source\" && mkdir -p dir/a/b/c dir/closed dir/many && for i in $(seq 300); do echo $i > dir/many/$i; done && " +
            "echo x > dir/a/b/c/file && echo x > dir/closed/file && btrfs -q subvolume create dir/nested && echo x > dir/nested/file && " +
            "chown -R 65534:65534 . && echo theirs > dir/theirs && chmod 555 dir/closed dir .",
            "sh", folder);
        string[] before = Subvolumes();

        ShellResult result = RunAsNobody("copy", "--point-in-time", folder + "/" + item, folder + "/clone");

        Assert.Equal(new ShellResult(0, "", ""), result);
        Shell.Check("diff", "--recursive", folder + "/" + item, folder + "/clone");
        Assert.Equal(before, Subvolumes());
        Assert.Equal(["clone", "source"], Names(folder));
    }

    [RootFact(Needs = Needs)]
    public void Who_could_not_remove_the_snapshot_is_told_before_it_is_taken()
    {
        // Nobody else's directory can be emptied.
        string folder = NewOwnFolder(btrfs.NewFolder());
        Directory.CreateDirectory(folder + "/source/dir/theirs");
        File.WriteAllText(folder + "/source/file", "x");
        Shell.Check("chown", "65534:65534", folder + "/source/dir");
        string[] before = Subvolumes();

        ShellResult result = RunAsNobody("copy", "--point-in-time", folder + "/source", folder + "/clone");

        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith("btrfs-clone: ", result.Error, StringComparison.Ordinal);
        Assert.Contains("permission denied: BTRFS_IOC_SNAP_DESTROY: Operation not permitted", result.Error, StringComparison.Ordinal);
        Assert.Contains("user_subvol_rm_allowed", result.Error, StringComparison.Ordinal);
        Assert.Equal(before, Subvolumes());
        Assert.Equal(["source"], Names(folder));
    }

    [RootFact(Needs = Needs)]
    public void On_request_it_is_done_without_a_snapshot_where_none_may_be_taken_and_told()
    {
        string folder = NewOwnFolder(btrfs.NewFolder());
        Shell.Check(
            "sh", "-c",
            "cd \"$1/source\" && mkdir -p a/b && echo x > a/b/file && echo y > file && cd .. && btrfs -q subvolume create theirs && " +
            "mkdir -p theirs/a/b && echo z > theirs/a/b/file && chown -R 65534:65534 source && " +
            "btrfs -q subvolume create source/a/theirs && mkdir -p source/a/theirs/c/d && echo z > source/a/theirs/c/d/file",
            "sh", folder);
        string[] before = Subvolumes();

        ShellResult refused = RunAsNobody("copy", "--point-in-time", folder + "/theirs", folder + "/refused");
        ShellResult theirs = RunAsNobody("copy", "--point-in-time", "--per-file", folder + "/theirs", folder + "/clone");
        ShellResult nested = RunAsNobody("copy", "--point-in-time", "--per-file", folder + "/source", folder + "/whole");

        Assert.Equal(1, refused.ExitCode);
        string told = "not of one moment: each of its files is of its own.\n";
        Assert.Equal(new ShellResult(0, "", $"btrfs-clone: {folder}/theirs: {told}"), theirs);
        Assert.Equal(new ShellResult(0, "", $"btrfs-clone: {folder}/source/a/theirs: {told}"), nested);
        Shell.Check("diff", "--recursive", folder + "/theirs", folder + "/clone");
        Shell.Check("diff", "--recursive", folder + "/source", folder + "/whole");
        Shell.Check("sh", "-c", "echo more >> \"$1/source/a/theirs/c/d/file\" && echo more >> \"$1/source/a/b/file\"", "sh", folder);
        ShellResult refusedSync = RunAsNobody("sync", "--point-in-time", folder + "/source", folder + "/whole");
        ShellResult synced = RunAsNobody("sync", "--point-in-time", "--per-file", folder + "/source", folder + "/whole");
        Assert.Equal(1, refusedSync.ExitCode);
        Assert.Equal(new ShellResult(0, "", $"btrfs-clone: {folder}/source/a/theirs: {told}"), synced);
        Shell.Check("diff", "--recursive", folder + "/source", folder + "/whole");
        Assert.Equal(before, Subvolumes());
        Assert.Equal(["clone", "source", "theirs", "whole"], Names(folder));

        // Where one may be taken, it is.
        ShellResult usual = Program.Run("copy", "--point-in-time", "--per-file", folder + "/source", folder + "/usual");
        Assert.Equal(new ShellResult(0, "", ""), usual);
        Assert.Equal(2, Program.Run("copy", "--per-file", folder + "/source", folder + "/wrong").ExitCode);
        Assert.Equal(2, Program.Run("sync", "--per-file", folder + "/source", folder + "/wrong").ExitCode);
    }

    [RootFact(Needs = Needs)]
    public void Who_does_not_own_the_subvolume_is_told()
    {
        using ScratchImage image = new(1L << 28, "noatime,user_subvol_rm_allowed", "mkfs.btrfs", "--quiet");
        string folder = NewOwnFolder(image.Root);
        Shell.Check("chown", "0:0", folder + "/source");
        File.WriteAllText(folder + "/source/file", "x");

        ShellResult result = RunAsNobody("copy", "--point-in-time", folder + "/source/file", folder);

        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith($"btrfs-clone: {folder}/source/file: permission denied: ", result.Error, StringComparison.Ordinal);
        Assert.Contains("owner of the subvolume's root directory", result.Error, StringComparison.Ordinal);
        Assert.Equal(["source"], Names(folder));
    }

    [RootFact(Needs = Needs)]
    public void A_directory_that_may_be_listed_and_not_entered_is_told()
    {
        using ScratchImage image = new(1L << 28, "noatime,user_subvol_rm_allowed", "mkfs.btrfs", "--quiet");
        string folder = NewOwnFolder(image.Root);
        Directory.CreateDirectory(folder + "/source/listed");
        Shell.Check("chown", "65534:65534", folder + "/source/listed");
        Shell.Check("chmod", "400", folder + "/source/listed");

        ShellResult result = RunAsNobody("copy", "--point-in-time", folder + "/source/listed", folder + "/clone");

        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith(
            $"btrfs-clone: {folder}/source/listed: permission denied: openat. ", result.Error,
            StringComparison.Ordinal);
        Assert.Equal(["source"], Names(folder));
    }

    /// <summary>A folder of the user nobody, with a subvolume "source".</summary>
    private static string NewOwnFolder(string root)
    {
        string folder = Directory.CreateDirectory(root + "/own").FullName;
        Shell.Check("btrfs", "subvolume", "create", folder + "/source");
        Shell.Check("chown", "65534:65534", folder, folder + "/source");
        return folder;
    }

    private static ShellResult RunAsNobody(params string[] arguments) => Shell.Run(
        "setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", Program.File, .. arguments]);

    private string[] Subvolumes() => Shell.Check("btrfs", "subvolume", "list", "-u", btrfs.Root).Split('\n')
        .Select(line => line.Split(" uuid ")[^1]).Order(StringComparer.Ordinal).ToArray();

    private static IEnumerable<string> Names(string folder) =>
        Directory.GetFileSystemEntries(folder).Select(e => Path.GetFileName(e)).Order(StringComparer.Ordinal);
}
