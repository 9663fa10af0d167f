using System.Buffers;
using System.Runtime.InteropServices;
using BtrfsClone.Cloning;
using BtrfsClone.Interop;

namespace BtrfsClone.Carrying;

/// <summary>
/// What of the source's shared extents is at the destination already: a file without a name there, in which each byte lies
/// where it lies on the source's disk. Files that share at the source get their pieces from it by FICLONERANGE, and so share
/// at the destination. Nobody else can open it, it needs no table in memory, and it is gone with the process.
/// </summary>
/// <remarks>
/// A second such file is the index: two bytes for each block tell how many of its bytes are there. Both are sparse.
/// </remarks>
internal sealed unsafe class SharedPool : IDisposable
{
    /// <summary>Where preallocated extents begin. What is written to a part of one is not to be taken for that.</summary>
    private const long Reserved = 1L << 61;

    /// <summary>Where compressed extents begin, which are larger unpacked than on disk: each has 32 times its room there.</summary>
    private const long Unpacked = 1L << 62;

    // An extent of one sector of 4096 bytes holds at most 128 KiB (BTRFS_MAX_UNCOMPRESSED).
    private const int Unpacking = 32;

    private const ushort Whole = ushort.MaxValue;

    // As many blocks of 4096 bytes as the longest piece has, which would be parted otherwise.
    private const int MarksAtOnce = 32768;

    private readonly Descriptor _index;
    private readonly long _blockSize;
    private bool _isBroken;

    private SharedPool(Descriptor data, Descriptor index, long blockSize) =>
        (Data, _index, _blockSize) = (data, index, blockSize);

    /// <summary>The file that holds the data.</summary>
    public Descriptor Data { get; }

    /// <summary>Makes an empty one; null where the filesystem has no such files, or none of that size.</summary>
    /// <param name="directory">A directory of the filesystem.</param>
    /// <param name="noCow">Whether it is for files without checksums.</param>
    /// <param name="blockSize">The filesystem's block size.</param>
    /// <param name="sizeLimit">No file may get larger than this, in bytes.</param>
    public static SharedPool? TryMake(Descriptor directory, bool noCow, long blockSize, ulong sizeLimit)
    {
        if (sizeLimit < long.MaxValue)
        {
            return null; // Beyond it the kernel would send a signal (SIGXFSZ).
        }

        Descriptor data = Make(directory, noCow ? InodeFlags.NoCow : InodeFlags.None);
        Descriptor index = Make(directory, InodeFlags.None);

        // It is never written at its end: a block of which only a part is in the file could not be cloned to another place.
        long size = long.MaxValue / blockSize * blockSize;
        if (data.IsOpen && index.IsOpen && Sys.Truncate(data, size).Succeeded)
        {
            return new SharedPool(data, index, blockSize);
        }

        Sys.Close(data);
        Sys.Close(index);
        return null;
    }

    /// <summary>Where an uncompressed byte of the source's disk has its place, or -1 if it has none.</summary>
    public static long PlaceOf(long physical) => physical is > 0 and < Reserved ? physical : -1;

    /// <summary>The same of a preallocated byte.</summary>
    public static long ReservedPlaceOf(long physical) => physical is > 0 and < Reserved ? Reserved + physical : -1;

    /// <summary>The same of a byte of a compressed extent.</summary>
    public static long PlaceOf(long diskOffset, long extentOffset) =>
        diskOffset is > 0 and < Unpacked / Unpacking && extentOffset is >= 0 and < EncodedPiece.Largest
            ? Unpacked + (diskOffset * Unpacking) + extentOffset
            : -1;

    /// <summary>
    /// How many bytes from a place on are there, or are not: up to the first block that differs from the one at the place.
    /// </summary>
    /// <param name="place">A multiple of the block size.</param>
    /// <param name="length">Bytes that are looked at; a last block need be there only as far as this goes.</param>
    /// <param name="state">What is said of them.</param>
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

    /// <summary>Marks bytes as there. False where that fails: then they are not.</summary>
    public bool Mark(long place, long length)
    {
        bool isMarked = Write(place, length, Whole);
        if (!isMarked)
        {
            Unmark(place, length);
        }

        return isMarked;
    }

    /// <summary>Marks bytes as missing. Where that fails, nothing is taken to be there any more.</summary>
    public void Unmark(long place, long length) => _isBroken |= !Write(place, length, 0);

    /// <summary>Shares what is there with a file.</summary>
    /// <param name="place">Where it is, a multiple of the block size.</param>
    /// <param name="length">How long it is; rounded up to whole blocks.</param>
    /// <param name="file">The file.</param>
    /// <param name="offset">Where it goes there, a multiple of the block size.</param>
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

            // Whatever the directory hands on, NOCOW or compression, is not for all files that share.
            if (result.Succeeded && FileContent.SetEarlyFlags(file, flags, out _) is { Failed: true } failed)
            {
                Sys.Reject(ref file, failed);
            }

            return file;
        }
    }
}

/// <summary>What a <see cref="SharedPool"/> has of a block.</summary>
internal enum PoolState
{
    /// <summary>Nothing.</summary>
    Missing,

    /// <summary>All that is wanted.</summary>
    There,

    /// <summary>
    /// The end of a file that was shorter. Others may be about to share it, so that it cannot be written again: such a block,
    /// which only a file has that was cut after it had been cloned, is copied.
    /// </summary>
    InPart,
}
