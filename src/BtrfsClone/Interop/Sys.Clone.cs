using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

/// <summary>struct file_clone_range (linux/fs.h). Offsets and length in bytes; length 0 means "to the end".</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FileCloneRange
{
    private long _sourceDescriptor;
    public ulong SourceOffset;
    public ulong SourceLength;
    public ulong DestinationOffset;

    internal void SetSource(Descriptor source) => _sourceDescriptor = source.Number;
}

internal static unsafe partial class Sys
{
    // linux/fs.h: _IOW(0x94, 9, int) and _IOW(0x94, 13, struct file_clone_range).
    private const nuint FiClone = 0x40049409;
    private const nuint FiCloneRange = 0x4020940D;

    /// <summary>FICLONE: the destination's content becomes the source's, sharing every extent.</summary>
    public static CallResult Clone(Descriptor source, Descriptor destination)
    {
        CallResult result;
        do
        {
            result = Result(ioctl(destination.Number, FiClone, source.Number));
        }
        while (result.Is(Errno.EINTR));
        return result;
    }

    /// <summary>FICLONERANGE: as <see cref="Clone"/>, for a block-aligned range.</summary>
    public static CallResult CloneRange(Descriptor source, Descriptor destination, FileCloneRange range)
    {
        range.SetSource(source);
        CallResult result;
        do
        {
            result = Result(ioctl(destination.Number, FiCloneRange, (nint)(&range)));
        }
        while (result.Is(Errno.EINTR));
        return result;
    }

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int ioctl(int descriptor, nuint request, nint argument);
}
