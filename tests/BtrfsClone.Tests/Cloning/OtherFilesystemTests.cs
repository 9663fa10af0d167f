using BtrfsClone.Cloning;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Cloning;

/// <summary>Where FICLONE works the clone works, and where it does not nothing is copied unless that is asked for.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class OtherFilesystemTests(ScratchBtrfs btrfs)
{
    private const string Needs = TreeFacts.Tools + " cp cmp";

    [RootFact(Needs = Needs + " mkfs.xfs")]
    public void A_tree_on_xfs_is_cloned()
    {
        using ScratchImage xfs = new(512L << 20, "noatime", "mkfs.xfs", "-q", "-m", "reflink=1");
        string source = NewTree(xfs.Root);
        TreeFacts before = TreeFacts.Of(source);

        Cloner.Clone(source, Path.Combine(xfs.Root, "clone"));

        TreeFacts clone = TreeFacts.Of(Path.Combine(xfs.Root, "clone"));
        before.AssertEqual(clone);
        Assert.Empty(clone.Unshared);
    }

    [RootFact(Needs = Needs + " mkfs.ext4")]
    public void A_filesystem_that_cannot_clone_is_refused()
    {
        using ScratchImage ext4 = new(128L << 20, "noatime", "mkfs.ext4", "-q", "-F");
        string source = NewTree(ext4.Root);
        string[] before = Directory.GetFileSystemEntries(ext4.Root);
        foreach (string item in new[] { source, Path.Combine(source, "small") })
        {
            using Cloner cloner = new();

            BtrfsException refusal = Assert.Throws<BtrfsException>(
                () => cloner.Clone(item, CloneDestination.Named(Path.Combine(ext4.Root, "clone"))));

            Assert.Equal(BtrfsError.CloneNotSupported, refusal.Error);
            Assert.Equal(before, Directory.GetFileSystemEntries(ext4.Root));
        }
    }

    [RootFact(Needs = Needs + " mkfs.ext4")]
    public void Auto_copies_what_cannot_be_cloned_and_tells_how_much()
    {
        using ScratchImage ext4 = new(256L << 20, "noatime", "mkfs.ext4", "-q", "-F");
        string source = NewTree(btrfs.NewFolder());
        string clone = Path.Combine(ext4.Root, "clone");
        TreeFacts before = TreeFacts.Of(source);

        CloneResult result = Cloner.Clone(source, clone, new CloneOptions { Reflink = ReflinkMode.Auto });

        // Where the data lies, and how directories are stored, is each file system's own.
        before.AssertEqual(
            DirectoriesWithoutSize(TreeFacts.Of(clone), before),
            TreeFacts.Extents, TreeFacts.BeyondEnd, TreeFacts.Flags, "blocks", "nlink");
        Shell.Check("cmp", Path.Combine(source, "large"), Path.Combine(clone, "large"));
        Shell.Check("cmp", Path.Combine(source, "sparse"), Path.Combine(clone, "sparse"));
        long allocated = long.Parse(
            Shell.Check("stat", "--format=%b", Path.Combine(clone, "sparse")), System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(allocated * 512, 4096, 1 << 20);
        Assert.InRange(result.CopiedLength, (3 << 20) + 100 + 4096, result.Length!.Value);
        Assert.Equal(0, result.Failed);
    }

    [BtrfsFact(Needs = Needs)]
    public void Auto_copies_nothing_that_can_be_cloned()
    {
        string folder = btrfs.NewFolder();
        string source = NewTree(folder);

        CloneResult result = Cloner.Clone(
            source, Path.Combine(folder, "clone"), new CloneOptions { Reflink = ReflinkMode.Auto });

        Assert.Equal(0, result.CopiedLength);
        Assert.Empty(TreeFacts.Of(Path.Combine(folder, "clone")).Unshared);
    }

    [RootTheory(Needs = "chattr lsattr mkfs.ext4 mkfs.xfs")]
    [InlineData("mkfs.ext4", "-q", "-F")]
    [InlineData("mkfs.xfs", "-q")]
    public void Auto_keeps_the_inode_flags_that_the_other_filesystem_has(params string[] mkfs)
    {
        using ScratchImage other = new(512L << 20, "noatime", mkfs);
        string source = Directory.CreateDirectory(Path.Combine(btrfs.NewFolder(), "source")).FullName;
        string clone = Path.Combine(other.Root, "clone");
        string[] flags = ["c", "C", "d", "cd", "Cd", "di"];
        foreach (string flag in flags)
        {
            File.WriteAllText(Path.Combine(source, flag), "");
            Shell.Check("chattr", "+" + flag.Trim('i'), Path.Combine(source, flag));
            File.WriteAllText(Path.Combine(source, flag), new string('x', 100_000));
        }

        Shell.Check("chattr", "+i", Path.Combine(source, "di"));
        try
        {
            Cloner.Clone(source, clone, new CloneOptions { Reflink = ReflinkMode.Auto });

            // Its own flags are those that a new file has there.
            File.WriteAllText(Path.Combine(other.Root, "plain"), "");
            string own = Flags(Path.Combine(other.Root, "plain"));
            foreach (string flag in flags)
            {
                string kept = string.Concat(flag.Where(c => c is 'd' or 'i')) + own;
                Assert.Equal(kept.Order(), Flags(Path.Combine(clone, flag)).Where(c => c != 'c').Order());
            }
        }
        finally
        {
            Shell.Run("chattr", "-i", Path.Combine(source, "di"), Path.Combine(clone, "di"));
        }

        static string Flags(string path) =>
            Shell.Check("lsattr", path).Split(' ')[0].Replace("-", "", StringComparison.Ordinal);
    }

    [RootFact(Needs = "mkfs.xfs")]
    public void Copying_a_large_file_can_be_cancelled()
    {
        using ScratchImage xfs = new(1L << 30, "noatime", "mkfs.xfs", "-q");
        string source = Path.Combine(btrfs.NewFolder(), "large");
        Shell.Check("dd", "if=/dev/zero", $"of={source}", "bs=1M", "count=400", "status=none");
        string clone = Path.Combine(xfs.Root, "clone");
        bool inTheMiddle = false;
        for (int attempt = 0; attempt < 10 && !inTheMiddle; attempt++)
        {
            File.Delete(clone);
            using CancellationTokenSource cancellation = new();
            using Cloner cloner = new(new CloneOptions { Reflink = ReflinkMode.Auto });
            CloneCounters counters = cloner.Session.Counters;
            Task canceller = Task.Run(() =>
            {
                SpinWait.SpinUntil(() => counters.CopiedLength > 0);
                cancellation.Cancel();
            });
            try
            {
                cloner.Clone(source, CloneDestination.Named(clone), cancellation.Token);
            }
            catch (OperationCanceledException)
            {
                inTheMiddle = true;
                Assert.Equal((0, 0, 0), (counters.CopiedLength, counters.Files, counters.Failed));
                Assert.Empty(Directory.GetFileSystemEntries(xfs.Root));
            }

            Assert.Empty(cloner.Failures);
            canceller.Wait();
        }

        Assert.True(inTheMiddle, "Every copy was done before it was cancelled.");
    }

    [RootFact(Needs = Needs)]
    public void A_tree_with_a_mount_in_it_fails_there_only()
    {
        string folder = btrfs.NewFolder();
        string source = NewTree(folder);
        string mounted = Directory.CreateDirectory(Path.Combine(source, "mounted")).FullName;
        Shell.Check("mount", "-t", "tmpfs", "tests", mounted);
        try
        {
            File.WriteAllText(Path.Combine(mounted, "file"), "data");
            using Cloner cloner = new();

            cloner.Clone(source, CloneDestination.Named(Path.Combine(folder, "clone")));

            BtrfsException failure = Assert.Single(cloner.Failures);
            Assert.Equal(BtrfsError.CrossDevice, failure.Error);
            Assert.StartsWith(mounted, failure.Path, StringComparison.Ordinal);
            Shell.Check("cmp", Path.Combine(source, "large"), Path.Combine(folder, "clone", "large"));
        }
        finally
        {
            Shell.Check("umount", mounted);
        }
    }

    private static string NewTree(string folder)
    {
        string source = Path.Combine(folder, "source");
        string inner = Directory.CreateDirectory(Path.Combine(source, "inner", "empty")).Parent!.FullName;
        byte[] data = new byte[3 << 20];
        new Random(101).NextBytes(data);
        File.WriteAllBytes(Path.Combine(source, "large"), data);
        File.WriteAllBytes(Path.Combine(source, "small"), data[..100]);
        using (FileStream sparse = new(Path.Combine(source, "sparse"), FileMode.CreateNew))
        {
            sparse.Seek(32 << 20, SeekOrigin.Begin);
            sparse.Write(data, 0, 4096);
            sparse.SetLength(64 << 20);
        }

        File.CreateSymbolicLink(Path.Combine(inner, "link"), "../large");
        Shell.Check("ln", Path.Combine(source, "small"), Path.Combine(inner, "linked"));
        Shell.Check("mkfifo", Path.Combine(inner, "fifo"));
        Shell.Check("setfattr", "--name=user.x", "--value=1", Path.Combine(source, "small"));
        Shell.Check("setfacl", "-m", "u:1234:rw", Path.Combine(source, "large"));
        Shell.Check("chmod", "4711", Path.Combine(source, "sparse"));
        Shell.Check("touch", "--date=@12345.5", Path.Combine(source, "large"), inner);
        return source;
    }

    private static TreeFacts DirectoriesWithoutSize(TreeFacts facts, TreeFacts like)
    {
        foreach ((string path, EntryFacts entry) in facts.Entries.Where(e => e.Value["type"] == "d"))
        {
            entry["size"] = like.Entries[path]["size"];
        }

        return facts;
    }
}
