using System.Buffers;
using System.Runtime.InteropServices;
using BtrfsClone.Cloning;
using BtrfsClone.Interop;

namespace BtrfsClone.Carrying;

/// <summary>
/// The source's shared extents that are already at the destination: an unnamed file there, in which each byte is at its address on
/// the source's disk. Files that share data at the source get it from the pool with FICLONERANGE, and so share it at the
/// destination. No one else can open it, it needs no table in memory, and it is deleted with the process.
/// </summary>
/// <remarks>
/// A second such file is the index: two bytes for each block contain the number of its bytes that are present. Both are sparse.
/// </remarks>
internal sealed unsafe class SharedPool : IDisposable
{
    /// <summary>Where preallocated extents start. Data written to a part of one must not be mistaken for it.</summary>
    private const long Reserved = 1L << 61;

    /// <summary>
    /// Where compressed extents start, which are larger when decompressed than on disk: each has 32 times its size there.
    /// </summary>
    private const long Unpacked = 1L << 62;

    // An extent of one sector of 4096 bytes holds at most 128 KiB (BTRFS_MAX_UNCOMPRESSED).
    private const int Unpacking = 32;

    private const ushort Whole = ushort.MaxValue;

    // The number of 4096-byte blocks of the longest file extent, which would otherwise be split.
    private const int MarksAtOnce = 32768;

    private readonly Descriptor _index;
    private readonly long _blockSize;
    private bool _isBroken;

    private SharedPool(Descriptor data, Descriptor index, long blockSize) =>
        (Data, _index, _blockSize) = (data, index, blockSize);

    /// <summary>The file that contains the data.</summary>
    public Descriptor Data { get; }

    /// <summary>Creates an empty pool; null if the filesystem does not support such files, or not of that size.</summary>
    /// <param name="directory">A directory on the filesystem.</param>
    /// <param name="noCow">Whether it is for files without checksums.</param>
    /// <param name="blockSize">The filesystem's block size.</param>
    /// <param name="sizeLimit">The maximum size of a file, in bytes.</param>
    public static SharedPool? TryMake(Descriptor directory, bool noCow, long blockSize, ulong sizeLimit)
    {
        if (sizeLimit < long.MaxValue)
        {
            return null; // A write beyond it would raise a signal (SIGXFSZ).
        }

        Descriptor data = Make(directory, noCow ? InodeFlags.NoCow : InodeFlags.None);
        Descriptor index = Make(directory, InodeFlags.None);

        // Nothing is ever written at its end: a partial block could not be cloned to another offset.
        long size = long.MaxValue / blockSize * blockSize;
        if (data.IsOpen && index.IsOpen && Sys.Truncate(data, size).Succeeded)
        {
            return new SharedPool(data, index, blockSize);
        }

        Sys.Close(data);
        Sys.Close(index);
        return null;
    }

    /// <summary>The position of an uncompressed byte of the source's disk, or -1 if it has none.</summary>
    public static long PlaceOf(long physical) => physical is > 0 and < Reserved ? physical : -1;

    /// <summary>The same for a preallocated byte.</summary>
    public static long ReservedPlaceOf(long physical) => physical is > 0 and < Reserved ? Reserved + physical : -1;

    /// <summary>The same for a byte of a compressed extent.</summary>
    public static long PlaceOf(long diskOffset, long extentOffset) =>
        diskOffset is > 0 and < Unpacked / Unpacking && extentOffset is >= 0 and < EncodedPiece.Largest
            ? Unpacked + (diskOffset * Unpacking) + extentOffset
            : -1;

    /// <summary>
    /// How many bytes from a position on are present, or missing: up to the first block whose state differs from that of the first.
    /// </summary>
    /// <param name="place">A multiple of the block size.</param>
    /// <param name="length">The number of bytes to check; a last block need only be present up to this length.</param>
    /// <param name="state">Their state.</param>
    public long Look(long place, long length, out PoolState state)
    {
        ushort[] marks = ArrayPool<ushort>.Shared.Rent(MarksAtOnce);
        int blocks = (int)Math.Min((length + _blockSize - 1) / _blockSize, MarksAtOnce);
        Span<ushort> wanted = marks.AsSpan(0, blocks);
        wanted.Clear();
        CallResult read = Sys.ReadAt(_index, MemoryMarshal.AsBytes(wanted), IndexOf(place));
        state = read.Failed || _isBroken ? PoolState.InPart : StateOf(wanted[0], length);
        int same = 1;
        while (state != PoolState.InPart && same < blocks && StateOf(wanted[same], length - (same * _blockSize)) == state)
        {
            same++;
        }

        ArrayPool<ushort>.Shared.Return(marks);
        return Math.Min(same * _blockSize, length);
    }

    /// <summary>Marks bytes as present. If this fails, returns false, and they are not.</summary>
    public bool Mark(long place, long length)
    {
        bool isMarked = Write(place, length, Whole);
        if (!isMarked)
        {
            Unmark(place, length);
        }

        return isMarked;
    }

    /// <summary>Marks bytes as missing. If this fails, everything is considered missing from then on.</summary>
    public void Unmark(long place, long length) => _isBroken |= !Write(place, length, 0);

    /// <summary>Shares data of the pool with a file.</summary>
    /// <param name="place">Its position, a multiple of the block size.</param>
    /// <param name="length">Its length; rounded up to whole blocks.</param>
    /// <param name="file">The file.</param>
    /// <param name="offset">Its offset in the file, a multiple of the block size.</param>
    public CallResult Share(long place, long length, Descriptor file, long offset) =>
        Sys.CloneRange(Data, file, new FileCloneRange
        {
            SourceOffset = (ulong)place,
            SourceLength = (ulong)((length + _blockSize - 1) / _blockSize * _blockSize),
            DestinationOffset = (ulong)offset,
        });

    public void Dispose()
    {
        Sys.Close(Data);
        Sys.Close(_index);
    }

    private bool Write(long place, long length, ushort mark)
    {
        ushort[] marks = ArrayPool<ushort>.Shared.Rent(MarksAtOnce);
        bool isWritten = true;
        while (length > 0 && isWritten)
        {
            int blocks = (int)Math.Min((length + _blockSize - 1) / _blockSize, MarksAtOnce);
            Span<ushort> made = marks.AsSpan(0, blocks);
            made.Fill(mark);
            long marked = blocks * _blockSize;
            if (marked > length && mark == Whole)
            {
                made[^1] = (ushort)Math.Min(length - ((blocks - 1) * _blockSize), Whole - 1);
            }

            isWritten = Sys.WriteAt(_index, MemoryMarshal.AsBytes(made), IndexOf(place)).Succeeded;
            (place, length) = (place + marked, length - marked);
        }

        ArrayPool<ushort>.Shared.Return(marks);
        return isWritten;
    }

    private long IndexOf(long place) => place / _blockSize * sizeof(ushort);

    private PoolState StateOf(ushort mark, long length) =>
        mark == 0 ? PoolState.Missing
        : mark == Whole || mark >= Math.Min(length, _blockSize) ? PoolState.There
        : PoolState.InPart;

    private static Descriptor Make(Descriptor directory, InodeFlags flags)
    {
        fixed (byte* here = ".\0"u8)
        {
            CallResult result = Sys.OpenAt(
                directory, here, OpenFlags.Temporary | OpenFlags.ReadWrite, out Descriptor file, Sys.ModeOwnerReadWrite);

            // NOCOW or compression inherited from the directory does not apply to all files that share.
            if (result.Succeeded && FileContent.SetEarlyFlags(file, flags, out _) is { Failed: true } failed)
            {
                Sys.Reject(ref file, failed);
            }

            return file;
        }
    }
}

/// <summary>The state of a block in a <see cref="SharedPool"/>.</summary>
internal enum PoolState
{
    /// <summary>Nothing.</summary>
    Missing,

    /// <summary>Everything that is needed.</summary>
    There,

    /// <summary>
    /// The end of a shorter file. Others may be about to share it, so it cannot be written again: such a block, which only occurs
    /// in a file that was truncated after being cloned, is copied.
    /// </summary>
    InPart,
}
