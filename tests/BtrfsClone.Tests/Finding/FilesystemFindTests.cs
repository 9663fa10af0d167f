using System.Text.Json;
using BtrfsClone.Finding;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Finding;

/// <summary>Searches of random trees on filesystems of all kinds, and by somebody who may not read btrfs's trees.</summary>
public sealed class FilesystemFindTests
{
    private const string Tools = DuplicateWitness.Tools + " " + RandomDuplicates.Tools;
    private const string Nobody = "65534";

    private static readonly int s_rounds = TestMachine.IsThorough ? 20 : 2;

    [RootTheory(Needs = Tools)]
    [InlineData("crc32c", "compress-force=zlib")]
    [InlineData("crc32c", "compress-force=lzo")]
    [InlineData("xxhash", "compress-force=zstd")]
    [InlineData("xxhash", "noatime")]
    [InlineData("sha256", "noatime")]
    [InlineData("blake2", "noatime")]
    [InlineData("blake2", "compress-force=zlib")]
    [InlineData("crc32c", "nodatasum")]
    [InlineData("crc32c", "nodatacow")]
    public void Finds_all_with_every_checksum_and_compression(string checksum, string mountOption)
    {
        bool hasChecksums = !mountOption.StartsWith("nodata", StringComparison.Ordinal);
        using ScratchImage image = new(1L << 30, mountOption, "mkfs.btrfs", "--quiet", "--csum", checksum);
        foreach (string folder in Trees(image.Root, hasSubvolumes: true, hasChecksums))
        {
            DuplicateWitness witness = Witness(folder);
            foreach (DuplicateSource source in Enum.GetValues<DuplicateSource>())
            {
                List<BtrfsDuplicate> groups = Finder.Find(new FindOptions { Source = source }, folder);
                if (hasChecksums || source != DuplicateSource.Checksum)
                {
                    witness.Check(
                        groups,
                        seesCompressed: source == DuplicateSource.Content,
                        seesNoCow: source != DuplicateSource.Checksum);
                }
                else
                {
                    Assert.Empty(groups);
                }
            }

            List<BtrfsDuplicate> merged = Finder.Find(new FindOptions { Source = DuplicateSource.Content }, folder);
            DuplicateMerger merger = new(new SessionEvents { OnFailure = failure => Assert.Fail(failure.Message) });
            merged.ForEach(group => merger.Merge(group, CancellationToken.None));
            Assert.Equal(0, merger.Counters.DifferentLength);
            Assert.Empty(Finder.Find(new FindOptions { Source = DuplicateSource.Content }, folder));
        }
    }

    [RootFact(Needs = Tools + " mkfs.xfs")]
    public void Finds_all_on_xfs_and_merges_it()
    {
        using ScratchImage image = new(512L << 20, "noatime", "mkfs.xfs", "-q", "-m", "reflink=1");
        foreach (string folder in Trees(image.Root, hasSubvolumes: false, hasNoCow: false))
        {
            List<BtrfsDuplicate> groups = Finder.Find(new FindOptions(), folder);
            Witness(folder).Check(groups, seesCompressed: true, seesNoCow: true);

            // A block that a file has several times in a row is one copy as long as it is one extent, so that more is to be found
            // where extents were parted; but of each block there is one copy in the end.
            DuplicateMerger merger = new(new SessionEvents { OnFailure = failure => Assert.Fail(failure.Message) });
            for (int i = 0; i < 20 && groups.Count > 0; i++)
            {
                groups.ForEach(group => merger.Merge(group, CancellationToken.None));
                groups = Finder.Find(new FindOptions(), folder);
                Assert.DoesNotContain(groups, group => group.Kind == nameof(DuplicateKind.File));
            }

            Assert.Equal(0, merger.Counters.DifferentLength);
            Assert.Empty(groups);
        }

        BtrfsException failure = Assert.Throws<BtrfsException>(
            () => Finder.Find(new FindOptions { Source = DuplicateSource.Checksum }, image.Root));
        Assert.Equal(BtrfsError.NotBtrfs, failure.Error);
    }

    [RootTheory(Needs = Tools + " setpriv")]
    [InlineData("noatime")]
    [InlineData("compress-force=zstd")]
    public void Finds_all_for_somebody_who_may_only_read_the_files(string mountOption)
    {
        using ScratchImage image = new(1L << 30, mountOption, "mkfs.btrfs", "--quiet");
        foreach (string folder in Trees(image.Root, hasSubvolumes: true, hasNoCow: true))
        {
            ShellResult result = Shell.Run(
                "setpriv", $"--reuid={Nobody}", $"--regid={Nobody}", "--clear-groups", Program.File, "duplicates", "--json", folder);
            Assert.Equal((0, ""), (result.ExitCode, result.Error));
            Witness(folder).Check(
                [.. result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Parse)],
                seesCompressed: true,
                seesNoCow: true,
                seesPlaces: false);
        }
    }

    private static IEnumerable<string> Trees(string root, bool hasSubvolumes, bool hasNoCow)
    {
        for (int i = 0; i < s_rounds; i++)
        {
            string folder = Path.Combine(root, $"tree{i}");
            if (hasSubvolumes)
            {
                Shell.Check("btrfs", "subvolume", "create", folder);
            }
            else
            {
                Directory.CreateDirectory(folder);
            }

            new RandomDuplicates(new Random(7000 + i), folder, hasSubvolumes, hasNoCow).Make();
            Shell.Check("sync", "--file-system", root);
            yield return folder;
        }
    }

    private static DuplicateWitness Witness(string folder) =>
        new([.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)]);

    private static BtrfsDuplicate Parse(string line)
    {
        JsonElement group = JsonDocument.Parse(line).RootElement;
        return new BtrfsDuplicate(
            group.GetProperty("Kind").GetString()!,
            group.GetProperty("Length").GetInt64(),
            group.GetProperty("Count").GetInt32(),
            group.GetProperty("ReclaimableLength").GetInt64(),
            [
                .. group.GetProperty("Places").EnumerateArray().Select(place => new DuplicatePlace(
                    place.GetProperty("Path").GetString()!, place.GetProperty("Offset").GetInt64())),
            ]);
    }
}
