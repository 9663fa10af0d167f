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
        Assert.StartsWith($"btrfs-clone: {folder}/source/closed file: permission denied: openat: ", lines[0], StringComparison.Ordinal);
        Assert.StartsWith($"btrfs-clone: {folder}/source/closed: permission denied: openat: ", lines[1], StringComparison.Ordinal);
        Assert.StartsWith(
            $"btrfs-clone: {folder}/source/theirs: permission denied: BTRFS_IOC_SNAP_CREATE_V2: ", lines[2], StringComparison.Ordinal);
        Assert.Equal("x", File.ReadAllText(folder + "/clone/file"));
        Assert.Equal(["clone", "source"], Names(folder));
        Assert.DoesNotContain(
            "moment", Shell.Check("btrfs", "subvolume", "list", image.Root), StringComparison.Ordinal);
    }

    [RootFact(Needs = Needs)]
    public void Who_could_not_remove_the_snapshot_is_told_before_it_is_taken()
    {
        string folder = NewOwnFolder(btrfs.NewFolder());
        File.WriteAllText(folder + "/source/file", "x");

        ShellResult result = RunAsNobody("copy", "--point-in-time", folder + "/source", folder + "/clone");

        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith("btrfs-clone: ", result.Error, StringComparison.Ordinal);
        Assert.Contains("permission denied: BTRFS_IOC_SNAP_DESTROY: Operation not permitted", result.Error, StringComparison.Ordinal);
        Assert.Contains("user_subvol_rm_allowed", result.Error, StringComparison.Ordinal);
        Assert.Equal(["source"], Names(folder));
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

    private static IEnumerable<string> Names(string folder) =>
        Directory.GetFileSystemEntries(folder).Select(e => Path.GetFileName(e)).Order(StringComparer.Ordinal);
}
