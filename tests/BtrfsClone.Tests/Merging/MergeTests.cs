using BtrfsClone.Cloning;
using BtrfsClone.Merging;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Merging;

/// <summary>Merging two files: what is shared afterwards, as filefrag sees it, and what stays as it was.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class MergeTests(ScratchBtrfs btrfs)
{
    private const int Block = BlockMap.Block;
    private const string Tools = "filefrag sync stat cp dd";

    private readonly string _folder = btrfs.NewFolder();

    [BtrfsTheory(Needs = Tools)]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1234)]
    public void Equal_files_share_all_of_their_data_to_the_last_byte(int tail)
    {
        // More than one chunk, so that there is more than one call.
        byte[] content = NewContent(41, (20 << 20) + tail);
        string reference = NewFile("reference", content);
        string path = NewFile("path", content);
        string before = Status(reference) + Status(path);

        Assert.Equal((content.Length, 0, 0), Merger.Merge(reference, path));

        Assert.Equal(before, Status(reference) + Status(path));
        Assert.Equal(BlockMap.Of(reference), BlockMap.Of(path));
        Assert.Equal(content, File.ReadAllBytes(path));
        Assert.Equal("0", Exclusive(path));
        Assert.Equal((0, content.Length, 0), Merger.Merge(reference, path));
    }

    [BtrfsTheory(Needs = Tools)]
    [InlineData(42)]
    [InlineData(43)]
    [InlineData(44)]
    public void Every_block_that_is_equal_is_shared_and_no_other(int seed)
    {
        Random random = new(seed);
        for (int i = 0; i < 8; i++)
        {
            string reference = NewFile($"reference{i}", NewContent(random.Next(), random.Next(2100, 700 * Block)));
            string path = At($"path{i}");
            Shell.Check("cp", random.Next(2) == 0 ? "--reflink=never" : "--reflink=always", reference, path);
            Scramble(random, path);
            byte[] referenceContent = File.ReadAllBytes(reference);
            byte[] content = File.ReadAllBytes(path);
            Dictionary<long, long> referenceMap = BlockMap.Of(reference);
            Dictionary<long, long> before = BlockMap.Of(path);
            string status = Status(reference) + Status(path);

            (long deduped, long same, long different) preview = Merger.Merge(reference, path, preview: true);
            Assert.Equal(before, BlockMap.Of(path));
            (long deduped, long same, long different) result = Merger.Merge(reference, path);

            Assert.Equal(preview, result);
            Assert.Equal(status, Status(reference) + Status(path));
            Assert.Equal(referenceContent, File.ReadAllBytes(reference));
            Assert.Equal(content, File.ReadAllBytes(path));
            Assert.Equal(referenceMap, BlockMap.Of(reference));
            (long deduped, long same) expected = (0, 0);
            Dictionary<long, long> after = BlockMap.Of(path);
            for (long block = 0; block * Block < content.Length; block++)
            {
                int start = (int)(block * Block);
                int length = Math.Min(Block, content.Length - start);
                bool comparable = length == Block
                    ? referenceContent.Length >= start + Block
                    : referenceContent.Length == content.Length;
                bool equal = comparable &&
                    content.AsSpan(start, length).SequenceEqual(referenceContent.AsSpan(start, length));
                long? place = before.TryGetValue(block, out long at) ? at : null;
                long? referencePlace = referenceMap.TryGetValue(block, out at) ? at : null;
                long? placeAfter = after.TryGetValue(block, out at) ? at : null;
                if (comparable && place == referencePlace)
                {
                    expected.same += length;
                }
                else if (equal && place is not null)
                {
                    expected.deduped += length;
                    Assert.Equal(referencePlace, placeAfter);
                    continue;
                }

                Assert.Equal(place, placeAfter);
            }

            Assert.Equal(
                (expected.deduped, expected.same, content.Length - expected.deduped - expected.same), result);
        }
    }

    [BtrfsFact(Needs = Tools)]
    public void Zeros_become_a_hole_where_the_reference_has_one_but_holes_stay()
    {
        NewFile("zeros", new byte[64 * Block]);
        NewFile("hole", []);
        Shell.Check("truncate", $"--size={64 * Block}", At("hole"));
        NewFile("other", new byte[64 * Block]);

        Assert.Equal((0, 0, 64 * Block), Merger.Merge(At("other"), At("hole")));
        Assert.Empty(BlockMap.Of(At("hole")));
        Assert.Equal((64 * Block, 0, 0), Merger.Merge(At("hole"), At("zeros")));
        Assert.Empty(BlockMap.Of(At("zeros")));
        Assert.Equal((0, 64 * Block, 0), Merger.Merge(At("hole"), At("zeros")));
    }

    [BtrfsFact(Needs = Tools + " fallocate")]
    public void Preallocated_space_of_the_file_stays_reserved()
    {
        NewFile("reference", new byte[16 * Block]);
        NewFile("path", []);
        Shell.Check("fallocate", "--length", $"{16 * Block}", At("path"));
        Dictionary<long, long> before = BlockMap.Of(At("path"));

        Assert.Equal((0, 0, 16 * Block), Merger.Merge(At("reference"), At("path")));

        Assert.Equal(16, before.Count);
        Assert.Equal(before, BlockMap.Of(At("path")));
    }

    [BtrfsFact(Needs = Tools)]
    public void Inline_data_cannot_be_shared_and_is_no_difference()
    {
        byte[] content = NewContent(46, 900);
        byte[] other = [.. content];
        other[899]++;
        string reference = NewFile("reference", content);

        foreach (bool preview in (bool[])[false, true])
        {
            Assert.Equal((900, 0), Inline(NewFile("path", content), preview));
            Assert.Equal((0, 900), Inline(NewFile("other", other), preview));
            Assert.Equal((0, 899), Inline(NewFile("shorter", content[..899]), preview));
            Assert.Equal((0, 0), Inline(NewFile("empty", []), preview));
        }

        // Of one, the data lies in an extent: preallocated space takes it.
        Shell.Check("sh", "-c", ": > $1; fallocate -n -l 4096 $1; cat $0 >> $1; sync $1", reference, At("allocated"));
        Assert.DoesNotContain("inline", Shell.Check("filefrag", "-v", At("allocated")), StringComparison.Ordinal);
        Assert.Equal((900, 0), Inline(At("allocated"), preview: false));
        Assert.Equal((0, 0, 900), Merger.Merge(NewFile("empty", []), At("path")));

        (long Inline, long Different) Inline(string path, bool preview)
        {
            using Merger merger = new(preview);
            merger.Merge(reference, path, CancellationToken.None);
            MergeResult result = Assert.Single(merger.Results);
            Assert.Equal((0, 0), (result.DedupedLength, result.SameLength));
            Assert.Equal(
                (result.InlineLength, result.DifferentLength), (merger.Counters.InlineLength, merger.Counters.DifferentLength));
            return (result.InlineLength, result.DifferentLength);
        }
    }

    [BtrfsFact(Needs = Tools)]
    public void What_is_not_written_out_yet_is_compared_as_it_is()
    {
        string reference = NewFile("reference", NewContent(47, 64 * Block));
        Shell.Check("sync", reference);
        Shell.Check("cp", "--reflink=always", reference, At("path"));
        // FIEMAP shows the old extent, shared, until this is on disk.
        Overwrite(At("path"), 5 * Block);

        Assert.Equal((0, 63 * Block, Block), Merger.Merge(reference, At("path")));
    }

    [RootTheory(Needs = Tools + " chattr setpriv")]
    [InlineData(false)]
    [InlineData(true)]
    public void Compressed_data_is_shared_and_known_again(bool privileged)
    {
        byte[] content = new byte[40 * 128 * 1024];
        for (int i = 0; i < content.Length; i++)
        {
            content[i] = (byte)(i >> 11);
        }

        string reference = NewCompressed("reference", content);
        string path = NewCompressed("path", content);
        Shell.Check("chown", "--recursive", "65534:65534", _folder);
        Assert.NotEqual(BlockMap.Of(reference), BlockMap.Of(path));

        Assert.Equal($"1 file: {content.Length} bytes merged, 0 shared already, 0 inline, 0 different\n", Run(privileged, reference, path));

        Assert.Equal(BlockMap.Of(reference), BlockMap.Of(path));
        Assert.Equal($"1 file: 0 bytes merged, {content.Length} shared already, 0 inline, 0 different\n", Run(privileged, reference, path));
        Assert.Equal(content, File.ReadAllBytes(path));
    }

    [RootTheory(Needs = Tools + " chattr setpriv truncate xfs_io")]
    [InlineData(false)]
    [InlineData(true)]
    public void Two_places_of_one_compressed_extent_are_not_taken_for_the_same(bool privileged)
    {
        byte[] content = new byte[128 * 1024];
        for (int i = 0; i < content.Length; i++)
        {
            content[i] = (byte)(i >> 11);
        }

        string reference = NewCompressed("reference", content);
        string path = NewFile("path", []);
        Shell.Check("xfs_io", "-c", $"reflink {reference} 65536 0 65536", path);
        Shell.Check("truncate", "--size=65536", reference);
        Shell.Check("chown", "--recursive", "65534:65534", _folder);
        // FIEMAP cannot tell them apart.
        Assert.Equal(BlockMap.Of(reference), BlockMap.Of(path));

        Assert.Equal("1 file: 0 bytes merged, 0 shared already, 0 inline, 65536 different\n", Run(privileged, reference, path));
    }

    [BtrfsTheory(Needs = Tools + " chattr")]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void NOCOW_files_are_merged_with_their_like_only(bool reference, bool path)
    {
        byte[] content = NewContent(48, 64 * Block);
        foreach ((string name, bool noCow) in new[] { ("reference", reference), ("path", path) })
        {
            NewFile(name, []);
            Shell.Check("chattr", noCow ? "+C" : "-C", At(name));
            NewFile(name, content);
        }

        if (reference == path)
        {
            Assert.Equal((64 * Block, 0, 0), Merger.Merge(At("reference"), At("path")));
            return;
        }

        foreach (bool preview in new[] { true, false })
        {
            using Merger merger = new(preview);
            BtrfsException failure = Assert.Throws<BtrfsException>(
                () => merger.Merge(At("reference"), At("path"), CancellationToken.None));
            Assert.Equal((BtrfsError.NoCowMismatch, At("path")), (failure.Error, failure.Path));
        }
    }

    [RootTheory(Needs = Tools + " chattr")]
    [InlineData(true)]
    [InlineData(false)]
    public void An_immutable_file_is_refused(bool preview)
    {
        byte[] content = NewContent(49, 64 * Block);
        string reference = NewFile("reference", content);
        string path = NewFile("path", content);
        Shell.Check("chattr", "+i", path);
        using Merger merger = new(preview);

        BtrfsException failure = Assert.Throws<BtrfsException>(() => merger.Merge(reference, path, CancellationToken.None));

        Shell.Check("chattr", "-i", path);
        Assert.Equal((BtrfsError.PermissionDenied, path), (failure.Error, failure.Path));
    }

    [BtrfsFact(Needs = Tools)]
    public void A_file_without_write_permission_is_merged_by_its_owner()
    {
        byte[] content = NewContent(50, 64 * Block);
        string reference = NewFile("reference", content);
        string path = NewFile("path", content);
        Shell.Check("chmod", "444", path);

        Assert.Equal((64 * Block, 0, 0), Merger.Merge(reference, path));
        Assert.Equal("0", Exclusive(path));
    }

    [RootFact(Needs = Tools + " btrfs")]
    public void What_a_preview_says_is_what_the_filesystem_gets_back()
    {
        using ScratchImage image = new(1L << 30, "noatime", "mkfs.btrfs", "--quiet");
        byte[] content = NewContent(51, 48 << 20);
        string reference = Path.Combine(image.Root, "reference");
        string path = Path.Combine(image.Root, "path");
        File.WriteAllBytes(reference, content);
        // Of extents that begin and end at 16 MiB.
        foreach (int part in new[] { 0, 1, 2 })
        {
            using FileStream file = new(path, FileMode.OpenOrCreate);
            file.Position = part * (16 << 20);
            file.Write(content, part * (16 << 20), 16 << 20);
            file.Flush(flushToDisk: true);
        }

        // A third of it is in use elsewhere too, and stays there.
        using RangeCloner cloner = new();
        cloner.Clone(path, path + "2", 0, 16 << 20);
        long before = UsedData(image.Root);
        using Merger preview = new(preview: true);

        preview.Merge(reference, path, CancellationToken.None);
        Assert.Equal(before, UsedData(image.Root));
        Merger.Merge(reference, path);

        Assert.Equal(48 << 20, preview.Counters.DedupedLength);
        Assert.Equal(32 << 20, preview.Counters.UnsharedLength);
        Assert.Equal(32 << 20, before - UsedData(image.Root));
    }

    [RootFact(Needs = Tools + " setpriv")]
    public void No_time_moves_for_somebody_who_owns_neither_file()
    {
        using ScratchImage image = new(256L << 20, "strictatime", "mkfs.btrfs", "--quiet", "--mixed");
        byte[] content = NewContent(52, (300 * Block) + 9);
        string reference = Path.Combine(image.Root, "reference");
        string path = Path.Combine(image.Root, "path");
        File.WriteAllBytes(reference, content);
        File.WriteAllBytes(path, content);
        foreach (int block in new[] { 0, 7, 8, 100, 191, 192, 300 })
        {
            Overwrite(path, block * Block);
        }

        (long merged, long different) = (294 * Block, (6 * Block) + 9);
        Shell.Check("chmod", "666", path, reference);
        Shell.Check("sync", path, reference);
        string before = Status(reference) + Status(path);

        Assert.Equal($"1 file: {merged} bytes merged, 0 shared already, 0 inline, {different} different\n", Run(false, reference, path));
        Assert.Equal($"1 file: 0 bytes merged, {merged} shared already, 0 inline, {different} different\n", Run(true, reference, path));

        Assert.Equal(before, Status(reference) + Status(path));
    }

    [BtrfsFact(Needs = Tools + " mkfifo")]
    public void What_cannot_be_merged_is_refused()
    {
        string file = NewFile("file", NewContent(53, Block));
        Shell.Check("ln", file, At("link"));
        Directory.CreateDirectory(At("tree"));
        Shell.Check("mkfifo", At("fifo"));

        Assert.Equal(BtrfsError.SourceNotFound, Refusal(At("missing"), file));
        Assert.Equal(BtrfsError.SourceNotFound, Refusal(file, At("missing")));
        Assert.Equal(BtrfsError.SameFile, Refusal(file, At("link")));
        Assert.Equal(BtrfsError.SameFile, Refusal(At("tree"), At("tree/.")));
        Assert.Equal(BtrfsError.NotRegularFile, Refusal(file, At("tree")));
        Assert.Equal(BtrfsError.NotRegularFile, Refusal(At("tree"), file));
        Assert.Equal(BtrfsError.NotRegularFile, Refusal(At("fifo"), file));
        Assert.Equal(BtrfsError.NotRegularFile, Refusal(file, At("fifo")));
    }

    [RootTheory(Needs = "mkfs.ext4")]
    [InlineData("mkfs.btrfs", BtrfsError.CrossDevice)]
    [InlineData("mkfs.ext4", BtrfsError.CrossDevice)]
    public void Another_filesystem_is_refused(string mkfs, BtrfsError expected)
    {
        using ScratchImage other = new(256L << 20, "noatime", mkfs, mkfs == "mkfs.btrfs" ? "--quiet" : "-q");
        byte[] content = NewContent(54, 4 * Block);
        string here = NewFile("tree/file", content);
        string there = Path.Combine(other.Root, "tree", "file");
        Directory.CreateDirectory(Path.GetDirectoryName(there)!);
        File.WriteAllBytes(there, content);

        Assert.Equal(expected, Refusal(here, there));
        Assert.Equal(expected, Refusal(At("tree"), Path.GetDirectoryName(there)!));
        if (mkfs == "mkfs.ext4")
        {
            File.Copy(there, there + "2");
            Assert.Equal(BtrfsError.CloneNotSupported, Refusal(there, there + "2"));
        }
    }

    private static BtrfsError Refusal(string reference, string path)
    {
        using Merger merger = new();
        BtrfsException failure = Assert.Throws<BtrfsException>(() => merger.Merge(reference, path, CancellationToken.None));
        Assert.Empty(merger.Results);
        return failure.Error;
    }

    private static string Run(bool privileged, string reference, string path)
    {
        ShellResult result = privileged
            ? Program.Run("merge", reference, path)
            : Shell.Run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", Program.File, "merge", reference, path);
        Assert.Equal("", result.Error);
        return result.Output;
    }

    /// <summary>Mode, owner, size and all times; the blocks too would change.</summary>
    private static string Status(string path) => Shell.Check("stat", "--format=%a %u %g %s %h %x %y %z", path);

    private static string Exclusive(string path)
    {
        Shell.Check("sync", "--file-system", path);
        string usage = Shell.Check("btrfs", "filesystem", "du", "--raw", path);
        return usage.Split('\n')[1].Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
    }

    private static long UsedData(string root)
    {
        Shell.Check("btrfs", "filesystem", "sync", root);
        string line = Shell.Check("btrfs", "filesystem", "df", "--raw", root).Split('\n')
            .First(l => l.StartsWith("Data", StringComparison.Ordinal));
        return long.Parse(line.Split("used=")[1], System.Globalization.CultureInfo.InvariantCulture);
    }

    private static byte[] NewContent(int seed, int length)
    {
        byte[] content = new byte[length];
        new Random(seed).NextBytes(content);
        return content;
    }

    private static void Overwrite(string path, long offset)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = offset;
        int old = file.ReadByte();
        file.Position = offset;
        file.WriteByte((byte)~old);
    }

    /// <summary>Makes a file differ here and there from what it was copied from.</summary>
    private static void Scramble(Random random, string path)
    {
        long length = new FileInfo(path).Length;
        for (int i = random.Next(20); i > 0; i--)
        {
            Overwrite(path, random.NextInt64(length));
        }

        if (random.Next(3) == 0)
        {
            Shell.Check(
                "dd", "if=/dev/zero", "of=" + path, "bs=4096", "count=3", $"seek={random.NextInt64(length / Block)}",
                "conv=notrunc", "status=none");
        }

        if (random.Next(3) == 0)
        {
            using FileStream file = new(path, FileMode.Open);
            file.SetLength(random.NextInt64(1, 2 * length));
        }
    }

    private string NewFile(string name, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        File.WriteAllBytes(At(name), content);
        return At(name);
    }

    private string NewCompressed(string name, byte[] content)
    {
        NewFile(name, []);
        Shell.Check("chattr", "+c", At(name));
        NewFile(name, content);
        Shell.Check("sync", At(name));
        return At(name);
    }

    private string At(string path) => Path.Combine(_folder, path);
}
