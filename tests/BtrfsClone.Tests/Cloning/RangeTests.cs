using BtrfsClone.Cloning;
using BtrfsClone.Tests.Extents;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Cloning;

/// <summary>Ranges of files, against xfs_io's reflink and against the bytes that ought to be there.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class RangeTests(ScratchBtrfs btrfs)
{
    private const int Block = 4096;

    private static readonly string[] s_kinds = ["shared", "inline", "unwritten", "delalloc"];

    private readonly string _folder = btrfs.NewFolder();

    [BtrfsTheory(Needs = "xfs_io filefrag sync cmp")]
    [InlineData(11)]
    [InlineData(12)]
    public void Many_ranges_are_cloned_in_their_order(int seed)
    {
        Random random = new(seed);
        byte[][] sources = [NewContent(random, (40 * Block) + 1234), NewContent(random, 7 * Block), NewContent(random, 900)];
        string[] names = [.. sources.Select((content, i) => NewFile($"source{i}", content))];
        byte[] expected = NewContent(random, 30 * Block);
        string destination = NewFile("destination", expected);
        List<string> witness = ["-f"];
        using RangeCloner cloner = new();

        Assert.Equal(BtrfsError.OverlappingRanges, Refusal(cloner, destination, destination).Error);
        Shell.Check("cp", "--reflink=always", destination, At("witness"));
        for (int i = 0; i < 200; i++)
        {
            int from = random.Next(sources.Length);
            byte[] source = sources[from];
            int offset = random.Next((source.Length + Block - 1) / Block) * Block;
            bool tail = random.Next(4) == 0 || source.Length - offset < Block;
            int length = tail
                ? source.Length - offset
                : random.Next(1, ((source.Length - offset) / Block) + 1) * Block;
            int to = random.Next(60) * Block;
            if (length % Block != 0 && to + length < expected.Length)
            {
                to = (expected.Length + Block - 1) / Block * Block;
            }

            RangeCloneResult result = cloner.Clone(names[from], destination, offset, tail ? 0 : length, to);

            Assert.Equal(
                (destination, names[from], (long)offset, (long)length, (long)to),
                (result.Path, result.Source, result.Offset, result.Length, result.DestinationOffset));
            Array.Resize(ref expected, Math.Max(expected.Length, to + length));
            source.AsSpan(offset, length).CopyTo(expected.AsSpan(to));
            witness.AddRange(["-c", $"reflink {names[from]} {offset} {to} {length}"]);
        }

        Shell.Check("xfs_io", [.. witness, At("witness")]);
        Assert.Equal(expected, File.ReadAllBytes(destination));
        Assert.Equal(Blocks("witness"), Blocks("destination"));
        for (int i = 0; i < names.Length; i++)
        {
            Assert.Equal(sources[i], File.ReadAllBytes(names[i]));
        }
    }

    [BtrfsFact(Needs = "filefrag sync stat")]
    public void A_missing_destination_is_made_with_the_range_alone()
    {
        string source = NewFile("source", NewContent(new Random(13), 5 * Block));
        Shell.Check("chmod", "6750", source);

        Clone(source, At("new"), Block, 2 * Block);

        Assert.Equal(3 * Block, new FileInfo(At("new")).Length);
        Assert.Equal(new byte[Block], File.ReadAllBytes(At("new"))[..Block]);
        Assert.Equal(File.ReadAllBytes(source)[Block..(3 * Block)], File.ReadAllBytes(At("new"))[Block..]);
        Assert.All(Blocks("new"), block => Assert.Contains("shared", block, StringComparison.Ordinal));
        // As cp makes it: the source's permissions within the umask, and no setuid or setgid.
        Shell.Check("cp", "--reflink=never", source, At("copy"));
        Assert.Equal(Shell.Check("stat", "--format=%a", At("copy")), Shell.Check("stat", "--format=%a", At("new")));
    }

    [BtrfsFact]
    public void An_existing_destination_keeps_what_is_beside_the_range()
    {
        byte[] content = NewContent(new Random(14), 3 * Block);
        byte[] old = NewContent(new Random(15), 6 * Block);
        NewFile("destination", old);

        Clone(NewFile("source", content), At("destination"), 0, Block, 2 * Block);

        Assert.Equal([.. old[..(2 * Block)], .. content[..Block], .. old[(3 * Block)..]], File.ReadAllBytes(At("destination")));
    }

    [BtrfsFact]
    public void The_source_may_be_the_destination_where_the_ranges_are_apart()
    {
        byte[] content = NewContent(new Random(16), (4 * Block) + 10);
        string file = NewFile("file", content);

        Clone(file, file, 0, 2 * Block, 2 * Block);
        // The unaligned end, behind itself.
        Clone(file, file, 4 * Block, 0, 8 * Block);

        byte[] expected = [.. content[..(2 * Block)], .. content[..(2 * Block)], .. content[(4 * Block)..]];
        byte[] found = File.ReadAllBytes(file);
        Assert.Equal((8 * Block) + 10, found.Length);
        Assert.Equal(expected, found[..expected.Length]);
        Assert.Equal(content[(4 * Block)..], found[(8 * Block)..]);
    }

    [BtrfsTheory]
    [InlineData(0, 0, Block)]
    [InlineData(Block, 2 * Block, 2 * Block)]
    [InlineData(2 * Block, 2 * Block, Block)]
    [InlineData(4 * Block, 0, 4 * Block)]
    public void Ranges_that_overlap_are_refused(long offset, long length, long destinationOffset)
    {
        byte[] content = NewContent(new Random(17), (4 * Block) + 10);
        string file = NewFile("file", content);
        Shell.Check("ln", file, At("link"));
        using RangeCloner cloner = new();

        BtrfsException failure = Refusal(cloner, file, At("link"), offset, length, destinationOffset);

        Assert.Equal((BtrfsError.OverlappingRanges, At("link")), (failure.Error, failure.Path));
        Assert.Equal(content, File.ReadAllBytes(file));
    }

    [BtrfsTheory]
    [InlineData(100, 4096, 0, "offset 0, length 4096, destination offset 0")]
    [InlineData(5000, 8000, 4096, "offset 4096, length 8192, destination offset 4096")]
    [InlineData(0, 10, 0, "offset 0, length 4096, destination offset 0")]
    [InlineData(4096, 4096, 7000, "offset 4096, length 4096, destination offset 8192")]
    [InlineData(20480, 70, 0, "there is no aligned range")]
    [InlineData(20480, 0, 1, "there is no aligned range")]
    [InlineData(16384, 0, 0, "offset 16384, length 4096, destination offset 0")]
    [InlineData(20500, 0, 40960, "offset 20480, length 80, destination offset 40960")]
    public void An_unaligned_range_is_refused_with_the_nearest_aligned_one(
        long offset, long length, long destinationOffset, string nearest)
    {
        string source = NewFile("source", NewContent(new Random(18), (5 * Block) + 80));
        byte[] old = NewContent(new Random(19), 10 * Block);
        string destination = NewFile("destination", old);
        using RangeCloner cloner = new();

        BtrfsException failure = Refusal(cloner, source, destination, offset, length, destinationOffset);

        Assert.Equal((BtrfsError.UnalignedRange, source), (failure.Error, failure.Path));
        Assert.Contains("blocks of 4096 bytes", failure.Message, StringComparison.Ordinal);
        Assert.Contains(nearest, failure.Message, StringComparison.Ordinal);
        Assert.Equal(old, File.ReadAllBytes(destination));
        // What the message names is what the kernel takes.
        if (nearest.StartsWith("offset", StringComparison.Ordinal))
        {
            long[] numbers = [.. nearest.Split(", ").Select(part => long.Parse(part.Split(' ')[^1], null))];
            cloner.Clone(source, destination, numbers[0], numbers[1], numbers[2]);
        }
    }

    [BtrfsTheory]
    [InlineData(0, (6 * Block) + 1)]
    [InlineData(6 * Block, 0)]
    [InlineData(6 * Block, Block)]
    [InlineData((5 * Block) + 80, 0)]
    [InlineData(long.MaxValue, long.MaxValue)]
    public void A_range_beyond_the_end_is_refused(long offset, long length)
    {
        using RangeCloner cloner = new();
        string source = NewFile("source", NewContent(new Random(20), (5 * Block) + 80));

        Assert.Equal(BtrfsError.RangeBeyondEnd, Refusal(cloner, source, At("new"), offset, length).Error);
        Assert.False(File.Exists(At("new")));
    }

    [BtrfsFact(Needs = "cmp")]
    public void The_last_block_may_be_named_as_a_whole()
    {
        string source = NewFile("source", NewContent(new Random(21), (5 * Block) + 80));

        Clone(source, At("new"), 0, 6 * Block);

        Shell.Check("cmp", source, At("new"));
    }

    [BtrfsFact(Needs = "truncate xfs_io")]
    public void A_file_may_be_as_long_as_a_number_can_be()
    {
        string source = NewFile("source", NewContent(new Random(27), 4 * Block));
        Shell.Check("truncate", $"--size={long.MaxValue}", source);
        long last = long.MaxValue / Block * Block;
        Shell.Check("xfs_io", "-c", $"pwrite -S 77 {last} {Block - 1}", source);

        Assert.Equal(long.MaxValue, Clone(source, At("whole")).Length);
        Assert.Equal(Block - 1, Clone(source, At("tail"), last, 0, 0).Length);
        Clone(source, At("part"), Block, 2 * Block, last - (2 * Block));

        Assert.Equal(long.MaxValue, new FileInfo(At("whole")).Length);
        Assert.Equal(Blocks("source"), Blocks("whole"));
        Assert.All(File.ReadAllBytes(At("tail")), value => Assert.Equal(77, value));
        Assert.Equal(last, new FileInfo(At("part")).Length);
        using RangeCloner cloner = new();
        Assert.Equal(BtrfsError.OverlappingRanges, Refusal(cloner, source, source, 0, 0, 0).Error);
        Assert.Equal(BtrfsError.FileTooLarge, Refusal(cloner, source, At("tail"), 0, Block, last).Error);
        Assert.Contains(
            $"is offset {last}, length {Block - 1}, destination offset {last}",
            Refusal(cloner, source, At("new"), last + 5).Message, StringComparison.Ordinal);
    }

    [BtrfsFact]
    public void An_empty_source_makes_an_empty_destination()
    {
        RangeCloneResult result = Clone(NewFile("source", []), At("new"));

        Assert.Equal(0, result.Length);
        Assert.Equal(0, new FileInfo(At("new")).Length);
    }

    [BtrfsTheory(Needs = "chattr lsattr")]
    [InlineData(true, "nothing")]
    [InlineData(true, "an empty file")]
    [InlineData(true, "an empty compressed file")]
    [InlineData(false, "nothing")]
    [InlineData(false, "an empty file")]
    public void An_empty_destination_becomes_NOCOW_or_not_like_the_source(bool noCow, string there)
    {
        byte[] content = NewContent(new Random(22), 4 * Block);
        string source = NewNoCowFile("source", noCow, content);
        // What is new takes after its directory: here the other way.
        Directory.CreateDirectory(At("folder"));
        Shell.Check("chattr", noCow ? "-C" : "+C", At("folder"));
        if (there != "nothing")
        {
            NewFile("folder/destination", []);
            Shell.Check("chattr", there.Contains("compressed", StringComparison.Ordinal) ? "+cd" : "+d", At("folder/destination"));
        }

        Clone(source, At("folder/destination"));

        Assert.Equal(content, File.ReadAllBytes(At("folder/destination")));
        string flags = Shell.Check("lsattr", At("folder/destination")).Split(' ')[0];
        Assert.Equal(noCow, flags.Contains('C', StringComparison.Ordinal));
        Assert.Equal(there != "nothing", flags.Contains('d', StringComparison.Ordinal));
    }

    [BtrfsTheory(Needs = "chattr")]
    [InlineData(true)]
    [InlineData(false)]
    public void A_destination_with_data_of_the_other_kind_is_refused(bool noCow)
    {
        byte[] old = NewContent(new Random(23), 2 * Block);
        string source = NewNoCowFile("source", noCow, NewContent(new Random(24), 4 * Block));
        string destination = NewNoCowFile("destination", !noCow, old);
        using RangeCloner cloner = new();

        BtrfsException failure = Refusal(cloner, source, destination);

        Assert.Equal((BtrfsError.NoCowMismatch, destination), (failure.Error, failure.Path));
        Assert.Equal(old, File.ReadAllBytes(destination));
    }

    [RootFact(Needs = "chattr lsattr cmp")]
    public void A_file_without_checksums_needs_no_NOCOW_flag()
    {
        using ScratchImage image = new(256L << 20, "noatime,nodatasum", "mkfs.btrfs", "--quiet", "--mixed");
        string At(string name) => Path.Combine(image.Root, name);
        string source = At("source");
        File.WriteAllBytes(source, NewContent(new Random(51), 2 * Block));
        Shell.Check("mount", "-o", "remount,datasum", image.Root);
        byte[] old = NewContent(new Random(52), 2 * Block);
        File.WriteAllBytes(At("full"), old);
        File.WriteAllBytes(At("noCow"), []);
        Shell.Check("chattr", "+C", At("noCow"));
        File.WriteAllBytes(At("empty"), []);
        using RangeCloner cloner = new();

        Clone(source, At("noCow"));
        Clone(source, At("empty"));
        Clone(source, At("new"));
        BtrfsException failure = Refusal(cloner, source, At("full"));

        foreach (string name in new[] { "noCow", "empty", "new" })
        {
            Shell.Check("cmp", source, At(name));
            Assert.Contains('C', Shell.Check("lsattr", At(name)).Split(' ')[0]);
        }

        Assert.Equal((BtrfsError.NoCowMismatch, At("full")), (failure.Error, failure.Path));
        Assert.Contains("without checksums", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("NOCOW", failure.Message, StringComparison.Ordinal);
        Assert.Equal(old, File.ReadAllBytes(At("full")));
    }

    [RootFact(Needs = SwapFile.Tools + " lsattr setfattr getfattr")]
    public void What_was_made_or_changed_for_a_range_that_fails_is_undone()
    {
        using SwapFile swap = new(At("swap"));
        NewFile("empty", []);
        using RangeCloner cloner = new();

        Assert.Equal(BtrfsError.SwapFile, Refusal(cloner, At("swap"), At("new")).Error);
        Assert.Equal(BtrfsError.SwapFile, Refusal(cloner, At("swap"), At("empty")).Error);
        NewFile("small", []);
        Shell.Check("setfattr", "--name=btrfs.compression", "--value=zstd", At("small"));
        Assert.Equal(BtrfsError.SwapFile, Refusal(cloner, At("swap"), At("small")).Error);
        BtrfsException intoSwap = Refusal(cloner, NewNoCowFile("noCow", true, new byte[Block]), At("swap"));

        Assert.Equal((BtrfsError.SwapFile, At("swap")), (intoSwap.Error, intoSwap.Path));
        Assert.Equal("zstd", Shell.Check("getfattr", "--only-values", "--name=btrfs.compression", At("small")));
        Assert.Equal(new[] { At("empty"), At("noCow"), At("small"), At("swap") }, Directory.GetFiles(_folder).Order());
        Assert.DoesNotContain("C", Shell.Check("lsattr", At("empty")).Split(' ')[0], StringComparison.Ordinal);
    }

    [BtrfsFact]
    public void A_range_that_fails_takes_nothing_of_the_ranges_before()
    {
        byte[] content = NewContent(new Random(25), 4 * Block);
        string source = NewFile("source", content);
        using RangeCloner cloner = new();
        Assert.Equal(BtrfsError.UnalignedRange, Refusal(cloner, source, At("new"), 1, Block).Error);
        Assert.False(File.Exists(At("new")));
        cloner.Clone(source, At("new"), 0, Block);

        Assert.Equal(BtrfsError.UnalignedRange, Refusal(cloner, source, At("new"), 1, Block).Error);

        Assert.Equal(content[..Block], File.ReadAllBytes(At("new")));
    }

    [BtrfsFact]
    public void A_destination_that_was_replaced_between_two_ranges_is_opened_again()
    {
        byte[] content = NewContent(new Random(26), 2 * Block);
        string source = NewFile("source", content);
        using RangeCloner cloner = new();
        cloner.Clone(source, At("new"), 0, Block);
        File.Delete(At("new"));

        cloner.Clone(source, At("new"), Block, Block);

        Assert.Equal([.. new byte[Block], .. content[Block..]], File.ReadAllBytes(At("new")));
    }

    [BtrfsFact(Needs = "mkfifo timeout")]
    public void Only_regular_files_are_taken()
    {
        string file = NewFile("file", new byte[Block]);
        Shell.Check("mkfifo", At("fifo"));
        using RangeCloner cloner = new();

        Assert.Equal(BtrfsError.NotRegularFile, Refusal(cloner, At("fifo"), At("new")).Error);
        Assert.Equal(BtrfsError.NotRegularFile, Refusal(cloner, _folder, At("new")).Error);
        Assert.Equal(BtrfsError.NotRegularFile, Refusal(cloner, file, At("fifo")).Error);
        Assert.Equal(BtrfsError.NotRegularFile, Refusal(cloner, file, _folder).Error);
        Assert.Equal(BtrfsError.SourceNotFound, Refusal(cloner, At("missing"), At("new")).Error);
        Assert.Equal(BtrfsError.DestinationNotFound, Refusal(cloner, file, At("missing/new")).Error);
    }

    [RootFact]
    public void Another_filesystem_is_refused_and_nothing_stays_there()
    {
        using ScratchImage other = new(128L << 20, "noatime", "mkfs.btrfs", "--quiet", "--mixed");
        string source = NewFile("file", new byte[Block]);
        using RangeCloner cloner = new();

        Assert.Equal(BtrfsError.CrossDevice, Refusal(cloner, source, Path.Combine(other.Root, "new")).Error);

        Assert.Empty(Directory.GetFileSystemEntries(other.Root));
    }

    private static BtrfsException Refusal(
        RangeCloner cloner, string source, string destination, long offset = 0, long length = 0, long? destinationOffset = null) =>
        Assert.Throws<BtrfsException>(() => cloner.Clone(source, destination, offset, length, destinationOffset));

    private static RangeCloneResult Clone(
        string source, string destination, long offset = 0, long length = 0, long? destinationOffset = null)
    {
        using RangeCloner cloner = new();
        return cloner.Clone(source, destination, offset, length, destinationOffset);
    }

    private static byte[] NewContent(Random random, int length)
    {
        byte[] content = new byte[length];
        random.NextBytes(content);
        return content;
    }

    private string NewFile(string name, byte[] content)
    {
        File.WriteAllBytes(At(name), content);
        return At(name);
    }

    private string NewNoCowFile(string name, bool noCow, byte[] content)
    {
        NewFile(name, []);
        Shell.Check("chattr", noCow ? "+C" : "-C", At(name));
        return NewFile(name, content);
    }

    /// <summary>
    /// The extents as filefrag tells them: where in the file, how long, how stored, and, if shared, where on disk. The
    /// others are copies that the kernel makes of inline data, each at a place of its own.
    /// </summary>
    /// <summary>
    /// How each block is stored, and where, if it is shared. Not piece by piece: blocks that a file has to itself lie
    /// anywhere, and those that happen to lie side by side are one piece to filefrag.
    /// </summary>
    private string[] Blocks(string name)
    {
        Shell.Check("sync", At(name));
        return
        [
            .. from extent in Filefrag.Of([At(name)])[0]
               from block in Enumerable.Range(0, (int)((extent.Length + Block - 1) / Block))
               let offset = (long)block * Block
               let place = extent.Is("shared") ? extent.Physical + offset : -1
               select $"{extent.Offset + offset} {place} {string.Join(',', extent.Flags.Intersect(s_kinds))}",
        ];
    }

    private string At(string path) => Path.Combine(_folder, path);
}
