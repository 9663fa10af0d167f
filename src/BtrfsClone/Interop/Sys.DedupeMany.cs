using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

/// <summary>One destination of <see cref="Sys.DedupeMany"/>.</summary>
internal struct DedupeDestination
{
    public Descriptor File;

    /// <summary>The start of its range in the file, in bytes.</summary>
    public long Offset;

    /// <summary>Out: the number of bytes that now share the source's extents.</summary>
    public long Deduped;

    /// <summary>Out: whether the data differs, and nothing was done.</summary>
    public bool IsDifferent;

    /// <summary>Out: why this destination failed; the others are not affected.</summary>
    public Errno Error;
}

internal static unsafe partial class Sys
{
    /// <summary>
    /// The maximum number of destinations per call: vfs_dedupe's argument is at most a page (fs/ioctl.c, ioctl_file_dedupe_range),
    /// which is 4096 bytes or more.
    /// </summary>
    public const int MostDedupeDestinations = (4096 - sizeof(long) - DedupeHead) / DedupeInfoSize;

    // struct file_dedupe_range: the source's offset and length, the count of destinations. Then struct file_dedupe_range_info for
    // each: descriptor, offset, bytes deduped, status, reserved.
    private const int DedupeHead = 24;

    /// <summary>
    /// FIDEDUPERANGE of one source and many destinations: each shares the source's extents where both have equal data, which the
    /// kernel verifies with both files locked.
    /// </summary>
    public static CallResult DedupeMany(Descriptor source, long offset, long length, Span<DedupeDestination> destinations)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destinations.Length, MostDedupeDestinations);
        byte* argument = stackalloc byte[DedupeHead + (destinations.Length * DedupeInfoSize)];
        new Span<byte>(argument, DedupeHead + (destinations.Length * DedupeInfoSize)).Clear();
        ((long*)argument)[0] = offset;
        ((long*)argument)[1] = length;
        *(ushort*)(argument + 16) = (ushort)destinations.Length;
        var infos = new Span<DedupeInfo>(argument + DedupeHead, destinations.Length);
        for (int i = 0; i < infos.Length; i++)
        {
            infos[i].Descriptor = destinations[i].File.Number;
            infos[i].Offset = destinations[i].Offset;
        }

        CallResult result;
        do
        {
            result = Result(ioctl(source.Number, FiDedupeRange, (nint)argument));
        }
        while (result.Is(Errno.EINTR));
        for (int i = 0; i < infos.Length; i++)
        {
            destinations[i].Deduped = infos[i].Status == 0 ? infos[i].Deduped : 0;
            destinations[i].IsDifferent = infos[i].Status == FileDedupeRange.Differs;
            destinations[i].Error = infos[i].Status < 0 ? (Errno)(-infos[i].Status) : Errno.None;
        }

        return result;
    }

    private const int DedupeInfoSize = 32;

    [StructLayout(LayoutKind.Sequential, Size = DedupeInfoSize)]
    private struct DedupeInfo
    {
        public long Descriptor;
        public long Offset;
        public long Deduped;
        public int Status;
    }
}
