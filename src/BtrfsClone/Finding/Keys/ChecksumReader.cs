using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Finding;

/// <summary>
/// Reads data checksums from btrfs's checksum tree, in the order of addresses: an item contains those of many consecutive blocks.
/// </summary>
internal sealed class ChecksumReader
{
    // fs/btrfs/file-item.c (MAX_CSUM_ITEMS): an item's length is limited by the space in a leaf, and its number of checksums by the
    // page size, which on no machine is more than this.
    private const int MostInItem = 64 << 10;

    private readonly TreeSearch _search = new();
    private readonly ChecksumKind _kind;
    private readonly int _blockSize;
    private readonly long _longestItem;
    private byte[] _item = [];
    private long _start;
    private long _end;
    private ulong _next;
    private bool _isAtEnd;

    /// <param name="descriptor">Any file on the filesystem.</param>
    /// <param name="path">The path to use in error messages.</param>
    /// <param name="kind">The filesystem's checksum type.</param>
    /// <param name="facts">The filesystem's sizes.</param>
    public ChecksumReader(Descriptor descriptor, string path, ChecksumKind kind, in BtrfsFileSystemFacts facts)
    {
        _search.Start(descriptor, path);
        (_kind, _blockSize) = (kind, (int)facts.SectorSize);
        _longestItem = Math.Min(facts.NodeSize / kind.Size, MostInItem) * _blockSize;
    }

    /// <summary>Reads the checksums of consecutive blocks as numbers. Must be called in the order of addresses.</summary>
    /// <param name="address">The address of the first block.</param>
    /// <param name="checksums">Receives the numbers.</param>
    /// <param name="isThere">Receives whether there is a checksum.</param>
    public void Read(long address, Span<ulong> checksums, Span<bool> isThere)
    {
        isThere.Clear();
        for (int i = 0; i < checksums.Length;)
        {
            if (!Advance(address + ((long)i * _blockSize)))
            {
                return;
            }

            long block = address + ((long)i * _blockSize);
            if (_start > block)
            {
                i += (int)Math.Min((_start - block) / _blockSize, checksums.Length - i);
                continue;
            }

            int from = (int)((block - _start) / _blockSize);
            int count = (int)Math.Min((_end - block) / _blockSize, checksums.Length - i);
            for (int j = 0; j < count; j++)
            {
                checksums[i + j] = _kind.Read(_item.AsSpan((from + j) * _kind.Size, _kind.Size));
            }

            isThere.Slice(i, count).Fill(true);
            i += count;
        }
    }

    /// <summary>Advances to the item that extends beyond an address. False if there is none.</summary>
    private bool Advance(long address)
    {
        if (address - _end > 2 * _longestItem)
        {
            // A search also returns the items in between.
            _next = (ulong)(address - _longestItem);
            _isAtEnd = false;
            Find();
        }

        while (_end <= address)
        {
            if (_search.Next(out TreeSearchHeader header, out ReadOnlySpan<byte> item))
            {
                _next = header.Offset + 1;
                Take(header, item);
            }
            else if (_isAtEnd)
            {
                return false;
            }
            else
            {
                Find();
            }
        }

        return true;
    }

    private void Find() =>
        _isAtEnd = _search.Find(
            BtrfsKey.ChecksumTree,
            new ItemKey(BtrfsKey.ExtentChecksums, BtrfsKey.ExtentChecksum, _next),
            new ItemKey(BtrfsKey.ExtentChecksums, BtrfsKey.ExtentChecksum, ulong.MaxValue),
            uint.MaxValue) == 0;

    private void Take(in TreeSearchHeader header, ReadOnlySpan<byte> item)
    {
        if (header.Type != BtrfsKey.ExtentChecksum)
        {
            return;
        }

        if (header.Offset > long.MaxValue - (ulong)_longestItem || item.Length > MostInItem * _kind.Size)
        {
            throw _search.Malformed();
        }

        if (_item.Length < item.Length)
        {
            _item = new byte[item.Length];
        }

        item.CopyTo(_item);
        _start = (long)header.Offset;
        _end = _start + ((long)(item.Length / _kind.Size) * _blockSize);
    }
}
