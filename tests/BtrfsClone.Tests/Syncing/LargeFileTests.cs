using System.Globalization;
using BtrfsClone.Syncing;
using BtrfsClone.Tests.Support;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Syncing;

/// <summary>An image of a machine's disk, of which a few blocks have changed.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class LargeFileTests(ScratchBtrfs btrfs)
{
    private const int Block = 4096;
    private const long Size = 20L << 30;
    private const int Blocks = 4000;
    private const int Changed = 1000;

    [RootTheory(Needs = "truncate cp cmp filefrag")]
    [InlineData(true)]
    [InlineData(false)]
    public void Only_the_blocks_that_changed_are_shared_and_none_is_read(bool inPlace)
    {
        string folder = btrfs.NewFolder();
        string source = Path.Combine(folder, "source.img");
        string destination = Path.Combine(folder, "destination.img");
        Shell.Check("truncate", "-s", $"{Size}", source);
        Random random = new(16);
        Write(source, random, [.. Enumerable.Range(0, Blocks)]);
        Shell.Check("cp", "--reflink=always", "--preserve=all", source, destination);
        Write(source, random, [.. Enumerable.Range(0, Blocks).Where(i => i % (Blocks / Changed) == 0)]);
        Shell.Check("sync", "--file-system", folder);
        long before = BytesRead();

        SyncResult result = Syncer.Sync(source, destination, new SyncOptions { InPlace = inPlace, Workers = 1 });

        // proc itself is read, which is some text.
        Assert.InRange(BytesRead() - before, 0, 64 << 10);
        Assert.Equal((1, Changed * (long)Block), (result.Patched, result.SharedLength));
        Assert.Equal(Places(source), Places(destination));
    }

    /// <summary>Writes blocks that are far apart, with others between them.</summary>
    private static void Write(string path, Random random, int[] blocks)
    {
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Write);
        byte[] block = new byte[Block];
        foreach (int i in blocks)
        {
            random.NextBytes(block);
            RandomAccess.Write(file, block, i * (Size / Blocks) / Block * Block);
        }
    }

    /// <summary>What this thread has got by read(2) and its like, in bytes.</summary>
    private static long BytesRead() => long.Parse(
        File.ReadLines("/proc/thread-self/io").First().Split(' ')[1], CultureInfo.InvariantCulture);

    /// <summary>The extents by filefrag, without the file's name.</summary>
    private static string Places(string file) =>
        Shell.Check("filefrag", "-v", "-b1", file).Replace(file, "", StringComparison.Ordinal);
}
