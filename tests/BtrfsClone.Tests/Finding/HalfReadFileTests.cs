using System.Text.Json;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Finding;

/// <summary>Searches in which a file that lies in many pieces can be read in part only.</summary>
public sealed class HalfReadFileTests
{
    private const int Pieces = 5000;
    private const int PieceLength = 8192;
    private const int Distance = 3 * 4096;

    [RootFact(Needs = "mkfs.btrfs sync " + Injection.Tools)]
    public void Of_a_subvolume_that_goes_while_it_is_read_nothing_is_taken_for_another_file()
    {
        using ScratchImage image = new(1L << 30, "noatime", "mkfs.btrfs", "--quiet");
        string first = Path.Combine(image.Root, "first");
        string second = Path.Combine(image.Root, "second");
        Shell.Check("btrfs", "subvolume", "create", first);
        Shell.Check("btrfs", "subvolume", "create", second);
        AssertNoneIsInvented(image.Root, [first, second], "ENOENT");
    }

    [RootFact(Needs = "mkfs.xfs sync " + Injection.Tools)]
    public void Of_a_file_that_fails_in_the_middle_nothing_is_taken_for_another_file()
    {
        using ScratchImage image = new(1L << 30, "noatime", "mkfs.xfs", "-q", "-m", "reflink=1");
        AssertNoneIsInvented(image.Root, [image.Root, image.Root], "EIO");
    }

    /// <summary>Lets each ioctl of a search fail once, and reads what every group says is equal.</summary>
    private static void AssertNoneIsInvented(string root, string[] folders, string error)
    {
        Random random = new(1);
        byte[] content = Content(random);
        Write(Path.Combine(folders[0], "1"), content);
        Write(Path.Combine(folders[1], "2"), Content(random));
        Write(Path.Combine(folders[1], "3"), content);
        Shell.Check("sync", "--file-system", root);
        int groups = 0;
        int failed = 0;
        Injection.RunAtEach(
            "ioctl",
            error,
            () => ["duplicates", "--json", .. folders.Distinct()],
            (place, result) =>
            {
                failed += result.ExitCode == 0 ? 0 : 1;
                foreach (string line in result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
                {
                    groups++;
                    using JsonDocument group = JsonDocument.Parse(line);
                    AssertIsTrue(group.RootElement, place);
                }
            });
        Assert.True(groups > 0 && failed > 0);
    }

    private static void AssertIsTrue(JsonElement group, int failed)
    {
        (string Path, long Offset)[] places =
        [
            .. group.GetProperty("Places").EnumerateArray().Select(
                place => (place.GetProperty("Path").GetString()!, place.GetProperty("Offset").GetInt64())),
        ];
        int length = group.GetProperty("Length").GetInt32();
        Assert.True(places.Distinct().Count() == places.Length, $"Call {failed} fails: {group}");
        byte[][] read = [.. places.Select(place => File.ReadAllBytes(place.Path).AsSpan((int)place.Offset, length).ToArray())];
        Assert.True(read.All(bytes => bytes.AsSpan().SequenceEqual(read[0])), $"Call {failed} fails: {group}");
    }

    private static byte[] Content(Random random)
    {
        byte[] content = new byte[Pieces * Distance];
        for (int i = 0; i < Pieces; i++)
        {
            random.NextBytes(content.AsSpan(i * Distance, PieceLength));
        }

        return content;
    }

    /// <summary>Writes a file with a hole behind each piece.</summary>
    private static void Write(string path, byte[] content)
    {
        using FileStream file = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        file.SetLength(content.Length);
        for (int i = 0; i < Pieces; i++)
        {
            file.Position = i * (long)Distance;
            file.Write(content, i * Distance, PieceLength);
        }
    }
}
