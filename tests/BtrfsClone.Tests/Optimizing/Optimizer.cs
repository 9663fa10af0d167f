using System.Globalization;
using System.Text.RegularExpressions;
using BtrfsClone.Optimizing;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Optimizing;

/// <summary>Optimizes, and measures what comes free.</summary>
internal static partial class Optimizer
{
    public const int Block = 4096;

    public static ScratchImage NewImage(string options = "noatime", long size = 1L << 30, int nodeSize = 4096) => new(
        size, options, "mkfs.btrfs", "--quiet", "--metadata", "single", "--nodesize", $"{nodeSize}");

    /// <summary>Optimizes an item, in which nothing may fail.</summary>
    public static OptimizeResult Run(string path, OptimizeOptions? options = null, Action? onTick = null)
    {
        List<BtrfsException> failures = [];
        var events = new SessionEvents { OnFailure = failures.Add, OnTick = onTick };
        using OptimizeSession session = new(options ?? new OptimizeOptions { MinimumGain = 1 }, events);
        OptimizeResult result = session.Optimize(path, CancellationToken.None);
        Assert.Empty(failures);
        Assert.Equal((path, 0), (result.Path, result.Failed));
        return result;
    }

    public static OptimizeResult Preview(string path) => Run(path, new OptimizeOptions { MinimumGain = 1, Preview = true });

    /// <summary>
    /// Holds a result to what was promised. Write-out that begins in the middle of what is being written, for somebody's sync, say,
    /// makes more extents of it.
    /// </summary>
    public static void CheckKept(OptimizeResult promised, OptimizeResult result)
    {
        Assert.Equal(Numbers(promised), Numbers(result));
        Assert.True(result.ExtentsWritten >= promised.ExtentsWritten, $"{promised.ExtentsWritten} {result.ExtentsWritten}");

        static (long, long, long, long, long) Numbers(OptimizeResult one) =>
            (one.ExtentsReplaced, one.GainedLength, one.WrittenLength, one.LeftLength, one.ExtentsLeft);
    }

    /// <summary>Checks that nothing is left to do, but to join what write-out has parted.</summary>
    public static void CheckDone(string path, OptimizeResult promised, OptimizeResult result)
    {
        OptimizeResult again = Preview(path);
        Assert.Equal((0, 0), (again.GainedLength, again.LeftLength));
        Assert.True(again.ExtentsReplaced == 0 || again.ExtentsWritten < again.ExtentsReplaced);
        Assert.True(again.ExtentsReplaced == 0 || result.ExtentsWritten > promised.ExtentsWritten, $"{again.ExtentsReplaced}");
    }

    /// <summary>Of each file its content, its times, its inode, its size and its blocks.</summary>
    public static string Facts(string root) =>
        Shell.Check("find", root, "-type", "f", "-printf", "%P %A@ %C@ %T@ %i %m %b %s\n") +
        Shell.Check("sh", "-c", "find \"$1\" -type f -exec sha256sum {} +", "sh", root);

    /// <summary>Writes over random blocks of a file, so many each time before it is written out.</summary>
    public static void Overwrite(string path, Random random, int rounds, int blocks)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Write);
        long count = file.Length / Block;
        byte[] block = new byte[Block];
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < blocks; i++)
            {
                random.NextBytes(block);
                RandomAccess.Write(file.SafeFileHandle, block, random.NextInt64(count) * Block);
            }

            RandomAccess.FlushToDisk(file.SafeFileHandle);
        }
    }
}
