using System.ComponentModel;
using System.Runtime.InteropServices;

namespace BtrfsClone.Tests.Fuzzing;

/// <summary>Memory that ends where the next byte must not be touched: reading it ends the process.</summary>
internal sealed unsafe partial class GuardedBuffer : IDisposable
{
    // sys/mman.h, alike on x86-64 and arm64.
    private const int ReadWrite = 3;
    private const int PrivateAnonymous = 0x22;

    private readonly nint _start;
    private readonly nint _length;

    public GuardedBuffer(int size)
    {
        nint page = Environment.SystemPageSize;
        nint room = (size + page - 1) / page * page;
        _length = room + page;
        _start = mmap(0, _length, ReadWrite, PrivateAnonymous, -1, 0);
        if (_start == -1 || mprotect(_start + room, page, 0) != 0)
        {
            throw new Win32Exception();
        }

        Start = (byte*)(_start + room - size);
    }

    /// <summary>Where it begins; right after its size, it ends.</summary>
    public byte* Start { get; }

    public void Dispose() => _ = munmap(_start, _length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint mmap(nint address, nint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int mprotect(nint address, nint length, int protection);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int munmap(nint address, nint length);
}
