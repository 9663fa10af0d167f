using System.Globalization;
using System.Text.RegularExpressions;
using BtrfsClone.Tests.Extents;
using BtrfsClone.Tests.Support;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Carrying;

/// <summary>
/// A tree with a file of two compressed extents that FIEMAP takes for one: of the first the file has as many bytes as it takes on
/// disk, and the second comes next. Another file has the beginning of the second.
/// </summary>
internal static partial class PackedNeighbours
{
    public const string Tools = "btrfs filefrag";

    private const int Largest = 128 << 10; // BTRFS_MAX_UNCOMPRESSED

    public static void Make(string tree, string device)
    {
        Directory.CreateDirectory(tree);
        string source = tree + ".source";
        File.WriteAllBytes(source, []);
        Shell.Check("btrfs", "property", "set", source, "compression", "zstd");
        byte[] bytes = new byte[2 * Largest];
        Random random = new(3);
        for (int i = 0; i < bytes.Length; i += 512)
        {
            random.NextBytes(bytes.AsSpan(i, 256));
        }

        File.WriteAllBytes(source, bytes);
        Shell.Check("sync", "--file-system", tree);
        (long Place, long Length)[] extents = Extents(source, device);
        Assert.Equal(2, extents.Length);
        Assert.Equal(extents[0].Place + extents[0].Length, extents[1].Place);

        long first = extents[0].Length;
        using (SafeFileHandle from = Native.Open(source, write: false))
        {
            Clone(from, Path.Combine(tree, "beginning"), (Largest, Largest / 2));
            Clone(from, Path.Combine(tree, "both"), (Largest - first, first), (Largest, Largest));
        }

        Shell.Check("sync", "--file-system", tree);
        Assert.Equal(first + Largest, Filefrag.Of([Path.Combine(tree, "both")])[0].Single().Length);
    }

    public static void AssertSharing(string tree, string device, string copy, string copyDevice)
    {
        HashSet<string> leftOut = [];
        string expected = SharingWitness.Describe(tree, device, withReserved: true, withTails: true, leftOut);
        long blocks = Extents(Path.Combine(tree, "both"), device)[0].Length / 4096;
        Assert.Contains($"both {blocks} data is beginning 0\n", expected, StringComparison.Ordinal);
        Assert.Equal(expected, SharingWitness.Describe(copy, copyDevice, withReserved: true, withTails: true, leftOut));
    }

    private static void Clone(SafeFileHandle from, string path, params (long Offset, long Length)[] ranges)
    {
        using SafeFileHandle to = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite);
        long end = 0;
        foreach ((long offset, long length) in ranges)
        {
            Native.CloneRange(from, offset, length, to, end);
            end += length;
        }
    }

    private static (long Place, long Length)[] Extents(string file, string device)
    {
        long root = Number(Shell.Check("btrfs", "inspect-internal", "rootid", file));
        long inode = Number(Shell.Check("stat", "--format=%i", file));
        return
        [
            .. Extent().Matches(new TreeDump(device).Of(root, inode))
                .Select(match => (Number(match.Groups[1].Value), Number(match.Groups[2].Value))),
        ];
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex(@" Data at (\d+)\+(\d+) ")]
    private static partial Regex Extent();
}
