namespace BtrfsClone.Cloning;

/// <summary>A range of a file and its place in another, as the kernel lets them be cloned. All numbers are bytes.</summary>
internal readonly record struct FileRange(long Offset, long Length, long DestinationOffset)
{
    /// <summary>
    /// The range with its length made definite: 0 is "up to the end", and the last block may be named as a whole, as
    /// extents are.
    /// </summary>
    /// <exception cref="BtrfsException"><see cref="BtrfsError.RangeBeyondEnd"/>.</exception>
    public FileRange Within(long size, long blockSize, string source)
    {
        long left = size - Offset;
        if (left < 0 || (left == 0 && size > 0) || Length > BlocksOf(left, blockSize))
        {
            throw new BtrfsException(
                BtrfsError.RangeBeyondEnd, source,
                description: $"{Words} reaches beyond the end of the file, which is {size} bytes long");
        }

        return this with { Length = Length == 0 ? left : Math.Min(Length, left) };
    }

    /// <summary>
    /// Refuses what generic_remap_checks and generic_remap_check_len (fs/remap_range.c) answer EINVAL to: only the last
    /// block of the source may be cloned in part, and only to where nothing of the destination follows.
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
        long end = Math.Max(Nearest(Offset + Length, blockSize), from + blockSize);
        if (end > size)
        {
            end = to + (size - from) >= destinationSize ? size : size / blockSize * blockSize;
        }

        string nearest = end > from
            ? $"the nearest aligned range is offset {from}, length {end - from}, destination offset {to}"
            : "there is no aligned range, for the destination goes on behind the source's end";
        throw new BtrfsException(
            BtrfsError.UnalignedRange, source,
            description: $"{Words} to offset {DestinationOffset} is not aligned to blocks of {blockSize} bytes; {nearest}");
    }

    /// <summary>Whether both ranges have a block in common, given that they are in one file.</summary>
    public bool Overlaps(long blockSize)
    {
        long length = BlocksOf(Length, blockSize);
        return DestinationOffset < Offset + length && Offset < DestinationOffset + length;
    }

    private string Words => Length == 0 ? $"the range at offset {Offset}" : $"the range of {Length} bytes at offset {Offset}";

    private static long BlocksOf(long length, long blockSize) => (length + blockSize - 1) / blockSize * blockSize;

    private static long Nearest(long offset, long blockSize) => (offset + (blockSize / 2)) / blockSize * blockSize;
}
