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
/// struct statx (linux/stat.h). Unlike struct stat, its layout is the same on every architecture. <c>Blocks</c> counts 512-byte
/// units.
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

    /// <summary>The mount's id (Linux 5.8); 0 if the kernel does not report it.</summary>
    public ulong MountId;

    public readonly uint FileType => Mode & Sys.ModeTypeMask;

    /// <summary>The permission bits with setuid, setgid and sticky.</summary>
    public readonly uint Permissions => Mode & Sys.ModePermissions;

    /// <summary>The device number of the filesystem or subvolume of the inode; together with <c>Inode</c> it identifies a file.</summary>
    public readonly ulong Device => ((ulong)DeviceMajor << 32) | DeviceMinor;

    /// <summary>Whether it was modified later than another one.</summary>
    public readonly bool IsNewerThan(in Statx other) =>
        (ModifyTime.Seconds, ModifyTime.Nanoseconds).CompareTo((other.ModifyTime.Seconds, other.ModifyTime.Nanoseconds)) > 0;

    public readonly bool IsSameFileAs(in Statx other) => Inode == other.Inode && Device == other.Device;
}

internal static unsafe partial class Sys
{
    // The parts of a mode other than permissions (linux/stat.h).
    public const uint ModeTypeMask = 0xF000; // 0170000
    public const uint ModeRegular = 0x8000;
    public const uint ModeDirectory = 0x4000;
    public const uint ModeSymlink = 0xA000;
    public const uint ModeFifo = 0x1000;
    public const uint ModeSocket = 0xC000;
    public const uint ModeCharDevice = 0x2000;
    public const uint ModeBlockDevice = 0x6000;

    // Permissions; a group of three binary digits is an octal one.
    public const uint ModeSetUid = 0b100_000_000_000; // 04000
    public const uint ModeSetGid = 0b010_000_000_000; // 02000
    public const uint ModeSticky = 0b001_000_000_000; // 01000

    /// <summary>07777: all permissions, with setuid, setgid and sticky.</summary>
    public const uint ModePermissions = 0b111_111_111_111;

    /// <summary>07000: setuid, setgid and sticky.</summary>
    public const uint ModeSpecial = 0b111_000_000_000;

    /// <summary>0777: the permissions of owner, group and others.</summary>
    public const uint ModeAccess = 0b000_111_111_111;

    /// <summary>0700: the permissions of the owner; for a directory, private.</summary>
    public const uint ModeOwner = 0b000_111_000_000;

    /// <summary>0600: read and write permission of the owner; for a file, private.</summary>
    public const uint ModeOwnerReadWrite = 0b000_110_000_000;

    /// <summary>0077: the permissions of group and others.</summary>
    public const uint ModeOthers = 0b000_000_111_111;

    /// <summary>0022: write permission of group and others.</summary>
    public const uint ModeOthersWrite = 0b000_000_010_010;

    /// <summary>0222: write permission of anyone.</summary>
    public const uint ModeAnyWrite = 0b000_010_010_010;

    /// <summary>STATX_BASIC_STATS: everything that stat(2) returns.</summary>
    private const uint BasicStats = 0x7FF;

    private const uint StatMountId = 0x1000; // STATX_MNT_ID

    private static readonly byte[] s_empty = [0];

    /// <summary>statx(2) of an open file.</summary>
    public static CallResult Stat(Descriptor descriptor, out Statx status)
    {
        fixed (byte* empty = s_empty)
        {
            return StatAt(descriptor, empty, EmptyPath, out status);
        }
    }

    /// <summary>statx(2) of an entry, without following a symbolic link.</summary>
    public static CallResult StatEntry(Descriptor directory, byte* name, out Statx status) =>
        StatAt(directory, name, SymlinkNoFollow, out status);

    /// <summary>statx(2) of an entry, following a symbolic link.</summary>
    public static CallResult StatTarget(Descriptor directory, byte* name, out Statx status) =>
        StatAt(directory, name, 0, out status);

    /// <summary>statx(2) of a path as text, following symbolic links only if requested.</summary>
    public static CallResult Stat(string path, bool follow, out Statx status)
    {
        fixed (byte* bytes = Utf8Z.From(path))
        {
            return StatAt(Descriptor.WorkingDirectory, bytes, follow ? 0 : SymlinkNoFollow, out status);
        }
    }

    /// <summary>statx(2) of a path, following symbolic links; a relative path starts at a directory.</summary>
    public static CallResult StatPath(Descriptor directory, byte* path, out Statx status) =>
        StatAt(directory, path, 0, out status);

    private static CallResult StatAt(Descriptor directory, byte* name, int flags, out Statx status)
    {
        fixed (Statx* buffer = &status)
        {
            return Result(statx(directory.Number, name, flags, BasicStats | StatMountId, buffer));
        }
    }

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int statx(int directory, byte* name, int flags, uint mask, Statx* buffer);
}
