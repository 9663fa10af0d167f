using System.Globalization;
using BtrfsClone.Measuring;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Measuring;

/// <summary>What btrfs-progs and compsize say of an item.</summary>
internal static class Witness
{
    public const string Tools = "compsize find sort cut xargs";

    /// <summary>Total, exclusive and set shared.</summary>
    public static (long Length, long Exclusive, long SetShared) DiskUsage(string path)
    {
        string line = Shell.Check("btrfs", "filesystem", "du", "-s", "--raw", path).TrimEnd('\n').Split('\n')[^1];
        long[] numbers = [.. Fields(line)[..3].Select(Number)];
        return (numbers[0], numbers[1], numbers[2]);
    }

    /// <summary>
    /// Extents, and for each type what is referenced, what it is uncompressed, and what it takes. compsize counts a file
    /// once for each of its names; here it gets one of them only.
    /// </summary>
    public static (long Extents, Dictionary<string, (long Length, long Uncompressed, long Disk)> Types) CompSize(string path)
    {
        ShellResult result = Shell.Run(
            "sh", "-c",
            "find \"$1\" -type f -printf '%D %i %p\\0' | sort -z -u -k1,2 | cut -z -d' ' -f3- | xargs -0 -x -s 2000000 compsize -b",
            "sh", path);
        Assert.DoesNotContain("xargs", result.Error, StringComparison.Ordinal);
        if (result.Error.Contains("All empty", StringComparison.Ordinal))
        {
            return (0, []);
        }

        string[] lines = result.Output.TrimEnd('\n').Split('\n');
        Assert.Single(lines, line => line.StartsWith("Processed", StringComparison.Ordinal));
        return (
            Number(Fields(lines[0])[3]),
            lines[3..].Select(Fields).ToDictionary(
                fields => fields[0], fields => (Number(fields[4]), Number(fields[3]), Number(fields[2]))));
    }

    /// <summary>Holds a result against both.</summary>
    public static void AssertEqual(string path, MeasureResult result)
    {
        AssertDiskUsage(path, result);
        (long extents, Dictionary<string, (long Length, long Uncompressed, long Disk)> types) = CompSize(path);
        Assert.Equal(
            types.OrderBy(type => type.Key).Select(type => $"{type.Key} {type.Value}"),
            // compsize has no line for a type whose pieces all lie in extents of another one.
            result.ByCompression!.Where(type => type.UncompressedLength > 0).OrderBy(type => type.Type).Select(
                type => $"{type.Type.ToLowerInvariant()} {(type.Length, type.UncompressedLength, type.DiskLength)}"));
        Assert.Equal(extents, result.ExtentCount);
        Assert.Equal(extents, result.ByCompression!.Sum(type => type.ExtentCount));
        Assert.Equal(types.Values.Sum(type => type.Disk), result.DiskLength);
        Assert.Equal(types.Values.Sum(type => type.Uncompressed), result.UncompressedLength);
    }

    public static void AssertDiskUsage(string path, MeasureResult result)
    {
        Assert.Equal(DiskUsage(path), (result.Length, result.ExclusiveLength, result.SetSharedLength));
        Assert.Equal(result.Length - result.ExclusiveLength, result.SharedLength);
    }

    private static string[] Fields(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
