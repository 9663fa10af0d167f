using BtrfsClone.Comparing;
using BtrfsClone.Interop;
using BtrfsClone.Tests.Support;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Comparing;

/// <summary>What two files share, against a model of what is done to them, and against what cp makes.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class FileTests(ScratchBtrfs btrfs) : IDisposable
{
    private const int Block = ModelFile.Block;

    private readonly string _folder = btrfs.NewFolder();
    private ModelFile[] _files = [];

    public void Dispose() => Array.ForEach(_files, file => file.Dispose());

    [BtrfsFact]
    public void A_reference_that_has_changed_since_it_was_looked_at_is_compared_anew()
    {
        string reference = At("reference");
        string clone = At("clone");
        File.WriteAllBytes(reference, new byte[2 * Block]);
        Shell.Check("cp", "--reflink=always", reference, clone);
        Assert.True(Sys.Open(reference, OpenFlags.ReadOnly, out Descriptor first).Succeeded);
        using DescriptorScope closingFirst = new(first);
        Assert.True(Sys.Open(clone, OpenFlags.ReadOnly, out Descriptor second).Succeeded);
        using DescriptorScope closingSecond = new(second);
        Assert.True(Sys.Stat(first, out Statx referenceStatus).Succeeded);
        Assert.True(Sys.Stat(second, out Statx status).Succeeded);
        using CompareWorker worker = new();
        worker.Start(new CompareTotals(), mayReadTrees: true, CancellationToken.None);
        bool IsClone() => worker.Compare(
            new ComparedFile(first, reference, referenceStatus), new ComparedFile(second, clone, status)).IsClone;
        Assert.True(IsClone());

        Shell.Check("chmod", "600", reference);
        Assert.True(IsClone());

        File.AppendAllText(reference, "more");
        Assert.False(IsClone());
    }

    [BtrfsTheory(Needs = "xfs_io")]
    [InlineData(301, false)]
    [InlineData(302, true)]
    [InlineData(303, true)]
    public void Files_share_what_was_cloned_and_not_written_since(int seed, bool compressed)
    {
        const int Blocks = 120;
        Random random = new(seed);
        ModelFile[] files = _files = [.. "abc".Select(name => new ModelFile(At(name.ToString()), compressed))];
        foreach (ModelFile file in files)
        {
            file.Write(0, Blocks);
        }

        long compared = 0;
        for (int i = 1; i <= 150; i++)
        {
            ModelFile file = files[random.Next(2)];
            int block = random.Next(Blocks);
            int count = random.Next(1, Math.Min(60, Blocks - block) + 1);
            switch (random.Next(10))
            {
                case 0 or 1:
                    file.Write(block, Math.Min(count, random.Next(1, 40)));
                    break;
                case 2:
                    file.PunchHole(block, Math.Min(count, 10));
                    break;
                case 3:
                    file.Preallocate(block, Math.Min(count, 10));
                    break;
                case 4:
                    file.Truncate(random.NextInt64(40 * Block, Blocks * Block));
                    file.Write(Blocks - 1, 1);
                    break;
                case 5:
                    // Another part of the same extent at the same place, as often as not.
                    int other = random.Next(Blocks - count + 1);
                    file.CloneFrom(files[2], other, count, block);
                    break;
                case 6:
                    files[2].Write(block, count);
                    break;
                default:
                    file.CloneFrom(files[2], block, count, block);
                    break;
            }

            if (i % 5 == 0)
            {
                // Nothing is written out before, but by this.
                CompareResult result = Compare("a", "b", mayReadTrees: i % 2 == 0);
                Assert.Equal((files[1].Size, files[1].SharedWith(files[0])), (result.Length, result.SharedLength));
                Assert.Equal(result.Length - result.SharedLength, result.ExclusiveLength);
                Assert.Equal((double)result.SharedLength / result.Length, result.SharedRatio);
                Assert.Equal(result.SharedLength == files[1].Size && files[0].Size == files[1].Size, result.IsClone);
                compared += result.ComparedLength;
            }
        }

        Assert.Equal(compressed, compared > 0);
        Shell.Check("cp", "--reflink=always", At("a"), At("d"));
        Assert.True(Compare("a", "d").IsClone);
    }

    [BtrfsFact(Needs = "cp")]
    public void A_clone_is_none_any_more_as_soon_as_it_is_written_to()
    {
        Write("a", NewContent(10 * Block));
        Shell.Check("cp", "--reflink=always", At("a"), At("b"));
        Assert.Equal((true, 10 * Block, 0), Facts(Compare("a", "b")));
        using (SafeFileHandle file = File.OpenHandle(At("b"), FileMode.Open, FileAccess.Write))
        {
            RandomAccess.Write(file, [1], 3 * Block);
        }

        Assert.Equal((false, 9 * Block, 0), Facts(Compare("a", "b")));
        // Back to the same bytes is not back to the same place.
        using (SafeFileHandle file = File.OpenHandle(At("b"), FileMode.Open, FileAccess.Write))
        {
            RandomAccess.Write(file, File.ReadAllBytes(At("a")).AsSpan(3 * Block, 1), 3 * Block);
        }

        Assert.Equal((false, 9 * Block, 0), Facts(Compare("a", "b")));
    }

    [BtrfsFact(Needs = "cp")]
    public unsafe void A_write_through_memory_is_seen()
    {
        Write("a", NewContent(4 * Block));
        Shell.Check("cp", "--reflink=always", At("a"), At("b"));
        using SafeFileHandle file = Native.Open(At("b"), write: true);
        byte* memory = Native.Map(file, 4 * Block);
        memory[2 * Block]++;

        Assert.Equal((false, 3 * Block, 0), Facts(Compare("a", "b")));
        Native.Unmap(memory, 4 * Block);
    }

    [BtrfsFact(Needs = "cp sync")]
    public void Inline_data_is_compared_by_content()
    {
        byte[] content = NewContent(1000);
        Write("a", content);
        Shell.Check("sync", At("a"));
        Shell.Check("cp", "--reflink=always", At("a"), At("clone"));
        Shell.Check("cp", "--reflink=never", At("a"), At("copy"));
        content[500]++;
        Write("other", content);
        Write("shorter", content[..400]);

        Assert.Equal((true, 1000, 0), Inline(Compare("a", "clone")));
        Assert.Equal((true, 1000, 0), Inline(Compare("a", "copy")));
        Assert.Equal((false, 0, 1000), Inline(Compare("a", "other")));
        Assert.Equal((false, 400, 0), Inline(Compare("a", "shorter")));
        Assert.Equal(1, Compare("a", "shorter").SharedRatio);
        Assert.Equal((false, 400, 600), Inline(Compare("shorter", "a")));

        static (bool IsClone, long Inline, long Exclusive) Inline(CompareResult result)
        {
            Assert.Equal((0, result.InlineLength), (result.SharedLength, result.ComparedLength));
            return (result.IsClone, result.InlineLength, result.ExclusiveLength);
        }
    }

    [BtrfsFact(Needs = "cp truncate fallocate")]
    public void Nothing_is_the_same_as_nothing()
    {
        Write("empty", []);
        Write("other-empty", []);
        Shell.Check("truncate", "-s", "1T", At("hole"));
        Shell.Check("truncate", "-s", "1T", At("other-hole"));
        Shell.Check("fallocate", "-l", "40960", At("prealloc"));
        Shell.Check("fallocate", "-l", "40960", At("other-prealloc"));
        Shell.Check("truncate", "-s", "40960", At("short-hole"));
        Shell.Check("cp", "--reflink=always", At("prealloc"), At("prealloc-clone"));

        CompareResult empty = Compare("empty", "other-empty");
        Assert.Equal((true, 0, 0), Facts(empty));
        Assert.Equal(1, empty.SharedRatio);
        Assert.Equal((true, 1L << 40, 0), Facts(Compare("hole", "other-hole")));
        Assert.False(Compare("hole", "empty").IsClone);
        Assert.Equal((false, 40960, 0), Facts(Compare("hole", "short-hole")));
        // Two reservations are two places, and neither is a hole.
        Assert.Equal((false, 0, 0), Facts(Compare("prealloc", "other-prealloc")));
        Assert.Equal((false, 0, 0), Facts(Compare("prealloc", "short-hole")));
        Assert.Equal((true, 40960, 0), Facts(Compare("prealloc", "prealloc-clone")));
    }

    [BtrfsFact(Needs = "cp xfs_io")]
    public void A_file_of_many_extents_is_compared_to_its_end()
    {
        using (SafeFileHandle file = Native.CreateFile(At("a")))
        {
            for (int i = 0; i < 5000; i++)
            {
                RandomAccess.Write(file, BitConverter.GetBytes(i), 2L * i * Block);
            }
        }

        Shell.Check("cp", "--reflink=always", At("a"), At("b"));
        long size = new FileInfo(At("a")).Length;
        Assert.Equal((true, size, 0), Facts(Compare("a", "b")));
        using (SafeFileHandle file = Native.Open(At("b"), write: true))
        {
            for (int i = 0; i < 5000; i += 50)
            {
                RandomAccess.Write(file, BitConverter.GetBytes(i), 2L * i * Block);
            }
        }

        Assert.Equal((false, size - (100 * Block), 0), Facts(Compare("a", "b")));
        Assert.Equal((false, size - (100 * Block), 0), Facts(Compare("a", "b", mayReadTrees: false)));
    }

    [RootFact(Needs = "btrfs")]
    public void A_snapshot_is_a_clone()
    {
        Shell.Check("btrfs", "subvolume", "create", At("subvolume"));
        Write("subvolume/a", NewContent(5 * Block));
        Shell.Check("btrfs", "subvolume", "snapshot", At("subvolume"), At("snapshot"));

        Assert.Equal((true, 5 * Block, 0), Facts(Compare("subvolume/a", "snapshot/a")));
        Assert.True(Compare("subvolume", "snapshot").IsClone);
    }

    [RootFact]
    public void On_another_filesystem_nothing_is_a_clone()
    {
        // Made alike, so that the same data lies at the same place on both.
        using ScratchImage one = new(128L << 20, "noatime", "mkfs.btrfs", "--quiet", "--mixed");
        using ScratchImage other = new(128L << 20, "noatime", "mkfs.btrfs", "--quiet", "--mixed");
        foreach (ScratchImage image in (ScratchImage[])[one, other])
        {
            File.WriteAllBytes(Path.Combine(image.Root, "a"), new byte[10 * Block]);
            Shell.Check("sync", "--file-system", image.Root);
        }

        Assert.Equal(
            Shell.Check("filefrag", "-v", Path.Combine(one.Root, "a")).Split('\n')[^3],
            Shell.Check("filefrag", "-v", Path.Combine(other.Root, "a")).Split('\n')[^3]);
        Assert.Equal((false, 0, 0), Facts(Compare(Path.Combine(one.Root, "a"), Path.Combine(other.Root, "a"))));
        Assert.Equal((false, 0, 0), Facts(Compare(one.Root, other.Root)));
    }

    [BtrfsFact(Needs = "mkfifo")]
    public void What_cannot_be_compared_is_refused()
    {
        Write("file", []);
        Shell.Check("mkfifo", At("fifo"));

        Assert.Equal(BtrfsError.NotRegularFile, Refusal("file", "."));
        Assert.Equal(BtrfsError.NotRegularFile, Refusal(".", "file"));
        Assert.Equal(BtrfsError.NotRegularFile, Refusal("fifo", "fifo"));
        Assert.Equal(BtrfsError.SourceNotFound, Refusal("file", "missing"));
        Assert.Equal(BtrfsError.SourceNotFound, Refusal("missing", "file"));
    }

    private static byte[] NewContent(int length)
    {
        byte[] content = new byte[length];
        new Random(5).NextBytes(content);
        return content;
    }

    private static (bool IsClone, long Shared, long Compared) Facts(CompareResult result) =>
        (result.IsClone, result.SharedLength, result.ComparedLength);

    private void Write(string name, byte[] content) => File.WriteAllBytes(At(name), content);

    private BtrfsError Refusal(string reference, string path) =>
        Assert.Throws<BtrfsException>(() => Compare(reference, path)).Error;

    private CompareResult Compare(string reference, string path, bool mayReadTrees = true)
    {
        using CompareSession session = new(
            new ComparisonOptions { MayReadTrees = mayReadTrees },
            new CompareEvents { OnFailure = failure => throw failure });
        CompareResult result = session.Compare(At(reference), At(path), CancellationToken.None);
        Assert.Equal((At(reference), At(path), 0), (result.ReferencePath, result.Path, result.Failed));
        return result;
    }

    private string At(string path) => Path.GetFullPath(Path.Combine(_folder, path));
}
