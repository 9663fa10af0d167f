using BtrfsClone.Cloning;
using BtrfsClone.Tests.Cloning;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Faults;

/// <summary>
/// Somebody who owns a directory on the way changes it at one chosen moment: when its entries are listed and none of them
/// is cloned yet.
/// </summary>
[Collection(ScratchBtrfs.Name)]
public sealed class ForeignTests(ScratchBtrfs btrfs)
{
    private readonly string _folder = btrfs.NewFolder();

    [RootFact(Needs = "setfacl getfacl " + Fingerprint.Tools)]
    public void What_a_directory_hands_on_to_its_entries_is_not_believed()
    {
        // Who owns the directory would come by every file that its group may read.
        for (int i = 0; i < 20; i++)
        {
            NewFile($"source/file{i}", "secret");
            NewFile($"source/dir{i}/file", "secret");
        }

        Shell.Check("mkfifo", At("source/fifo"));
        Shell.Check("chmod", "-R", "u=rwX,g=rX,o=", At("source"));
        Directory.CreateDirectory(At("into/source"));
        Shell.Check("chown", "-R", "65534:65534", At("into"));
        using Cloner cloner = new(new CloneOptions
        {
            Filter = WhenAsked("file0", "chgrp 65534 into/source && chmod g+s into/source && setfacl -d -m u:65534:rwx into/source"),
        });

        cloner.Clone(At("source"), CloneDestination.Named(At("into")));

        Assert.Empty(cloner.Failures);
        Assert.Equal(Fingerprint.TextOf(At("source")), Fingerprint.TextOf(At("into/source")));
        Assert.Equal("", Shell.Check("getfacl", "--recursive", "--skip-base", "--absolute-names", At("into/source")));
    }

    [RootFact]
    public void A_nested_subvolume_of_the_moment_is_found_below_the_item_and_not_by_the_items_path()
    {
        NewSubvolumes("source/item/nested", "victim/item/nested");
        NewFile("source/item/nested/file", "harmless");
        NewFile("victim/item/nested/file", "secret");
        NewFile("source/item/file", "harmless");
        using (Cloner cloner = new(new CloneOptions { PointInTime = true, Filter = WhenAsked("file", Swap("source")) }))
        {
            cloner.Clone(At("source/item"), CloneDestination.Named(At("clone")));
            Assert.Empty(cloner.Failures);
        }

        Assert.Equal("harmless", File.ReadAllText(At("clone/nested/file")));
    }

    [RootFact]
    public void Snapshots_of_nested_subvolumes_are_taken_by_what_is_open_and_not_by_paths()
    {
        // The first of the nested ones holds the snapshot, which is told; then all paths lead elsewhere.
        NewSubvolumes("source/item", "source/item/a", "source/item/b", "victim/item", "victim/item/b");
        NewFile("source/item/b/file", "harmless");
        NewFile("victim/item/b/file", "secret");
        Directory.CreateDirectory(At("source/item/a/into"));
        Shell.Check("btrfs", "subvolume", "snapshot", At("source/item"), At("victim/snapshot"));
        using Cloner cloner = new();
        SnapshotClone snapshots = new(cloner.Session, new SnapshotOptions { Recurse = true }, _ => Shell.Check(
            "sh", "-c",
            $"cd '{_folder}' && {Swap("source")} && cd source.moved/item/a && mv into into.moved && ln -s '{At("victim")}' into"));

        snapshots.Clone(
            At("source/item"), CloneDestination.Named(At("source/item/a/into/snapshot")), CancellationToken.None);

        Assert.Empty(cloner.Failures);
        Assert.Equal("harmless", File.ReadAllText(At("source.moved/item/a/into.moved/snapshot/b/file")));
        Assert.Empty(Directory.GetFileSystemEntries(At("victim/snapshot/b")));
        Assert.Equal(["item", "snapshot"], Directory.GetFileSystemEntries(At("victim")).Select(e => Path.GetFileName(e)).Order());
    }

    /// <summary>Moves a directory away and puts a link to the victim's in its place.</summary>
    private static string Swap(string directory) => $"mv {directory} {directory}.moved && ln -s victim {directory}";

    private EntryFilter WhenAsked(string entry, string commands)
    {
        int asked = 0;
        return (path, _) =>
        {
            if (path[^1] == entry && Interlocked.Exchange(ref asked, 1) == 0)
            {
                Shell.Check("sh", "-c", $"cd '{_folder}' && {commands}");
            }

            return true;
        };
    }

    private void NewSubvolumes(params string[] paths)
    {
        foreach (string path in paths)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
            Shell.Check("btrfs", "subvolume", "create", At(path));
        }
    }

    private string At(string path) => Path.Combine(_folder, path);

    private void NewFile(string path, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
        File.WriteAllText(At(path), content);
    }
}
