using BtrfsClone.Owning;
using BtrfsClone.Tests.Support;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Owning;

/// <summary>Who refers to extents, against walks of whole filesystems.</summary>
public sealed class OwnerTests
{
    private const string Tools = RandomSubvolumes.Tools + " " + OwnerWitness.Tools;

    private static readonly int s_rounds = TestMachine.IsThorough ? 20 : 2;

    [RootFact(Needs = Tools)]
    public void Owners_on_random_filesystems_are_those_of_a_walk_of_all_subvolumes()
    {
        for (int seed = 1; seed <= s_rounds; seed++)
        {
            using ScratchImage image = NewImage(seed);
            using RandomSubvolumes subvolumes = new(image.Root, new Random(seed));
            subvolumes.Change(100);
            OwnerWitness witness = new(image.Root, image.Device);

            using OwnerSession session = new();
            AssertEqual(witness, ReadAll(session, image.Root), seed);

            // With room for one reference in the kernel's answer, the trees are read.
            using OwnerSession byTrees = new() { LargestAnswer = 40 };
            AssertEqual(witness, ReadAll(byTrees, image.Root), seed);
        }
    }

    [RootFact(Needs = Tools)]
    public void Extents_are_those_that_the_kernel_resolves()
    {
        using ScratchImage image = NewImage();
        using RandomSubvolumes subvolumes = new(image.Root, new Random(100));
        subvolumes.Change(60);
        subvolumes.CloseDeleted(image.Root);
        Shell.Check("sync", "--file-system", image.Root);
        using OwnerSession session = new();
        var extents = ReadAll(session, image.Root).GroupBy(owner => owner.DiskOffset).ToList();

        Assert.True(extents.Count > 10);
        foreach (var extent in extents)
        {
            ShellResult resolved = Shell.Run(
                "btrfs", "inspect-internal", "logical-resolve", "-o", "-P", "-s", "1048576", $"{extent.Key}", image.Root);
            string[] expected = [.. resolved.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => line.Split(' ')).Select(words => $"{words[1]} {words[3]} {words[5]}").Distinct().Order()];
            string[] found = [.. extent.Select(owner => $"{owner.Inode} {owner.Offset} {owner.SubvolumeId}").Distinct().Order()];
            Assert.Equal(expected, found);
        }
    }

    [RootFact(Needs = "btrfs mount umount sync cp")]
    public void Paths_are_those_that_the_mounts_show()
    {
        using ScratchImage image = NewImage();
        string At(string path) => Path.Combine(image.Root, path);
        Shell.Check("btrfs", "subvolume", "create", At("a"));
        Directory.CreateDirectory(At("a/b/c"));
        File.WriteAllBytes(At("a/b/c/file"), new byte[8192]);
        Shell.Check("sync", "--file-system", image.Root);
        Shell.Check("btrfs", "subvolume", "snapshot", At("a"), At("s"));
        Shell.Check("cp", "--reflink=always", At("a/b/c/file"), At("top"));
        using ScratchFolder mounts = new(Path.GetTempPath(), folder =>
        {
            Shell.Run("umount", Path.Combine(folder, "mnt"));
            Directory.Delete(Path.Combine(folder, "mnt"));
        });
        string other = Directory.CreateDirectory(Path.Combine(mounts.Path, "mnt")).FullName;
        Shell.Check("mount", "--bind", At("a/b"), other);

        // The mount that is asked comes first; what it does not show, others may.
        Assert.Equal(
            new[] { At("top"), At("a/b/c/file"), At("s/b/c/file") }, PathsOf(At("top")));
        Assert.Equal(
            new[] { At("top"), Path.Combine(other, "c/file"), At("s/b/c/file") }, PathsOf(Path.Combine(other, "c/file")));

        // A mount hides what is below it.
        Shell.Check("mount", "-t", "tmpfs", "none", At("s"));
        try
        {
            BtrfsExtentOwner hidden = Read(At("top"))[2];
            Assert.Equal(
                (null, "/s", "b/c/file", false), (hidden.Path, hidden.Subvolume, hidden.PathInSubvolume, hidden.IsDeleted));
        }
        finally
        {
            Shell.Check("umount", At("s"));
        }
    }

    [RootFact(Needs = "btrfs sync")]
    public void What_is_deleted_and_open_has_an_inode_and_no_path()
    {
        using ScratchImage image = NewImage();
        string file = Path.Combine(image.Root, "file");
        File.WriteAllBytes(file, new byte[8192]);
        string clone = Path.Combine(image.Root, "clone");
        Shell.Check("cp", "--reflink=always", file, clone);
        Shell.Check("sync", "--file-system", image.Root);
        using (SafeFileHandle open = File.OpenHandle(clone))
        {
            File.Delete(clone);

            List<BtrfsExtentOwner> owners = Read(file);

            Assert.Equal(new[] { file, null }, owners.Select(owner => owner.Path));
            Assert.Equal(new[] { false, true }, owners.Select(owner => owner.IsDeleted));
            Assert.Equal("/", owners[1].Subvolume);
            Assert.Null(owners[1].PathInSubvolume);
        }
    }

    [RootFact(Needs = "btrfs sync")]
    public void As_many_references_as_there_may_be_are_listed()
    {
        int clones = TestMachine.IsThorough ? 100_000 : 5_000;
        using ScratchImage image = NewImage();
        string one = Path.Combine(image.Root, "one");
        File.WriteAllBytes(one, new byte[4096]);
        Shell.Check("sync", "--file-system", image.Root);
        using (SafeFileHandle source = File.OpenHandle(one))
        using (SafeFileHandle many = File.OpenHandle(one + "s", FileMode.CreateNew, FileAccess.Write))
        {
            for (int i = 0; i < clones; i++)
            {
                Native.CloneRange(source, 0, 4096, many, i * 4096L);
            }
        }

        Shell.Check("sync", "--file-system", image.Root);
        foreach (int answer in (int[])[16 << 20, 1 << 16])
        {
            using OwnerSession session = new() { LargestAnswer = answer };
            long next = 0;
            foreach (BtrfsExtentOwner owner in session.Read(one, CancellationToken.None).Skip(1))
            {
                Assert.Equal((one + "s", next), (owner.Path, owner.Offset));
                next += 4096;
            }

            Assert.Equal(clones * 4096L, next);
        }
    }

    /// <summary>Half of them have small leaves, of which files have several: some are shared with snapshots, and some not.</summary>
    private static ScratchImage NewImage(int seed = 0) => new(
        1L << 30,
        seed % 4 == 3 ? "noatime,compress-force=zstd" : "noatime",
        "mkfs.btrfs", "--quiet", "--metadata", "single", "--nodesize", seed % 2 == 0 ? "16384" : "4096");

    private static void AssertEqual(OwnerWitness witness, List<BtrfsExtentOwner> owners, int seed)
    {
        var extents = owners.GroupBy(owner => owner.DiskOffset).ToList();
        Assert.True(extents.Count > 10, $"seed {seed}");
        foreach (var extent in extents)
        {
            Assert.Equal(witness.Of(extent.Key), OwnerWitness.Lines(extent));
        }

        // What is missing belongs to deleted files alone.
        Assert.All(
            witness.Extents.Except(extents.Select(extent => extent.Key)),
            extent => Assert.All(witness.Of(extent).Split('\n'), line => Assert.EndsWith(": ", line, StringComparison.Ordinal)));
    }

    private static List<BtrfsExtentOwner> ReadAll(OwnerSession session, string root) =>
        [.. Shell.Check("find", root, "-type", "f").Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .SelectMany(file => session.Read(file, CancellationToken.None))];

    private static List<BtrfsExtentOwner> Read(string path)
    {
        using OwnerSession session = new();
        return [.. session.Read(path, CancellationToken.None)];
    }

    private static string?[] PathsOf(string path) => [.. Read(path).Select(owner => owner.Path)];
}
