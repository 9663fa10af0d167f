using System.ComponentModel;
using System.Runtime.InteropServices;
using BtrfsClone.Interop;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Support;

/// <summary>System calls on byte text paths, for what .NET cannot make; a failure is an exception.</summary>
internal static unsafe partial class Native
{
    public static SafeFileHandle CreateFile(string path) =>
        OpenAs(path, OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.Exclusive);

    public static SafeFileHandle Open(string path, bool write) =>
        OpenAs(path, (write ? OpenFlags.ReadWrite : OpenFlags.ReadOnly) | OpenFlags.NoFollow);

    public static void MakeDirectory(string path)
    {
        fixed (byte* name = ByteText.ToBytesZ(path))
        {
            Check(Sys.MakeDirectory(Descriptor.WorkingDirectory, name, Sys.ModeOwner), path);
        }
    }

    public static void MakeNode(string path, uint type, uint major = 0, uint minor = 0)
    {
        fixed (byte* name = ByteText.ToBytesZ(path))
        {
            Check(Sys.MakeNode(Descriptor.WorkingDirectory, name, type | Sys.ModeOwnerReadWrite, major, minor), path);
        }
    }

    public static void MakeSymlink(string target, string path)
    {
        fixed (byte* to = ByteText.ToBytesZ(target), name = ByteText.ToBytesZ(path))
        {
            Check(Sys.MakeSymlink(to, Descriptor.WorkingDirectory, name), path);
        }
    }

    public static void Link(string existing, string path)
    {
        fixed (byte* from = ByteText.ToBytesZ(existing), name = ByteText.ToBytesZ(path))
        {
            Check(Sys.Link(Descriptor.WorkingDirectory, from, Descriptor.WorkingDirectory, name), path);
        }
    }

    public static void Chown(string path, uint uid, uint gid)
    {
        fixed (byte* name = ByteText.ToBytesZ(path))
        {
            Check(Sys.ChownEntry(Descriptor.WorkingDirectory, name, uid, gid), path);
        }
    }

    public static void Chmod(string path, uint mode)
    {
        fixed (byte* name = ByteText.ToBytesZ(path))
        {
            Check(Sys.OpenAt(Descriptor.WorkingDirectory, name, OpenFlags.PathOnly, out Descriptor held), path);
            CallResult result = Sys.ChmodHeld(held, mode);
            Sys.Close(held);
            Check(result, path);
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
                    Descriptor.WorkingDirectory, name, new Statx { AccessTime = access, ModifyTime = modify }),
                path);
        }
    }

    public static void AddFlags(SafeFileHandle file, InodeFlags flags)
    {
        Descriptor descriptor = Descriptor.Borrow(file);
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
        Check(Sys.Preallocate(Descriptor.Borrow(file), offset, length), "fallocate");

    public static void Truncate(SafeFileHandle file, long size) => Check(Sys.Truncate(Descriptor.Borrow(file), size), "ftruncate");

    public static void Clone(SafeFileHandle source, SafeFileHandle destination) =>
        Check(Sys.Clone(Descriptor.Borrow(source), Descriptor.Borrow(destination)), "FICLONE");

    public static void CloneRange(SafeFileHandle source, long offset, long length, SafeFileHandle destination, long to) =>
        Check(
            Sys.CloneRange(
                Descriptor.Borrow(source),
                Descriptor.Borrow(destination),
                new FileCloneRange
                {
                    SourceOffset = (ulong)offset,
                    SourceLength = (ulong)length,
                    DestinationOffset = (ulong)to,
                }),
            "FICLONERANGE");

    public static void PunchHole(SafeFileHandle file, long offset, long length) =>
        // FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE
        Check(
            fallocate(Number(file), 3, offset, length) == 0 ? Errno.None : (Errno)Marshal.GetLastPInvokeError(), "fallocate");

    /// <summary>Maps a file from its start, shared and writable. Unlike .NET's views, unmapping writes nothing out.</summary>
    public static byte* Map(SafeFileHandle file, long length)
    {
        nint address = mmap(0, (nuint)length, 3, 1, Number(file), 0);
        return address == -1 ? throw new Win32Exception(Marshal.GetLastPInvokeError()) : (byte*)address;
    }

    /// <summary>Opens a file for writing past the page cache, from memory that is aligned to blocks.</summary>
    public static SafeFileHandle OpenDirect(string path) => OpenAs(path, OpenFlags.ReadWrite | OpenFlags.Direct);

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
        Check((Errno)posix_fadvise(Number(file), 0, 0, 4), "posix_fadvise");
    }

    public static void Unmap(byte* address, long length) => _ = munmap((nint)address, (nuint)length);

    private static int Number(SafeFileHandle file) => (int)file.DangerousGetHandle();

    private static SafeFileHandle OpenAs(string path, int flags)
    {
        fixed (byte* name = ByteText.ToBytesZ(path))
        {
            Check(Sys.OpenAt(Descriptor.WorkingDirectory, name, flags, out Descriptor opened, Sys.ModeOwnerReadWrite), path);
            DescriptorTracking.Release(opened);
            return new SafeFileHandle(opened.Number, ownsHandle: true);
        }
    }

    private static void Check(CallResult result, string what)
    {
        if (result.Failed)
        {
            int error = (int)result.Error;
            throw new Win32Exception(error, $"{ByteText.Show(what)}: {new Win32Exception(error).Message}");
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fallocate(int descriptor, int mode, long offset, long length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint mmap(nint address, nuint length, int protection, int flags, int descriptor, long offset);

    [LibraryImport("libc")]
    private static partial int posix_fadvise(int descriptor, long offset, long length, int advice);

    [LibraryImport("libc")]
    private static partial int munmap(nint address, nuint length);
}
