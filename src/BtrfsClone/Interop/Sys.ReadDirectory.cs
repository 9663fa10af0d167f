using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

/// <summary>The fixed part of struct linux_dirent64 (linux/dirent.h); the null-terminated name follows at byte 19.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct DirectoryEntry
{
    public const int NameOffset = 19;

    public const byte TypeUnknown = 0;
    public const byte TypeDirectory = 4;
    public const byte TypeRegular = 8;
    public const byte TypeSymlink = 10;

    /// <summary>Not a DT_* value: an entry that is skipped.</summary>
    public const byte TypePassedOver = 255;

    public ulong Inode;
    public long NextOffset;
    public ushort RecordLength;
    public byte Type;
}

internal static unsafe partial class Sys
{
    /// <summary>getdents64(2). Returns the bytes read, 0 at the end of the directory.</summary>
    public static CallResult ReadDirectory(Descriptor directory, byte* buffer, int size) =>
        Result(getdents64(directory.Number, buffer, size));

    /// <summary>lseek(2) from the start: for a directory, to an offset from one of its entries.</summary>
    public static CallResult Seek(Descriptor descriptor, long offset) => Result(lseek(descriptor.Number, offset, 0));

    /// <summary>lseek(2) to the next data at or after the offset; ENXIO (6) if there is none.</summary>
    public static CallResult SeekData(Descriptor descriptor, long offset) => Result(lseek(descriptor.Number, offset, 3));

    /// <summary>lseek(2) to the next hole at or after the offset; the end of the file counts as one.</summary>
    public static CallResult SeekHole(Descriptor descriptor, long offset) => Result(lseek(descriptor.Number, offset, 4));

    [LibraryImport(LibC, SetLastError = true)]
    private static partial nint getdents64(int directory, byte* buffer, nint size);

    [LibraryImport(LibC, SetLastError = true)]
    private static partial long lseek(int descriptor, long offset, int whence);
}
