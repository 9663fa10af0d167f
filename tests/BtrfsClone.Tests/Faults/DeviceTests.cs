using System.Globalization;
using BtrfsClone.Cloning;
using BtrfsClone.Measuring;
using BtrfsClone.Tests.Cloning;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Faults;

/// <summary>Devices that fail, and filesystems that become read-only, in the middle of a clone.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class DeviceTests(ScratchBtrfs btrfs)
{
    private const int Files = 600;

    private readonly string _folder = btrfs.NewFolder();

    [RootTheory(Needs = Fingerprint.Tools)]
    [InlineData(false)]
    [InlineData(true)]
    public void A_device_that_takes_no_more_writes(bool atomic)
    {
        // The image lies on a tmpfs that has no room for it: once that is full, every write to a new place fails.
        string tmpfs = Directory.CreateDirectory(Path.Combine(_folder, "tmpfs")).FullName;
        Shell.Check("mount", "-t", "tmpfs", "-o", "size=64M", "tmpfs", tmpfs);
        try
        {
            using ScratchImage image = new(1L << 30, "noatime", new DirectoryInfo(tmpfs), "mkfs.btrfs", "--quiet", "--metadata", "single");
            string source = MakeFiles(Path.Combine(image.Root, "source"), "new");
            string clone = Path.Combine(image.Root, "clone");
            MakeFiles(clone, "old", Files / 2);
            Shell.Check("btrfs", "filesystem", "sync", image.Root);
            SortedDictionary<string, string> before = Fingerprint.Of(source);
            SortedDictionary<string, string> old = Fingerprint.Of(clone);
            Shell.Run("dd", "if=/dev/zero", "bs=1M", $"of={tmpfs}/fill");
            int asked = 0;
            bool Commit(ReadOnlySpan<string> path, EntryKind kind)
            {
                string name = path[^1];
                if (Interlocked.Increment(ref asked) == Files / 2)
                {
                    Shell.Run("btrfs", "filesystem", "sync", image.Root);
                }

                return true;
            }

            using (Cloner cloner = new(new CloneOptions { Atomic = atomic, Filter = Commit }))
            {
                cloner.Clone(source, atomic ? CloneDestination.Named(clone + "2") : CloneDestination.Named(clone));
                if (atomic)
                {
                    Assert.Throws<BtrfsException>(() => cloner.Session.Complete());
                }

                Assert.NotEmpty(cloner.Failures);
                Assert.All(
                    cloner.Failures, f => Assert.Contains(
                        f.Error, (BtrfsError[])[BtrfsError.ReadOnlyFileSystem, BtrfsError.IOError, BtrfsError.LeftBehind]));
            }

            // The device is mended: what it has is the last commit that succeeded.
            image.Unmount();
            File.Delete(Path.Combine(tmpfs, "fill"));
            image.Mount();
            image.Check();
            Assert.Equal(before, Fingerprint.Of(source));
            SortedDictionary<string, string> found = Fingerprint.Of(clone);
            Assert.All(
                found.Where(e => e.Key.Length > 0 && !(atomic is false && before.ContainsKey(e.Key) && before[e.Key] == e.Value)),
                e => Assert.Equal(old[e.Key], e.Value));
            Assert.False(Directory.Exists(clone + "2"));
        }
        finally
        {
            Shell.Check("umount", "--recursive", tmpfs);
        }
    }

    [RootFact(Needs = "grep cmp")]
    public void A_damaged_block_of_the_source()
    {
        using ScratchImage image = new(256 << 20, "noatime", "mkfs.btrfs", "--quiet", "--metadata", "single");
        string source = Directory.CreateDirectory(Path.Combine(image.Root, "source")).FullName;
        foreach (string name in (string[])["before", "damaged", "later"])
        {
            File.WriteAllText(Path.Combine(source, name), string.Concat(Enumerable.Repeat($"<{name} data>", 2000)));
        }

        Damage(image, "<damaged data>");

        // A clone reads no data: it shares the damage, as a snapshot would.
        Cloner.Clone(source, Path.Combine(image.Root, "clone"));
        Assert.Equal(3, Directory.GetFiles(Path.Combine(image.Root, "clone")).Length);

        using Cloner copier = new(new CloneOptions { Reflink = ReflinkMode.Auto });
        string copy = Path.Combine(_folder, "copy");
        copier.Clone(source, CloneDestination.Named(copy));

        BtrfsException failure = Assert.Single(copier.Failures);
        Assert.Equal((BtrfsError.IOError, 5), (failure.Error, failure.Errno));
        Assert.EndsWith("/damaged", failure.Path, StringComparison.Ordinal);
        Assert.Equal("before\nlater\n", Shell.Check("ls", "-A", copy));
        Shell.Check("cmp", Path.Combine(source, "before"), Path.Combine(copy, "before"));
        Shell.Check("cmp", Path.Combine(source, "later"), Path.Combine(copy, "later"));

        using Cloner atomic = new(new CloneOptions { Reflink = ReflinkMode.Auto, Atomic = true });
        atomic.Clone(source, CloneDestination.Named(copy + "2"));
        Assert.Throws<BtrfsException>(() => atomic.Session.Complete());
        Assert.Equal("copy\n", Shell.Check("ls", "-A", _folder));
    }

    [RootFact(Needs = "grep")]
    public void A_damaged_block_of_a_tree_that_is_measured()
    {
        using ScratchImage image = new(256L << 20, "noatime", "mkfs.btrfs", "--quiet", "--metadata", "single");
        foreach (string folder in (string[])["before", "damaged", "later"])
        {
            Directory.CreateDirectory(Path.Combine(image.Root, folder));
            for (int i = 0; i < 200; i++)
            {
                string name = folder == "damaged" && i == 100 ? "this one" : "any";
                File.WriteAllText(Path.Combine(image.Root, folder, $"{i}"), $"<{name}>" + new string('x', 1000));
            }
        }

        // Inline data lies in the block of the tree that has all that is known of its file.
        Damage(image, "<this one>");
        List<BtrfsException> failures = [];
        using MeasureSession session = new(new MeasureOptions(), new SessionEvents { OnFailure = failures.Add });

        MeasureResult result = session.Measure(image.Root, CancellationToken.None);

        BtrfsException failure = Assert.Single(failures);
        Assert.Equal(
            (BtrfsError.IOError, 5, Path.Combine(image.Root, "damaged")), (failure.Error, failure.Errno, failure.Path));
        Assert.Equal(1, result.Failed);
        Assert.InRange(result.Files, 400, 599);
        Assert.True(result.InlineLength >= 400 * 1005);

        // By itself it cannot be measured at all.
        failure = Assert.Throws<BtrfsException>(() => session.Measure(Path.Combine(image.Root, "damaged/100"), CancellationToken.None));
        Assert.Equal((BtrfsError.IOError, Path.Combine(image.Root, "damaged/100")), (failure.Error, failure.Path));
    }

    [RootTheory(Needs = Fingerprint.Tools)]
    [InlineData(false)]
    [InlineData(true)]
    public void A_destination_that_becomes_read_only(bool atomic)
    {
        string source = MakeFiles(Path.Combine(_folder, "source"), "new");
        string subvolume = Path.Combine(_folder, "subvolume");
        Shell.Check("btrfs", "subvolume", "create", subvolume);
        string clone = Path.Combine(subvolume, "clone");
        MakeFiles(clone, "old", Files / 2);
        SortedDictionary<string, string> before = Fingerprint.Of(source);
        SortedDictionary<string, string> old = Fingerprint.Of(clone);
        string[] left = [];
        int asked = 0;
        bool Protect(ReadOnlySpan<string> path, EntryKind kind)
        {
            string name = path[^1];
            if (Interlocked.Increment(ref asked) == Files / 2)
            {
                Shell.Check("btrfs", "property", "set", "-ts", subvolume, "ro", "true");
            }

            return true;
        }

        using (Cloner cloner = new(new CloneOptions { Atomic = atomic, Filter = Protect }))
        {
            cloner.Clone(source, CloneDestination.Named(atomic ? clone + "2" : clone));
            if (atomic)
            {
                Assert.Throws<BtrfsException>(() => cloner.Session.Complete());
            }

            Assert.NotEmpty(cloner.Failures);
            ILookup<bool, BtrfsException> failures = cloner.Failures.ToLookup(f => f.Error == BtrfsError.LeftBehind);
            Assert.All(failures[false], f => Assert.Equal(BtrfsError.ReadOnlyFileSystem, f.Error));
            left = [.. failures[true].Select(f => f.Path)];
        }

        Assert.Equal(before, Fingerprint.Of(source));
        Shell.Check("btrfs", "property", "set", "-ts", subvolume, "ro", "false");
        SortedDictionary<string, string> found = Fingerprint.Of(clone);
        string[] unfinished = [.. found.Where(e => e.Key.Length > 0 && e.Value != before.GetValueOrDefault(e.Key) &&
            e.Value != old.GetValueOrDefault(e.Key)).Select(e => e.Key)];
        // Nothing can be removed any more either: each worker may leave the one entry that it was making.
        Assert.InRange(unfinished.Length, 0, Environment.ProcessorCount);
        Assert.All(unfinished, name => Assert.DoesNotContain(name, old.Keys));
        Assert.False(Directory.Exists(clone + "2"));

        if (atomic)
        {
            // The hidden folder could not be removed either; the next run does it.
            string hidden = Assert.Single(Directory.EnumerateFileSystemEntries(subvolume), path => path != clone);
            Assert.Equal([hidden], left);
            using Cloner next = new(new CloneOptions { Atomic = true });
            next.Clone(source, CloneDestination.Named(clone + "2"));
            next.Session.Complete();
            Assert.Equal("clone\nclone2\n", Shell.Check("ls", "-A", subvolume));
            Assert.Equal(before, Fingerprint.Of(clone + "2"));
        }
    }

    /// <summary>Changes a byte in each block that holds a text, so that its checksum is wrong.</summary>
    private static void Damage(ScratchImage image, string text)
    {
        image.Unmount();
        string[] places = Shell.Check("grep", "--byte-offset", "--only-matching", "--text", text, image.Image).Split('\n');
        using (FileStream device = File.OpenWrite(image.Image))
        {
            foreach (string place in places[..^1])
            {
                device.Position = long.Parse(place.Split(':')[0], CultureInfo.InvariantCulture);
                device.WriteByte((byte)'X');
            }
        }

        image.Mount();
    }

    private static string MakeFiles(string folder, string content, int count = Files)
    {
        Directory.CreateDirectory(folder);
        for (int i = 0; i < count; i++)
        {
            File.WriteAllText(Path.Combine(folder, $"file{i}"), string.Concat(Enumerable.Repeat($"{content} {i} ", 1000)));
        }

        Shell.Check("sync", "--file-system", folder);
        return folder;
    }
}
