using BtrfsClone.Optimizing;
using BtrfsClone.Tests.Support;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Optimizing;

/// <summary>A snapshot that is taken while extents are replaced costs as little space as it can, and the result says how much.</summary>
public sealed class SnapshotMeanwhileTests : IDisposable
{
    private const string Tools = WasteWitness.Tools + " filefrag sha256sum find";
    private const long Length = 32L << 20;
    private const long Hole = 4L << 20;

    private readonly ScratchImage _image = Optimizer.NewImage();

    private string Pool => Path.Combine(_image.Root, "pool");

    private string Snapshot => Path.Combine(_image.Root, "snapshot");

    public void Dispose() => _image.Dispose();

    [RootFact(Needs = Tools)]
    public void Taken_before_the_move_it_costs_nothing()
    {
        long used = Make();
        string begin = FirstPlace(Pool);
        OptimizeResult result = Run("-r", () => HasOpenFile() && FirstPlace(Pool) == begin);

        Assert.Equal((0, 0, 0), (result.ExtentsReplaced, result.GainedLength, result.HeldLength));
        Assert.Equal(Hole, result.LeftLength);
        Assert.Equal(used, DataUsage.Of(_image.Root));
    }

    [RootFact(Needs = Tools)]
    public void Taken_in_the_middle_of_the_move_a_writable_one_moves_along()
    {
        long used = Make();
        string begin = FirstPlace(Pool);
        OptimizeResult result = Run("--", () => FirstPlace(Pool) != begin);

        Assert.Equal((Hole, 0, 0), (result.GainedLength, result.LeftLength, result.HeldLength));
        Assert.Equal(used - Hole, DataUsage.Of(_image.Root));
        Assert.Equal(Places(Pool), Places(Snapshot));
        Assert.Equal(Digest(Pool), Digest(Snapshot));
    }

    [RootFact(Needs = Tools)]
    public void Taken_in_the_middle_of_the_move_a_read_only_one_is_told_with_what_it_holds()
    {
        long used = Make();
        string begin = FirstPlace(Pool);
        OptimizeResult result = Run("-r", () => FirstPlace(Pool) != begin);

        Assert.Equal(Length, result.HeldLength);
        Assert.Equal(result.GainedLength, used - DataUsage.Of(_image.Root));
        Assert.True(result.GainedLength < 0, $"{result.GainedLength}");
        Assert.Equal(Digest(Pool), Digest(Snapshot));
        Shell.Check("btrfs", "subvolume", "delete", Snapshot);
        Assert.Equal(used - Hole, DataUsage.Of(_image.Root));
    }

    private static string Digest(string directory) => Shell.Check("sha256sum", Path.Combine(directory, "db")).Split(' ')[0];

    private static string FirstPlace(string directory) => Places(directory)[0];

    private static string[] Places(string directory) =>
    [
        .. Shell.Check("filefrag", "-v", Path.Combine(directory, "db")).Split('\n')
            .Where(line => line.Contains("..", StringComparison.Ordinal)).Select(line => line.Split(':')[2]),
    ];

    /// <summary>Whether what is to replace the extent is being written: this process has a file open that has no name.</summary>
    private static bool HasOpenFile() => Directory.GetFiles("/proc/self/fd")
        .Any(file => new FileInfo(file).LinkTarget is string target && target.EndsWith(" (deleted)", StringComparison.Ordinal) &&
            target.Contains("/#", StringComparison.Ordinal));

    /// <summary>Makes a file of one extent, of which a part is not in use. Returns what is used of the filesystem.</summary>
    private long Make()
    {
        Shell.Check("btrfs", "subvolume", "create", Pool);
        using (SafeFileHandle file = File.OpenHandle(Path.Combine(Pool, "db"), FileMode.CreateNew, FileAccess.Write))
        {
            byte[] content = new byte[Length];
            new Random(1).NextBytes(content);
            Native.Preallocate(file, 0, Length);
            RandomAccess.Write(file, content, 0);
            RandomAccess.FlushToDisk(file);
            Native.PunchHole(file, Length - (2 * Hole), Hole);
        }

        long used = DataUsage.Of(_image.Root);
        Assert.Equal(1, new WasteWitness(_image).Count);
        return used;
    }

    /// <summary>Optimizes slowly, and takes a snapshot once it is time.</summary>
    private OptimizeResult Run(string kind, Func<bool> isTime)
    {
        bool isTaken = false;
        OptimizeResult result = Optimizer.Run(Pool, new OptimizeOptions { MinimumGain = 1, MaximumRate = 16 << 20 }, () =>
        {
            if (!isTaken && isTime())
            {
                Shell.Check("btrfs", ["subvolume", "snapshot", .. kind == "-r" ? ["-r"] : Array.Empty<string>(), Pool, Snapshot]);
                isTaken = true;
            }
        });
        Assert.True(isTaken, "The time for it never came.");
        return result;
    }
}
