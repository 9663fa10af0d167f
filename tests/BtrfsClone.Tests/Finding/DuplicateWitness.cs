using System.Security.Cryptography;
using BtrfsClone.Finding;
using BtrfsClone.Tests.Extents;

namespace BtrfsClone.Tests.Finding;

/// <summary>
/// What files hold and where, as reading and filefrag tell. It looks at every pair of blocks, and knows nothing of how a
/// search works.
/// </summary>
internal sealed class DuplicateWitness
{
    public const string Tools = Filefrag.Tools + " lsattr";

    private const int BlockSize = 4096;

    private static readonly (string, long) s_hole = ("", 0);

    private readonly Dictionary<string, byte[]> _contents = [];
    private readonly Dictionary<(string File, long Index), StoredBlock> _blocks = [];
    private readonly HashSet<string> _inline = [];
    private readonly HashSet<string> _noCow = [];

    /// <summary>Looks at files that have been written out.</summary>
    public DuplicateWitness(IReadOnlyList<string> files)
    {
        List<FilefragExtent>[] extents = Filefrag.Of(files);
        string[] attributes = Support.Shell.Check("lsattr", [.. files]).TrimEnd('\n').Split('\n');
        for (int i = 0; i < files.Count; i++)
        {
            if (attributes[i].Split(' ')[0].Contains('C', StringComparison.Ordinal))
            {
                _noCow.Add(files[i]);
            }

            Look(files[i], extents[i]);
        }
    }

    /// <summary>
    /// Whether groups are right and all: what they say is equal is so, and is stored in more than one place; blocks that are
    /// equal and stored in different places are connected by groups; and equal files are in one.
    /// </summary>
    /// <param name="groups">The groups.</param>
    /// <param name="seesCompressed">Whether compressed data was read.</param>
    /// <param name="seesNoCow">Whether data without checksums was read.</param>
    /// <param name="seesPlaces">
    /// Whether it could be told where in a compressed extent a file's piece begins: otherwise clones may be taken for copies.
    /// </param>
    public void Check(IReadOnlyList<BtrfsDuplicate> groups, bool seesCompressed, bool seesNoCow, bool seesPlaces = true)
    {
        foreach (BtrfsDuplicate group in groups)
        {
            CheckGroup(group, seesPlaces || !group.Places.Any(place => IsCompressed(place.Path)));
        }

        CheckFiles(groups, seesCompressed, seesNoCow);
        CheckBlocks(groups, seesCompressed, seesNoCow);
    }

    private void Look(string file, List<FilefragExtent> extents)
    {
        byte[] content = File.ReadAllBytes(file);
        _contents.Add(file, content);
        foreach (FilefragExtent extent in extents)
        {
            if (extent.Is("inline"))
            {
                _inline.Add(file);
                continue;
            }

            bool isCompressed = extent.Is("encoded");
            for (long at = extent.Offset; at < extent.End && at < content.Length && !extent.Is("unwritten"); at += BlockSize)
            {
                ReadOnlySpan<byte> bytes = content.AsSpan((int)at, (int)Math.Min(BlockSize, content.Length - at));

                // The kernel shares a last block in part with such a block alone.
                string held = Convert.ToHexString(SHA256.HashData(bytes)) + bytes.Length + _noCow.Contains(file);
                string place = isCompressed
                    ? $"{extent.Physical} {held}"
                    : $"{extent.Physical + at - extent.Offset}";
                string index = isCompressed ? $"{extent.Physical} {extent.Offset} {at}" : place;
                _blocks.Add((file, at / BlockSize), new StoredBlock(held, place, index, extent.Physical, isCompressed));
            }
        }
    }

    private void CheckGroup(BtrfsDuplicate group, bool seesPlaces)
    {
        DuplicatePlace first = group.Places[0];
        Assert.True(group.Places.Count > 1 && group.Count > 1);
        Assert.Equal(group.Places.Count, group.Places.Distinct().Count());
        Assert.True(group.Count <= group.Places.Count);
        HashSet<string> places = [];
        foreach (DuplicatePlace place in group.Places)
        {
            ReadOnlySpan<byte> bytes = Bytes(place, group.Length);
            Assert.True(bytes.SequenceEqual(Bytes(first, group.Length)), $"{place} is not {first}");
            Assert.Equal(_noCow.Contains(first.Path), _noCow.Contains(place.Path));
            if (group.Kind == nameof(DuplicateKind.File))
            {
                Assert.Equal((0, _contents[place.Path].Length), (place.Offset, group.Length));
            }
            else
            {
                Assert.Equal(0, place.Offset % BlockSize);
                Assert.True(group.Length % BlockSize == 0 || place.Offset + group.Length == _contents[place.Path].Length);
            }

            places.Add(string.Join(' ', BlocksOf(place, group.Length).Select(key => _blocks.GetValueOrDefault(key)?.Index ?? "-")));
        }

        Assert.True(places.Count > 1 || !seesPlaces, $"{first} is stored once.");
    }

    private void CheckFiles(IReadOnlyList<BtrfsDuplicate> groups, bool seesCompressed, bool seesNoCow)
    {
        Sets<string> together = new();
        foreach (BtrfsDuplicate group in groups.Where(group => group.Kind == nameof(DuplicateKind.File)))
        {
            foreach (DuplicatePlace place in group.Places)
            {
                together.Join(group.Places[0].Path, place.Path);
            }
        }

        foreach (var equal in _contents.Where(file => file.Value.Length > 0 && !_inline.Contains(file.Key))
            .GroupBy(file => Convert.ToHexString(SHA256.HashData(file.Value)) + _noCow.Contains(file.Key)))
        {
            // Of files that share all their blocks, or have none, a group may name one alone.
            string[][] copies = [.. equal.Select(file => file.Key).GroupBy(StorageOf).Select(copy => copy.ToArray())];
            bool isSeen = (seesCompressed || !equal.Any(file => IsCompressed(file.Key))) &&
                (seesNoCow || !_noCow.Contains(equal.First().Key));
            if (copies.Length > 1 && isSeen)
            {
                Assert.True(
                    copies[0].Any(one => copies.All(copy => copy.Any(file => together.AreJoined(one, file)))),
                    string.Join(' ', copies.Select(copy => copy[0])));
            }
        }
    }

    private bool IsCompressed(string file) => _blocks.Any(block => block.Key.File == file && block.Value.IsCompressed);

    private void CheckBlocks(IReadOnlyList<BtrfsDuplicate> groups, bool seesCompressed, bool seesNoCow)
    {
        Sets<(string, long)> joined = new();
        JoinStored(joined);
        foreach (BtrfsDuplicate group in groups)
        {
            (string, long)[] first = [.. BlocksOf(group.Places[0], group.Length)];
            foreach (DuplicatePlace place in group.Places)
            {
                (string, long)[] blocks = [.. BlocksOf(place, group.Length)];
                for (int i = 0; i < blocks.Length; i++)
                {
                    joined.Join(first[i], blocks[i]);
                }
            }
        }

        // What is to share with a file that has a hole there becomes one.
        foreach (var equal in _blocks.Where(block => !joined.AreJoined(block.Key, s_hole)).Where(block =>
            (seesCompressed || !block.Value.IsCompressed) && (seesNoCow || !_noCow.Contains(block.Key.File)))
            .GroupBy(block => block.Value.Held))
        {
            (string, long) one = equal.First().Key;
            foreach ((string, long) other in equal.Select(block => block.Key))
            {
                Assert.True(joined.AreJoined(one, other), $"{one} {_blocks[one]} and {other} {_blocks[other]} are the same.");
            }
        }
    }

    /// <summary>Joins what is one copy: what is stored in one place, and one block many times in a row in one extent.</summary>
    private void JoinStored(Sets<(string, long)> joined)
    {
        foreach (var stored in _blocks.GroupBy(block => block.Value.Place))
        {
            foreach (var block in stored)
            {
                joined.Join(stored.First().Key, block.Key);
            }
        }

        foreach ((string file, byte[] content) in _contents)
        {
            for (long index = 0; index * BlockSize < content.Length; index++)
            {
                if (!_blocks.ContainsKey((file, index)))
                {
                    joined.Join((file, index), s_hole);
                }
            }
        }

        foreach (((string file, long index), StoredBlock block) in _blocks)
        {
            if (_blocks.TryGetValue((file, index + 1), out StoredBlock? next) && next.Held == block.Held &&
                next.Extent == block.Extent)
            {
                joined.Join((file, index), (file, index + 1));
            }
        }
    }

    private ReadOnlySpan<byte> Bytes(DuplicatePlace place, long length) =>
        _contents[place.Path].AsSpan((int)place.Offset, (int)length);

    private static IEnumerable<(string File, long Index)> BlocksOf(DuplicatePlace place, long length)
    {
        for (long at = 0; at < length; at += BlockSize)
        {
            yield return (place.Path, (place.Offset + at) / BlockSize);
        }
    }

    private string StorageOf(string file) =>
        string.Join(' ', _blocks.Where(block => block.Key.File == file).OrderBy(block => block.Key.Index)
            .Select(block => $"{block.Key.Index}:{block.Value.Place}"));

    /// <summary>A block that is on disk.</summary>
    /// <param name="Held">What it holds.</param>
    /// <param name="Place">Where it is; of a compressed extent, all blocks that hold the same are in one place.</param>
    /// <param name="Index">
    /// Where it is; of a compressed extent, whose inside filefrag does not tell, pieces at one offset of their files are one.
    /// </param>
    /// <param name="Extent">Where its extent begins.</param>
    /// <param name="IsCompressed">Whether that is compressed.</param>
    private sealed record StoredBlock(string Held, string Place, string Index, long Extent, bool IsCompressed);

    /// <summary>Sets that grow together.</summary>
    private sealed class Sets<T>
        where T : notnull
    {
        private readonly Dictionary<T, T> _parents = [];

        public void Join(T one, T other) => _parents[RootOf(one)] = RootOf(other);

        public bool AreJoined(T one, T other) => RootOf(one).Equals(RootOf(other));

        private T RootOf(T item)
        {
            T root = item;
            while (_parents.TryGetValue(root, out T? parent) && !parent.Equals(root))
            {
                root = parent;
            }

            _parents[item] = root;
            return root;
        }
    }
}
