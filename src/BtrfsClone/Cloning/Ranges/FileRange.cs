namespace BtrfsClone.Cloning;

/// <summary>A range of a file and its position in another, as the kernel allows them to be cloned. All numbers are in bytes.</summary>
internal readonly record struct FileRange(long Offset, long Length, long DestinationOffset)
{
    /// <summary>
    /// The range with a definite length: 0 means "up to the end", and the last block may be given as a whole, as extents are.
    /// </summary>
    /// <exception cref="BtrfsException"><see cref="BtrfsError.RangeBeyondEnd"/>.</exception>
    public FileRange Within(long size, long blockSize, string source)
    {
        long left = size - Offset;
        if (left < 0 || (left == 0 && size > 0) || BlocksOf(Length, blockSize) > BlocksOf(left, blockSize))
        {
            throw new BtrfsException(
                BtrfsError.RangeBeyondEnd, source,
                description: $"{Words} reaches beyond the end of the file, which is {size} bytes long");
        }

        return this with { Length = Length == 0 ? left : Math.Min(Length, left) };
    }

    /// <summary>
    /// Rejects what generic_remap_checks and generic_remap_check_len (fs/remap_range.c) reject with EINVAL: only the last block of
    /// the source may be cloned in part, and only if nothing follows it in the destination.
    /// </summary>
    /// <exception cref="BtrfsException"><see cref="BtrfsError.UnalignedRange"/>.</exception>
    public void RequireAligned(long size, long destinationSize, long blockSize, string source)
    {
        bool tail = Offset + Length == size && DestinationOffset + Length >= destinationSize;
        if ((Offset | DestinationOffset) % blockSize == 0 && (tail || Length % blockSize == 0))
        {
            return;
        }

        long to = Nearest(DestinationOffset, blockSize);
        long from = Math.Min(Nearest(Offset, blockSize), (size - 1) / blockSize * blockSize);
        long length = Math.Max(Nearest(Offset + Length, blockSize) - from, blockSize);
        long left = size - from;
        if (length > left)
        {
            length = to >= destinationSize - left ? left : left / blockSize * blockSize;
        }

        string nearest = length > 0
            ? $"the nearest aligned range is offset {from}, length {length}, destination offset {to}"
            : "there is no aligned range, for the destination goes on behind the source's end";
        throw new BtrfsException(
            BtrfsError.UnalignedRange, source,
            description: $"{Words} to offset {DestinationOffset} is not aligned to blocks of {blockSize} bytes; {nearest}");
    }

    /// <summary>Whether the two aligned ranges, which are in one file, have a block in common.</summary>
    public bool Overlaps(long blockSize)
    {
        long blocks = BlocksOf(Length, blockSize);
        return Math.Abs((DestinationOffset / blockSize) - (Offset / blockSize)) < blocks;
    }

    private string Words => Length == 0 ? $"the range at offset {Offset}" : $"the range of {Length} bytes at offset {Offset}";

    // A file may have the maximum size of the type: this must not overflow.
    private static long BlocksOf(long length, long blockSize) =>
        (length / blockSize) + (length % blockSize == 0 ? 0 : 1);

    private static long Nearest(long offset, long blockSize)
    {
        long before = offset - (offset % blockSize);
        return offset - before < blockSize / 2 || before > long.MaxValue - blockSize ? before : before + blockSize;
    }
}
