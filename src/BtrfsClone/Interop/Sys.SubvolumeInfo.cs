namespace BtrfsClone.Interop;

/// <summary>Information about a subvolume (struct btrfs_ioctl_get_subvol_info_args in linux/btrfs.h).</summary>
/// <param name="Tree">The id of its tree.</param>
/// <param name="Uuid">Its own UUID, also for a snapshot. A subvolume from before Linux 3.6 has none, which is all zeros.</param>
/// <param name="Created">
/// When it was created, or for a snapshot, taken, since 1970 by the system clock: with the resolution of a kernel tick, which is 1
/// to 10 ms.
/// </param>
internal readonly record struct SubvolumeFacts(ulong Tree, Guid Uuid, TimeSpan Created);

internal static unsafe partial class Sys
{
    // linux/btrfs.h: _IOR(0x94, 60, struct btrfs_ioctl_get_subvol_info_args), which is 504 bytes, the tree at byte 0, the UUID
    // at byte 296, otime (seconds, and nanoseconds as 32 bits) at byte 392.
    private const nuint BtrfsIocGetSubvolInfo = 0x81F8943C;
    private const int SubvolumeInfoSize = 504;
    private const int SubvolumeInfoUuidOffset = 296;
    private const int SubvolumeInfoCreatedOffset = 392;

    /// <summary>BTRFS_IOC_GET_SUBVOL_INFO (Linux 4.18): the subvolume that an open file belongs to. Requires no privilege.</summary>
    public static CallResult SubvolumeInfo(Descriptor descriptor, out SubvolumeFacts facts)
    {
        byte* info = stackalloc byte[SubvolumeInfoSize];
        new Span<byte>(info, SubvolumeInfoSize).Clear();
        CallResult result = Result(ioctl(descriptor.Number, BtrfsIocGetSubvolInfo, (nint)info));
        long* created = (long*)(info + SubvolumeInfoCreatedOffset);
        facts = new SubvolumeFacts(
            *(ulong*)info,
            new Guid(new ReadOnlySpan<byte>(info + SubvolumeInfoUuidOffset, 16)),
            new TimeSpan((created[0] * TimeSpan.TicksPerSecond) + (*(uint*)(created + 1) / TimeSpan.NanosecondsPerTick)));
        return result;
    }

    /// <summary>As above, only the tree and the UUID.</summary>
    public static CallResult SubvolumeInfo(Descriptor descriptor, out ulong tree, out Guid uuid)
    {
        CallResult result = SubvolumeInfo(descriptor, out SubvolumeFacts facts);
        (tree, uuid) = (facts.Tree, facts.Uuid);
        return result;
    }
}
