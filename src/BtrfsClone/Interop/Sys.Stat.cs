using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

/// <summary>struct statx_timestamp: seconds since 1970 (negative before), nanoseconds 0-999,999,999.</summary>
[StructLayout(LayoutKind.Sequential, Size = 16)]
internal struct StatxTimestamp
{
    public long Seconds;
    public uint Nanoseconds;
}

/// <summary>
/// struct statx (linux/stat.h). Unlike struct stat, it is laid out alike on every architecture.
/// <c>Blocks</c> counts 512-byte units.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = 256)]
internal struct Statx
{
    public uint Mask;
    public uint BlockSize;
    public ulong Attributes;
    public uint LinkCount;
    public uint Uid;
    public uint Gid;
    public ushort Mode;
    private readonly ushort _spare0;
    public ulong Inode;
    public ulong Size;
    public ulong Blocks;
    public ulong AttributesMask;
    public StatxTimestamp AccessTime;
    public StatxTimestamp BirthTime;
    public StatxTimestamp ChangeTime;
    public StatxTimestamp ModifyTime;
    public uint SpecialDeviceMajor;
    public uint SpecialDeviceMinor;
    public uint DeviceMajor;
    public uint DeviceMinor;

    public readonly uint FileType => Mode & Sys.ModeTypeMask;

    /// <summary>The permission bits with setuid, setgid and sticky.</summary>
    public readonly uint Permissions => Mode & 0xFFFu;

    /// <summary>The number of the (sub)volume that the inode belongs to; with <c>Inode</c> it names a file.</summary>
    public readonly ulong Device => ((ulong)DeviceMajor << 32) | DeviceMinor;

    public readonly bool IsSameFileAs(in Statx other) => Inode == other.Inode && Device == other.Device;
}

internal static unsafe partial class Sys
{
    public const uint ModeTypeMask = 0xF000;
    public const uint ModeRegular = 0x8000;
    public const uint ModeDirectory = 0x4000;
    public const uint ModeSymlink = 0xA000;
    public const uint ModeFifo = 0x1000;
    public const uint ModeSocket = 0xC000;
    public const uint ModeCharDevice = 0x2000;
    public const uint ModeBlockDevice = 0x6000;

    public const uint ModeSetUid = 0x800;
    public const uint ModeSetGid = 0x400;

    /// <summary>STATX_BASIC_STATS: all that stat(2) gives.</summary>
    private const uint BasicStats = 0x7FF;

    private static readonly byte[] s_empty = [0];

    /// <summary>statx(2) of an open file.</summary>
    public static int Stat(int descriptor, out Statx status)
    {
        fixed (byte* empty = s_empty)
        {
            return StatAt(descriptor, empty, EmptyPath, out status);
        }
    }

    /// <summary>statx(2) of an entry, the entry itself if it is a symbolic link.</summary>
    public static int StatEntry(int directory, byte* name, out Statx status) =>
        StatAt(directory, name, SymlinkNoFollow, out status);

    /// <summary>statx(2) of a path of text, following symbolic links only if asked to.</summary>
    public static int Stat(string path, bool follow, out Statx status)
    {
        fixed (byte* bytes = Utf8Z.From(path))
        {
            return StatAt(WorkingDirectory, bytes, follow ? 0 : SymlinkNoFollow, out status);
        }
    }

    private static int StatAt(int directory, byte* name, int flags, out Statx status)
    {
        fixed (Statx* buffer = &status)
        {
            return Result(statx(directory, name, flags, BasicStats, buffer));
        }
    }

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int statx(int directory, byte* name, int flags, uint mask, Statx* buffer);
}
