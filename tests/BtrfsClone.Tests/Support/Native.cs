using System.ComponentModel;
using System.Runtime.InteropServices;
using BtrfsClone.Interop;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Support;

/// <summary>System calls on byte text paths, for what .NET cannot make; a failure is an exception.</summary>
internal static unsafe partial class Native
{
    public static SafeFileHandle CreateFile(string path)
    {
        fixed (byte* name = ByteText.ToBytesZ(path))
        {
            int flags = OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.Exclusive;
            return new SafeFileHandle(Check(Sys.OpenAt(Sys.WorkingDirectory, name, flags, 0x180), path), ownsHandle: true);
        }
    }

    public static SafeFileHandle Open(string path, bool write)
    {
        fixed (byte* name = ByteText.ToBytesZ(path))
        {
            int flags = (write ? OpenFlags.ReadWrite : OpenFlags.ReadOnly) | OpenFlags.NoFollow;
            return new SafeFileHandle(Check(Sys.OpenAt(Sys.WorkingDirectory, name, flags), path), ownsHandle: true);
        }
    }

    public static void MakeDirectory(string path)
    {
        fixed (byte* name = ByteText.ToBytesZ(path))
        {
            Check(Sys.MakeDirectory(Sys.WorkingDirectory, name, 0x1C0), path);
        }
    }

    public static void MakeNode(string path, uint type, uint major = 0, uint minor = 0)
    {
        fixed (byte* name = ByteText.ToBytesZ(path))
        {
            Check(Sys.MakeNode(Sys.WorkingDirectory, name, type | 0x180, major, minor), path);
        }
    }

    public static void MakeSymlink(string target, string path)
    {
        fixed (byte* to = ByteText.ToBytesZ(target), name = ByteText.ToBytesZ(path))
        {
            Check(Sys.MakeSymlink(to, Sys.WorkingDirectory, name), path);
        }
    }

    public static void Link(string existing, string path)
    {
        fixed (byte* from = ByteText.ToBytesZ(existing), name = ByteText.ToBytesZ(path))
        {
            Check(Sys.Link(Sys.WorkingDirectory, from, Sys.WorkingDirectory, name), path);
        }
    }

    public static void Chown(string path, uint uid, uint gid)
    {
        fixed (byte* name = ByteText.ToBytesZ(path))
        {
            Check(Sys.ChownEntry(Sys.WorkingDirectory, name, uid, gid), path);
        }
    }

    public static void Chmod(string path, uint mode)
    {
        fixed (byte* name = ByteText.ToBytesZ(path))
        {
            Check(Sys.ChmodPath(name, mode), path);
        }
    }

    public static void SetXattr(string path, string attribute, ReadOnlySpan<byte> value)
    {
        fixed (byte* name = ByteText.ToBytesZ(path), key = ByteText.ToBytesZ(attribute), data = value)
        {
            Check(Sys.SetXattrOfPath(name, key, data, value.Length), path);
        }
    }

    public static void SetTimes(string path, StatxTimestamp access, StatxTimestamp modify)
    {
        fixed (byte* name = ByteText.ToBytesZ(path))
        {
            Check(
                Sys.SetTimesOfEntry(
                    Sys.WorkingDirectory, name, new Statx { AccessTime = access, ModifyTime = modify }),
                path);
        }
    }

    public static void AddFlags(SafeFileHandle file, InodeFlags flags)
    {
        int descriptor = Descriptor(file);
        Check(Sys.GetFlags(descriptor, out InodeFlags present), "GETFLAGS");
        if ((flags & InodeFlags.Inherited) != 0)
        {
            // Compression and NOCOW exclude each other, the present flag and the next one too (check_fsflags in
            // fs/btrfs/ioctl.c): what was inherited has to go first.
            present &= ~InodeFlags.Inherited;
            Check(Sys.SetFlags(descriptor, present), $"SETFLAGS {present}");
        }

        Check(Sys.SetFlags(descriptor, present | flags), $"SETFLAGS {present | flags}");
    }

    public static void AddFlags(string path, InodeFlags flags)
    {
        using SafeFileHandle file = Open(path, write: false);
        AddFlags(file, flags);
    }

    public static void Preallocate(SafeFileHandle file, long offset, long length) =>
        Check(Sys.Preallocate(Descriptor(file), offset, length), "fallocate");

    public static void Truncate(SafeFileHandle file, long size) => Check(Sys.Truncate(Descriptor(file), size), "ftruncate");

    public static void Clone(SafeFileHandle source, SafeFileHandle destination) =>
        Check(Sys.Clone(Descriptor(source), Descriptor(destination)), "FICLONE");

    public static void PunchHole(SafeFileHandle file, long offset, long length) =>
        // FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE
        Check(
            fallocate(Descriptor(file), 3, offset, length) == 0 ? 0 : -Marshal.GetLastPInvokeError(), "fallocate");

    /// <summary>Maps a file from its start, shared and writable. Unlike .NET's views, unmapping writes nothing out.</summary>
    public static byte* Map(SafeFileHandle file, long length)
    {
        nint address = mmap(0, (nuint)length, 3, 1, Descriptor(file), 0);
        return address == -1 ? throw new Win32Exception(Marshal.GetLastPInvokeError()) : (byte*)address;
    }

    /// <summary>Opens a file for writing past the page cache, from memory that is aligned to blocks.</summary>
    public static SafeFileHandle OpenDirect(string path)
    {
        fixed (byte* name = ByteText.ToBytesZ(path))
        {
            return new SafeFileHandle(
                Check(Sys.OpenAt(Sys.WorkingDirectory, name, OpenFlags.ReadWrite | OpenFlags.Direct), path), ownsHandle: true);
        }
    }

    /// <summary>Writes out of aligned memory.</summary>
    public static void WriteAligned(SafeFileHandle direct, ReadOnlySpan<byte> data, long offset)
    {
        void* aligned = NativeMemory.AlignedAlloc((nuint)data.Length, 4096);
        data.CopyTo(new Span<byte>(aligned, data.Length));
        RandomAccess.Write(direct, new ReadOnlySpan<byte>(aligned, data.Length), offset);
        NativeMemory.AlignedFree(aligned);
    }

    /// <summary>Takes a file's clean pages out of the page cache.</summary>
    public static void DropPages(string path)
    {
        using SafeFileHandle file = Open(path, write: false);

        // POSIX_FADV_DONTNEED
        Check(-posix_fadvise(Descriptor(file), 0, 0, 4), "posix_fadvise");
    }

    public static void Unmap(byte* address, long length) => _ = munmap((nint)address, (nuint)length);

    private static int Descriptor(SafeFileHandle file) => (int)file.DangerousGetHandle();

    private static int Check(int result, string what) => result >= 0
        ? result
        : throw new Win32Exception(-result, $"{ByteText.Show(what)}: {new Win32Exception(-result).Message}");

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fallocate(int descriptor, int mode, long offset, long length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint mmap(nint address, nuint length, int protection, int flags, int descriptor, long offset);

    [LibraryImport("libc")]
    private static partial int posix_fadvise(int descriptor, long offset, long length, int advice);

    [LibraryImport("libc")]
    private static partial int munmap(nint address, nuint length);
}
