using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

/// <summary>struct file_dedupe_range (linux/fs.h) with room for one destination. Offsets and lengths in bytes.</summary>
[StructLayout(LayoutKind.Sequential, Size = 56)]
internal struct FileDedupeRange
{
    /// <summary>FILE_DEDUPE_RANGE_DIFFERS: the bytes are not the same, and nothing was done.</summary>
    public const int Differs = 1;

    public ulong SourceOffset;
    public ulong SourceLength;
    private ushort _destinationCount;
    private readonly ushort _reserved1;
    private readonly uint _reserved2;
    private long _destinationDescriptor;
    public ulong DestinationOffset;

    /// <summary>How much of the length is done. btrfs counts what it has rounded away too.</summary>
    public ulong DedupedLength;

    /// <summary>0, <see cref="Differs"/>, or a negative errno.</summary>
    public int Status;

    internal void SetDestination(Descriptor destination) =>
        (_destinationCount, _destinationDescriptor) = (1, destination.Number);
}

internal static unsafe partial class Sys
{
    // linux/fs.h: _IOWR(0x94, 54, struct file_dedupe_range), whose fixed part is 24 bytes.
    private const nuint FiDedupeRange = 0xC0189436;

    /// <summary>
    /// FIDEDUPERANGE: the destination shares the source's extents where both hold the same bytes, which the kernel
    /// checks with both files locked. Needs write access to the destination, its ownership, or CAP_SYS_ADMIN; a
    /// descriptor for reading is enough. Leaves all times alone. A length of 0 only checks whether it may be done.
    /// </summary>
    public static CallResult DedupeRange(Descriptor source, Descriptor destination, ref FileDedupeRange range)
    {
        range.SetDestination(destination);
        CallResult result;
        fixed (FileDedupeRange* argument = &range)
        {
            do
            {
                range.Status = 0;
                result = Result(ioctl(source.Number, FiDedupeRange, (nint)argument));
                result = result.Succeeded && range.Status < 0 ? CallResult.FromKernel(range.Status) : result;
            }
            while (result.Is(Errno.EINTR));
        }

        return result;
    }

    /// <summary>
    /// Whether a file, open for reading, is an active swap file. generic_remap_file_range_prep (fs/remap_range.c) answers
    /// ETXTBSY to that before it refuses a range that begins inside a block. False where nobody may ask: it takes what
    /// <see cref="DedupeRange"/> takes.
    /// </summary>
    public static bool IsSwapFile(Descriptor file)
    {
        FileDedupeRange unaligned = new() { SourceLength = 1, DestinationOffset = 1 };
        return DedupeRange(file, file, ref unaligned).Is(Errno.ETXTBSY);
    }
}
