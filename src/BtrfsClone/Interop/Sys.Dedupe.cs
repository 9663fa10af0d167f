using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

/// <summary>struct file_dedupe_range (linux/fs.h) with room for one destination. Offsets and lengths in bytes.</summary>
[StructLayout(LayoutKind.Sequential, Size = 56)]
internal struct FileDedupeRange
{
    /// <summary>FILE_DEDUPE_RANGE_DIFFERS: the data differs, and nothing was done.</summary>
    public const int Differs = 1;

    public ulong SourceOffset;
    public ulong SourceLength;
    private ushort _destinationCount;
    private readonly ushort _reserved1;
    private readonly uint _reserved2;
    private long _destinationDescriptor;
    public ulong DestinationOffset;

    /// <summary>The part of the length that is done. On btrfs this includes what was rounded away.</summary>
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
    /// FIDEDUPERANGE: the destination shares the source's extents where both have equal data, which the kernel verifies with both
    /// files locked. Requires write access to the destination, its ownership, or CAP_SYS_ADMIN; a read-only descriptor is
    /// sufficient. Does not change any times. A length of 0 only checks whether it is permitted.
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
    /// Whether a file, open for reading, is an active swap file. generic_remap_file_range_prep (fs/remap_range.c) returns ETXTBSY
    /// for it before it rejects a range that starts inside a block. False if the caller lacks permission to ask, which is the same
    /// as for <see cref="DedupeRange"/>.
    /// </summary>
    public static bool IsSwapFile(Descriptor file)
    {
        FileDedupeRange unaligned = new() { SourceLength = 1, DestinationOffset = 1 };
        return DedupeRange(file, file, ref unaligned).Is(Errno.ETXTBSY);
    }
}
