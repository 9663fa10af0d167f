using System.Globalization;
using System.Text.RegularExpressions;
using BtrfsClone.Extents;
using BtrfsClone.Interop;
using BtrfsClone.Tests.Support;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Extents;

/// <summary>Every field of every extent of random trees, against tools that share no code with the engine.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed partial class WitnessTests
{
    private const string Needs = RandomTree.Tools + " " + Filefrag.Tools + " find stat cp sync blockdev";
    private const int Block = 4096;

    [RootTheory(Needs = Needs)]
    [InlineData(301, "--quiet")]
    [InlineData(302, "--quiet --nodesize 4096 --metadata single")]
    [InlineData(303, "--quiet --features ^no-holes")]
    public void Trees_and_FIEMAP_tell_what_the_witnesses_tell(int seed, string mkfs)
    {
        using ScratchImage image = new(4L << 30, "noatime", ["mkfs.btrfs", .. mkfs.Split(' ')]);
        RandomTree.Make(Path.Combine(image.Root, "tree"), seed, new TreeShape { WideEntries = 300 });
        MakeReferences(image.Root, new Random(seed));

        // Whether a random file's data is compressed, and which of them is shared, is the filesystem's to decide.
        Shell.Check(
            "bash", "-c",
            "cd \"$0\"; : > encoded; btrfs property set encoded compression zstd; yes | head -c 300000 > encoded; sync; " +
            "cp --reflink=always encoded shared",
            image.Root);
        Shell.Check("sync");
        FileList files = new(image.Root);
        TreeDump dump = new(image.Device);
        List<FilefragExtent>[] maps = Filefrag.Of(files.Paths);
        Assert.Contains(maps, m => m.Exists(e => e.Is("shared") && e.Is("unwritten")));
        Assert.Contains(maps, m => m.Exists(e => e.Is("encoded") && e.Is("shared")));
        Assert.Contains(maps, m => m.Exists(e => e.Is("inline")));

        for (int i = 0; i < files.Paths.Count; i++)
        {
            FileExtent[] pieces = Read(files.Paths[i], ExtentSource.Tree);
            AssertSame(dump.Of(files.Roots[i], files.Inodes[i]), Lines(pieces), files.Paths[i]);
            AssertAgrees(maps[i], pieces, files.Paths[i]);
            AssertSame(Lines(maps[i]), MappedLines(Read(files.Paths[i], ExtentSource.Fiemap)), files.Paths[i]);
        }

        // While a transaction runs, the items are joined with what FIEMAP says.
        File.WriteAllText(Path.Combine(image.Root, "begins a transaction"), "");
        for (int i = 0; i < files.Paths.Count; i++)
        {
            FileExtent[] pieces = Read(files.Paths[i], ExtentSource.Tree);
            AssertSame(dump.Of(files.Roots[i], files.Inodes[i]), Lines(pieces), files.Paths[i]);
            AssertAgrees(maps[i], pieces, files.Paths[i]);
        }
    }

    [RootFact(Needs = Needs)]
    public void What_is_not_committed_yet_is_shared_as_FIEMAP_says()
    {
        using ScratchImage image = new(2L << 30, "noatime,commit=300", "mkfs.btrfs", "--quiet");
        Random random = new(304);
        MakeReferences(image.Root, random);
        Shell.Check("sync");
        FileList before = new(image.Root);
        for (int i = 0; i < 20; i++)
        {
            string source = before.Paths[random.Next(before.Paths.Count)];
            Shell.Check("cp", "--reflink=always", source, Path.Combine(image.Root, $"later{i}"));
            File.Delete(before.Paths[random.Next(before.Paths.Count)]);
            before = new FileList(image.Root);
        }

        List<FilefragExtent>[] maps = Filefrag.Of(before.Paths);
        for (int i = 0; i < before.Paths.Count; i++)
        {
            AssertAgrees(maps[i], Read(before.Paths[i], ExtentSource.Tree), before.Paths[i]);
        }
    }

    /// <summary>
    /// What decides on being shared: pieces of other files and of the same one, many references to one extent,
    /// snapshots, snapshots of which either side was written later, and what a deleted subvolume has left.
    /// </summary>
    private static void MakeReferences(string root, Random random)
    {
        string origin = Path.Combine(root, "origin");
        Shell.Check("btrfs", "subvolume", "create", origin);
        Shell.Check("btrfs", "subvolume", "create", Path.Combine(origin, "nested"));
        foreach (string folder in new[] { root, origin, Path.Combine(origin, "nested") })
        {
            for (int i = 0; i < 12; i++)
            {
                MakeFile(Path.Combine(folder, $"file{i}"), random, blocks: i * i);
            }
        }

        for (int i = 0; i < 60; i++)
        {
            Shell.Check("cp", "--reflink=always", Path.Combine(root, "file5"), Path.Combine(root, $"clone{i}"));
        }

        MakePieces(root, random);
        MakePieces(origin, random);
        Shell.Check("btrfs", "subvolume", "snapshot", origin, Path.Combine(root, "snapshot"));
        Shell.Check("sync");
        Overwrite(Path.Combine(origin, "file7"), random);
        Overwrite(Path.Combine(root, "snapshot", "file8"), random);
        Shell.Check("cp", "--reflink=always", Path.Combine(root, "snapshot", "file9"), Path.Combine(root, "far"));

        string gone = Path.Combine(root, "gone");
        Shell.Check("btrfs", "subvolume", "snapshot", Path.Combine(root, "snapshot"), gone);
        string heir = Path.Combine(root, "heir");
        Shell.Check("btrfs", "subvolume", "snapshot", gone, heir);
        Overwrite(Path.Combine(gone, "file10"), random);
        Overwrite(Path.Combine(heir, "file6"), random);
        Shell.Check("sync");
        Shell.Check("btrfs", "subvolume", "delete", gone);

        // This, unlike sync(1), wakes what drops the deleted tree.
        Shell.Check("btrfs", "filesystem", "sync", root);
        Shell.Check("btrfs", "subvolume", "sync", root);
    }

    private static void MakeFile(string path, Random random, int blocks)
    {
        byte[] data = new byte[(blocks * Block) + random.Next(Block)];
        random.NextBytes(data);
        File.WriteAllBytes(path, data);
        Shell.Check("sync", path);
        Overwrite(path, random);
    }

    private static void Overwrite(string path, Random random)
    {
        byte[] data = new byte[Block];
        random.NextBytes(data);
        using SafeFileHandle file = File.OpenHandle(path, access: FileAccess.Write);
        int blocks = (int)(RandomAccess.GetLength(file) / Block);
        for (int i = 0; i < 3 && blocks > 0; i++)
        {
            RandomAccess.Write(file, data, (long)random.Next(blocks) * Block);
        }
    }

    private static void MakePieces(string folder, Random random)
    {
        using SafeFileHandle pieces = File.OpenHandle(
            Path.Combine(folder, "pieces"), FileMode.CreateNew, FileAccess.ReadWrite);
        for (int i = 0; i < 60; i++)
        {
            using SafeFileHandle other = File.OpenHandle(Path.Combine(folder, $"file{random.Next(6, 12)}"));
            SafeFileHandle source = i > 30 && random.Next(3) == 0 ? pieces : other;
            int blocks = (int)(RandomAccess.GetLength(source) / Block);
            int count = random.Next(1, Math.Min(blocks, 20));
            int from = random.Next(blocks - count);
            int to = ReferenceEquals(source, pieces) ? blocks + random.Next(9) : random.Next(300);
            CallResult result = Sys.CloneRange(Descriptor.Borrow(source), Descriptor.Borrow(pieces), new FileCloneRange
            {
                SourceOffset = (ulong)from * Block,
                SourceLength = (ulong)count * Block,
                DestinationOffset = (ulong)to * Block,
            });
            Assert.Equal(Errno.None, result.Error);
        }
    }

    private static FileExtent[] Read(string path, ExtentSource source)
    {
        using ExtentReader reader = new(new ExtentReaderOptions { Source = source });
        using SafeFileHandle file = Native.Open(path, write: false);
        reader.Open(file, ByteText.Show(path));
        List<FileExtent> pieces = [];
        while (reader.Read(out FileExtent piece))
        {
            pieces.Add(piece);
        }

        return [.. pieces];
    }

    private static string Lines(FileExtent[] pieces) => string.Join('\n', pieces.Select(p => TreeDump.Line(
        p.Offset, p.Length, $"{p.Kind}", p.DiskOffset, p.DiskLength, p.ExtentOffset,
        p.Kind == ExtentKind.Prealloc ? null : p.RamLength, $"{p.Compression}", p.Generation, p.ReferenceCount)));

    private static string MappedLines(FileExtent[] pieces)
    {
        Assert.All(pieces, p =>
        {
            Assert.Null(p.DiskOffset ?? p.DiskLength ?? p.ExtentOffset ?? p.RamLength ?? p.ReferenceCount ?? p.Generation);
            Assert.True(p.Compression is null or ExtentCompression.None);
        });
        return string.Join('\n', pieces.Select(p => MappedLine(
            p.Offset, p.Length, p.PhysicalOffset, p.Kind, p.Compression is null, p.IsShared)));
    }

    private static string Lines(List<FilefragExtent> map) => string.Join('\n', map.Select(e => MappedLine(
        e.Offset, e.Length, e.Is("inline") ? null : e.Physical, KindOf(e), e.Is("encoded"), e.Is("shared"))));

    private static string MappedLine(
        long offset, long length, long? physical, ExtentKind kind, bool isEncoded, bool? isShared) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{offset}+{length} at {physical} {kind} encoded {isEncoded} shared {isShared}");

    private static ExtentKind KindOf(FilefragExtent extent) =>
        extent.Is("inline") ? ExtentKind.Inline : extent.Is("unwritten") ? ExtentKind.Prealloc : ExtentKind.Data;

    /// <summary>FIEMAP joins pieces that follow each other on disk; what it says holds for each of them.</summary>
    private static void AssertAgrees(List<FilefragExtent> map, FileExtent[] pieces, string path)
    {
        foreach (FileExtent piece in pieces)
        {
            FilefragExtent whole = Assert.Single(map, e => e.Offset <= piece.Offset && piece.Offset < e.End);
            bool isPlaced = whole.Is("inline") || whole.Is("encoded") ||
                piece.PhysicalOffset == whole.Physical + piece.Offset - whole.Offset;
            string said = MappedLine(
                piece.Offset, 0, null, piece.Kind, piece.Compression != ExtentCompression.None, piece.IsShared);
            AssertSame(
                MappedLine(piece.Offset, 0, null, KindOf(whole), whole.Is("encoded"), whole.Is("shared")), said, path);
            Assert.True(isPlaced, $"{ByteText.Show(path)}: {piece.PhysicalOffset} is not in {whole}");
            Assert.True(!whole.Is("encoded") || whole.Is("inline") || piece.PhysicalOffset == piece.DiskOffset);
        }
    }

    private static void AssertSame(string expected, string actual, string path)
    {
        if (expected != actual)
        {
            string[] want = expected.Split('\n');
            string[] have = actual.Split('\n');
            string lines = string.Join('\n', want.Zip(have).Where(p => p.First != p.Second).Take(5));
            Assert.Fail($"{ByteText.Show(path)}: {want.Length} and {have.Length} lines\n{lines}");
        }
    }

    /// <summary>The regular files below a folder, with the subvolume and inode of each. Paths are byte text.</summary>
    private sealed partial class FileList
    {
        private const long TopLevel = 5;

        public FileList(string root)
        {
            Dictionary<string, long> subvolumes = new() { [Device(root)] = TopLevel };
            foreach (Match line in Subvolume().Matches(Shell.Check("btrfs", "subvolume", "list", root)))
            {
                subvolumes[Device(Path.Combine(root, line.Groups[2].Value))] =
                    long.Parse(line.Groups[1].Value, CultureInfo.InvariantCulture);
            }

            string[] fields = ByteText.FromBytes(Shell.CheckBytes(
                null, "find", root, "-type", "f", "-printf", @"%D\0%i\0%p\0")).Split('\0');
            for (int i = 0; i + 2 < fields.Length; i += 3)
            {
                Roots.Add(subvolumes[fields[i]]);
                Inodes.Add(long.Parse(fields[i + 1], CultureInfo.InvariantCulture));
                Paths.Add(fields[i + 2]);
            }
        }

        public List<string> Paths { get; } = [];

        public List<long> Roots { get; } = [];

        public List<long> Inodes { get; } = [];

        private static string Device(string path) => Shell.Check("stat", "--format=%d", path).Trim();

        [GeneratedRegex(@"(?m)^ID (\d+) .* path (.+)$")]
        private static partial Regex Subvolume();
    }
}
