using BtrfsClone.Extents;
using BtrfsClone.Interop;
using BtrfsClone.Tests.Support;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Extents;

/// <summary>Files with more extents than one call or one batch holds.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class ManyExtentsTests(ScratchBtrfs btrfs)
{
    private const int Block = 4096;

    private readonly string _folder = btrfs.NewFolder();

    [BtrfsFact(Needs = Filefrag.Tools + " sync")]
    public void FIEMAP_in_parts_joins_what_the_kernel_joins()
    {
        foreach (int seed in new[] { 311, 312, 313 })
        {
            string path = Make($"many{seed}", seed, pieces: 45_000, mostBlocks: 1, oddsToGoOn: 4);
            List<FilefragExtent> map = Filefrag.Of([ByteText.FromText(path)])[0];
            Assert.InRange(map.Count, 10_000, int.MaxValue);

            FileExtent[] pieces = Read(path, new ExtentReaderOptions { Source = ExtentSource.Fiemap });

            Assert.Equal(
                map.Select(e => (e.Offset, e.Length, (long?)e.Physical, (bool?)e.Is("shared"), e.Is("unwritten"))),
                pieces.Select(p => (p.Offset, p.Length, p.PhysicalOffset, p.IsShared, p.Kind == ExtentKind.Prealloc)));
        }
    }

    [BtrfsTheory(Needs = "sync")]
    [InlineData(ExtentSource.Fiemap)]
    [InlineData(ExtentSource.Auto)]
    public void A_range_holds_what_of_the_whole_reaches_into_it(ExtentSource source)
    {
        string path = Make("ranges", seed: 314, pieces: 3000, mostBlocks: 3, oddsToGoOn: 2);
        long size = new FileInfo(path).Length;
        FileExtent[] all = Read(path, new ExtentReaderOptions { Source = source });
        Random random = new(314);
        for (int i = 0; i < 60; i++)
        {
            long offset = random.NextInt64(size + (10 * Block));
            long length = random.NextInt64(1, i % 2 == 0 ? 20 * Block : size);
            ExtentReaderOptions range = new() { Source = source, Offset = offset, Length = length };

            FileExtent[] pieces = Read(path, range);
            FileExtent[] withHoles = Read(path, range with { IncludeHole = true });

            FileExtent[] expected = [.. all.Where(p => p.Offset < offset + length && p.End > offset)];
            if (source == ExtentSource.Fiemap)
            {
                // What is joined depends on where the kernel begins and ends, what is covered does not.
                Assert.Equal(Coverage(expected, offset, length), Coverage(pieces, offset, length));
            }
            else
            {
                Assert.Equal(expected.Select(Fields), pieces.Select(Fields));
            }

            Assert.Equal(
                pieces.Select(Fields), withHoles.Where(p => p.Kind != ExtentKind.Hole).Select(Fields));
            AssertTiles(withHoles, offset, Math.Min(offset + length, size));
        }
    }

    [BtrfsTheory(Needs = Filefrag.Tools + " sync")]
    [InlineData(true)]
    [InlineData(false)]
    public void A_delayed_block_among_many_pieces_is_found(bool preallocate)
    {
        const int Pieces = 20_000;
        const long Delayed = (Pieces - 101L) * Block;
        string path = Path.Combine(_folder, "delayed");
        byte[] data = new byte[Block];
        new Random(315).NextBytes(data);
        using (SafeFileHandle file = Native.CreateFile(path))
        {
            if (preallocate)
            {
                Native.Preallocate(file, 0, (long)Pieces * Block);
            }

            for (int i = 0; i < Pieces; i += 2)
            {
                RandomAccess.Write(file, data, (long)i * Block);
            }
        }

        Shell.Check("sync", "--file-system", path);
        using (SafeFileHandle file = File.OpenHandle(path, access: FileAccess.Write))
        {
            RandomAccess.Write(file, data, Delayed);
        }

        FileExtent[] pieces = Read(path, new ExtentReaderOptions());

        FileExtent delayed = Assert.Single(pieces, p => p.Kind == ExtentKind.Delalloc);
        Assert.Equal((Delayed, Block), (delayed.Offset, delayed.Length));
        Assert.Equal(
            Filefrag.Of([ByteText.FromText(path)])[0].Select(e => (e.Offset, e.Is("delalloc"), e.Is("unwritten"))),
            pieces.Select(p => (p.Offset, p.Kind == ExtentKind.Delalloc, p.Kind == ExtentKind.Prealloc)));
    }

    /// <summary>Makes a file of pieces of another one, many of which follow each other on disk, with holes.</summary>
    private string Make(string name, int seed, int pieces, int mostBlocks, int oddsToGoOn)
    {
        Random random = new(seed);
        string source = Path.Combine(_folder, name + "-source");
        byte[] data = new byte[200 * Block];
        random.NextBytes(data);
        File.WriteAllBytes(source, data);
        Shell.Check("sync", source);
        string path = Path.Combine(_folder, name);
        using (SafeFileHandle from = File.OpenHandle(source), to = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite))
        {
            long offset = random.Next(3) * Block;
            int next = 0;
            for (int i = 0; i < pieces; i++)
            {
                int count = random.Next(1, mostBlocks + 1);
                if (random.Next(oddsToGoOn) == 0 || next + count > 200)
                {
                    next = random.Next(200 - count);
                }

                Assert.Equal(Errno.None, Sys.CloneRange(Descriptor.Borrow(from), Descriptor.Borrow(to), new FileCloneRange
                {
                    SourceOffset = (ulong)next * Block,
                    SourceLength = (ulong)count * Block,
                    DestinationOffset = (ulong)offset,
                }).Error);
                next += count;
                offset += count * Block;
                if (random.Next(20) == 0)
                {
                    offset += random.NextInt64(1, 200) * Block;
                }
                else if (random.Next(40) == 0)
                {
                    Native.Preallocate(to, offset, 2 * Block);
                    offset += 2 * Block;
                }
            }
        }

        Shell.Check("sync", path);
        return path;
    }

    private static FileExtent[] Read(string path, ExtentReaderOptions options)
    {
        using ExtentReader reader = new(options);
        reader.Open(path);
        List<FileExtent> pieces = [];
        while (reader.Read(out FileExtent piece))
        {
            pieces.Add(piece);
        }

        return [.. pieces];
    }

    private static (long, long, ExtentKind, long?, long?, long?, bool?, long?) Fields(FileExtent p) =>
        (p.Offset, p.Length, p.Kind, p.DiskOffset, p.ExtentOffset, p.PhysicalOffset, p.IsShared, p.ReferenceCount);

    private static HashSet<(long, long?)> Coverage(FileExtent[] pieces, long offset, long length) =>
    [
        .. from piece in pieces
           from block in Enumerable.Range(0, (int)(piece.Length / Block))
           let at = piece.Offset + ((long)block * Block)
           where at + Block > offset && at < offset + length
           select (at, piece.PhysicalOffset + ((long)block * Block)),
    ];

    private static void AssertTiles(FileExtent[] pieces, long from, long to)
    {
        if (to <= from)
        {
            Assert.DoesNotContain(pieces, p => p.Kind == ExtentKind.Hole);
            return;
        }

        Assert.InRange(pieces[0].Offset, 0, from);
        Assert.InRange(pieces[^1].End, to, long.MaxValue);
        for (int i = 1; i < pieces.Length; i++)
        {
            Assert.Equal(pieces[i - 1].End, pieces[i].Offset);
            Assert.False(pieces[i - 1].Kind == ExtentKind.Hole && pieces[i].Kind == ExtentKind.Hole);
        }

        Assert.All(pieces.Where(p => p.Kind == ExtentKind.Hole), p => Assert.True(p.Offset >= from && p.End <= to));
    }
}
