using BtrfsClone.Cloning;
using BtrfsClone.Tests.Cloning;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Faults;

/// <summary>Room that runs out in the middle: what there was room for is whole, the rest is reported, nothing else stays.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class FullTests
{
    private const int Files = 260;

    [RootTheory(Needs = Fingerprint.Tools + " dd")]
    [InlineData(false)]
    [InlineData(true)]
    public void No_room_for_metadata(bool atomic)
    {
        using ScratchImage small = new(114 << 20, "noatime", "mkfs.btrfs", "--quiet", "--mixed", "--metadata", "single");
        string source = MakeFiles(small.Root, 3000);
        // Cloning writes no data: leave room for a part of the metadata only.
        Shell.Check("dd", "if=/dev/zero", "bs=1K", "count=1000", $"of={small.Root}/spare");
        Shell.Check("sync", "--file-system", small.Root);
        Shell.Run("dd", "if=/dev/zero", "bs=1M", $"of={small.Root}/fill");
        Shell.Check("sync", "--file-system", small.Root);
        File.Delete($"{small.Root}/spare");
        Shell.Check("btrfs", "filesystem", "sync", small.Root);
        SortedDictionary<string, string> before = Fingerprint.Of(source);
        string clone = Path.Combine(small.Root, "clone");

        (BtrfsException[] failures, BtrfsException? refusal) = Run(source, clone, atomic);

        Assert.NotEmpty(failures);
        Assert.All(failures, f => Assert.Equal(BtrfsError.NoSpace, f.Error));
        Assert.Equal(before, Fingerprint.Of(source));
        AssertWholeOrNothing(clone, before, failures.Length, atomic, refusal);
        small.Check();
        AssertWholeOrNothing(clone, before, failures.Length, atomic, refusal);
    }

    [RootTheory(Needs = Fingerprint.Tools)]
    [InlineData(false)]
    [InlineData(true)]
    public void A_quota_that_is_reached_on_the_way(bool atomic)
    {
        using ScratchImage image = new(256 << 20, "noatime", "mkfs.btrfs", "--quiet", "--metadata", "single");
        string source = MakeFiles(image.Root, 10_000);
        image.EnableQuota();
        string limited = Path.Combine(image.Root, "limited");
        Shell.Check("btrfs", "subvolume", "create", limited);
        Shell.Check("btrfs", "qgroup", "limit", "1M", limited);
        SortedDictionary<string, string> before = Fingerprint.Of(source);
        string clone = Path.Combine(limited, "clone");
        int asked = 0;
        bool Commit(ReadOnlySpan<string> path, EntryKind kind)
        {
            string name = path[^1];
            // What is cloned counts from the next commit on (btrfs-quota(5)).
            if (Interlocked.Increment(ref asked) == Files / 2)
            {
                Shell.Check("btrfs", "filesystem", "sync", image.Root);
            }

            return true;
        }

        (BtrfsException[] failures, BtrfsException? refusal) = Run(source, clone, atomic, Commit);

        Assert.NotEmpty(failures);
        Assert.All(failures, f => Assert.Equal(BtrfsError.QuotaExceeded, f.Error));
        Assert.Equal(before, Fingerprint.Of(source));
        AssertWholeOrNothing(clone, before, failures.Length, atomic, refusal);
        image.Check();
    }

    private static (BtrfsException[] Failures, BtrfsException? Refusal) Run(
        string source, string clone, bool atomic, EntryFilter? filter = null)
    {
        using Cloner cloner = new(new CloneOptions { Atomic = atomic, Filter = filter });
        try
        {
            cloner.Clone(source, CloneDestination.Named(clone));
            cloner.Session.Complete();
        }
        catch (BtrfsException refusal)
        {
            return ([.. cloner.Failures], refusal);
        }

        return ([.. cloner.Failures], null);
    }

    /// <summary>Every file of the clone is the source's in every fact but the directory's times, which had no room.</summary>
    private static void AssertWholeOrNothing(
        string clone, SortedDictionary<string, string> before, int failed, bool atomic, BtrfsException? refusal)
    {
        Assert.Equal(atomic ? BtrfsError.Incomplete : null, refusal?.Error);
        Assert.DoesNotContain(
            Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(clone)!),
            path => Path.GetFileName(path).StartsWith('.'));
        Assert.Equal(!atomic, Directory.Exists(clone));
        if (atomic)
        {
            return;
        }

        SortedDictionary<string, string> found = Fingerprint.Of(clone);
        Assert.InRange(found.Count, 2, Files);
        Assert.True(found.Count - 1 >= Files - failed, $"{found.Count - 1} files and {failed} failures of {Files}");
        Assert.All(found.Where(e => e.Key.Length > 0), e => Assert.Equal(before[e.Key], e.Value));
    }

    private static string MakeFiles(string folder, int size)
    {
        string source = Directory.CreateDirectory(Path.Combine(folder, "source")).FullName;
        byte[] content = new byte[size];
        for (int i = 0; i < Files; i++)
        {
            new Random(i).NextBytes(content);
            // Long names need room for metadata.
            File.WriteAllBytes(Path.Combine(source, $"{i}".PadLeft(240, 'n')), content);
        }

        Shell.Check("sync", "--file-system", folder);
        return source;
    }
}
