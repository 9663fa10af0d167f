using System.Buffers.Binary;
using System.Text;
using BtrfsClone.Cloning;
using BtrfsClone.Extents;
using BtrfsClone.Interop;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Fuzzing;

/// <summary>Whatever bytes they are given, parsers come to an end and do not read beyond it.</summary>
public sealed unsafe class ParserTests
{
    private static readonly int s_rounds = TestMachine.IsThorough ? 200_000 : 20_000;

    [Fact]
    public void Directory_entries()
    {
        const int Size = 512;
        using GuardedBuffer buffer = new(Size);
        Random random = new(1);
        var bytes = new Span<byte>(buffer.Start, Size);
        int whole = 0;
        for (int round = 0; round < s_rounds; round++)
        {
            MakeEntries(bytes, random);
            int size = random.Next(4) == 0 ? random.Next(-5, Size + 1) : Size;
            byte* start = buffer.Start + Size - Math.Max(size, 0);
            int entries = 0;
            foreach (DirectoryBatch.Entry entry in new DirectoryBatch(start, size))
            {
                entries++;
                Assert.True(entry.NamePointer > start && entry.NamePointer + entry.Name.Length < start + size);
                _ = entry.IsDotOrDotDot;
                _ = entry.Inode ^ (ulong)entry.NextOffset ^ entry.Type;
            }

            Assert.InRange(entries, 0, Size / (DirectoryEntry.NameOffset + 1));
            whole += entries > 10 ? 1 : 0;
        }

        Assert.True(whole > s_rounds / 10, "Too few buffers made sense to try anything.");
    }

    [Fact]
    public void Tree_items()
    {
        const int Size = 300;
        using GuardedBuffer buffer = new(Size);
        Random random = new(2);
        int read = 0;
        for (int round = 0; round < s_rounds; round++)
        {
            int size = random.Next(Size + 1);
            var item = new Span<byte>(buffer.Start + Size - size, size);
            random.NextBytes(item);
            Tame(item, random);

            if (TreeItems.TryTake(item, out TreeSearchHeader header, out ReadOnlySpan<byte> taken))
            {
                Assert.Equal(header.Length, (uint)taken.Length);
                Assert.True(taken.Length + 32 <= size);
            }

            if (TreeItems.TryReadFileExtent(item, AnyNumber(random), out FileExtent extent))
            {
                read++;
                Assert.True(extent.Offset >= 0 && extent.Length >= 0 && extent.End >= extent.Offset);
            }

            if (TreeItems.TryReadReferences(item, AnyNumber(random), AnyNumber(random), out ulong references, out _))
            {
                read++;
                Assert.True(references <= long.MaxValue);
            }

            header = new TreeSearchHeader { Type = (uint)random.Next(12, 14) };
            Assert.InRange(InodeItems.CountNames(header, item), 0, size / 11);
            if (TreeItems.TryReadRootReference(item, out _, out ReadOnlySpan<byte> name))
            {
                read++;
                Assert.InRange(name.Length, 1, size);
            }

            read += TreeItems.TryReadRootReferences(item, out _) ? 1 : 0;
            read += TreeItems.TryReadInodeBytes(item, out _) ? 1 : 0;
            read += TreeItems.TryReadRoot(item, out _, out _) ? 1 : 0;
        }

        Assert.True(read > s_rounds / 10, "Too few items made sense to try anything.");
    }

    [Fact]
    public void Fiemap_extents()
    {
        Random random = new(3);
        for (int round = 0; round < s_rounds; round++)
        {
            FiemapExtent mapped = new()
            {
                Logical = AnyNumber(random),
                Physical = AnyNumber(random),
                Length = AnyNumber(random),
                Flags = (FiemapExtentFlags)random.Next(),
            };

            FileExtent extent = FiemapSource.ToPiece(mapped);

            Assert.Equal((long)mapped.Logical, extent.Offset);
            Assert.Equal((long)mapped.Length, extent.Length);
        }
    }

    [Fact]
    public void Mount_points()
    {
        Random random = new(4);
        Assert.Equal("/a b\\c\n", MountTable.Unescape(@"/a\040b\134c\012"));
        for (int round = 0; round < s_rounds; round++)
        {
            string field = new([.. Enumerable.Range(0, random.Next(12)).Select(_ => "\\01789a/"[random.Next(8)])]);
            Assert.InRange(MountTable.Unescape(field).Length, field.Length / 4, field.Length);
        }
    }

    [BtrfsFact]
    public void Paths()
    {
        Random random = new(5);
        string root = Directory.CreateTempSubdirectory("btrfs-clone-tests-").FullName;
        try
        {
            using CloneSession session = new(new CloneOptions(), new SessionEvents { OnFailure = _ => { } });
            string[] pieces =
            [
                "/", "//", ".", "..", "a", "\0", "\ud800", "\udc00x", "\u001b[2J", "\n", new('n', 300), "é", " ", "*", "\\",
            ];
            for (int round = 0; round < s_rounds / 20; round++)
            {
                string path = root + "/" + string.Concat(
                    Enumerable.Range(0, random.Next(8)).Select(_ => pieces[random.Next(pieces.Length)]));
                Assert.DoesNotContain(PathText.Printable(path), char.IsControl);
                try
                {
                    CloneDestination destination = random.Next(2) == 0
                        ? CloneDestination.Named(path + "/new")
                        : CloneDestination.Into(path, root + pieces[random.Next(pieces.Length)]);
                    session.Clone(path + "/missing", destination, CancellationToken.None);
                    Assert.Fail(path);
                }
                catch (BtrfsException failure)
                {
                    Assert.DoesNotContain(failure.Message, char.IsControl);
                    bool cannotBe = path.Contains('\0', StringComparison.Ordinal) || path.EnumerateRunes().Contains(Rune.ReplacementChar);
                    Assert.True(!cannotBe || failure.Error is BtrfsError.InvalidPath or BtrfsError.SourceOutsideBase, failure.Message);
                }
            }

            Assert.Empty(Directory.EnumerateFileSystemEntries(root));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    /// <summary>Entries one after another as the kernel would have them, and some of them not.</summary>
    private static void MakeEntries(Span<byte> bytes, Random random)
    {
        random.NextBytes(bytes);
        bool sane = random.Next(3) == 0;
        for (int at = 0; at + 24 <= bytes.Length;)
        {
            int length = Math.Min(24 + (8 * random.Next(3)), bytes.Length - at);
            BinaryPrimitives.WriteUInt16LittleEndian(
                bytes[(at + 16)..], sane || random.Next(8) > 0 ? (ushort)length : (ushort)AnyNumber(random));
            Span<byte> name = bytes[(at + DirectoryEntry.NameOffset)..(at + length)];
            name.Fill((byte)'n');
            if (sane || random.Next(8) > 0)
            {
                name[random.Next(name.Length)] = 0;
            }

            at += length;
        }
    }

    /// <summary>Makes some fields likely, so that what comes after them is looked at too.</summary>
    private static void Tame(Span<byte> item, Random random)
    {
        for (int at = 0; at + 8 <= item.Length; at += 8)
        {
            if (random.Next(2) == 0)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(item[at..], AnyNumber(random));
            }
        }

        if (item.Length > 21)
        {
            item[16] = (byte)random.Next(4);
            item[20] = (byte)random.Next(3);
        }

        if (item.Length > 24)
        {
            byte[] types = [172, 178, 184, 255];
            item[24] = types[random.Next(types.Length)];
        }
    }

    private static ulong AnyNumber(Random random) => random.Next(7) switch
    {
        0 => 0,
        1 => ulong.MaxValue,
        2 => long.MaxValue,
        3 => (ulong)random.NextInt64(),
        4 => (ulong)random.Next(4096),
        5 => 1ul << random.Next(64),
        _ => 0ul - (ulong)random.Next(65536),
    };
}
