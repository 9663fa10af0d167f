using System.Runtime.CompilerServices;
using System.Text.Unicode;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Interop;

/// <summary>
/// A file descriptor. It can only come from a call that opens something, so it is never an errno or a count. The default value is
/// none.
/// </summary>
internal readonly struct Descriptor : IEquatable<Descriptor>
{
    private const int WorkingDirectoryNumber = -100; // AT_FDCWD (fcntl.h)

    /// <summary>The maximum number of bytes that <see cref="WritePath"/> needs.</summary>
    public const int LongestPath = 32;

    // The number plus one, so that the default value is none, not standard input.
    private readonly int _next;

    private Descriptor(int number) => _next = number + 1;

    public static Descriptor None => default;

    /// <summary>Represents the process's working directory in calls that take a directory.</summary>
    public static Descriptor WorkingDirectory => new(WorkingDirectoryNumber);

    /// <summary>Whether there is something to close.</summary>
    public bool IsOpen
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _next > 0;
    }

    /// <summary>For <see cref="Sys"/> only: the number for the kernel; -1 (EBADF) if it is none.</summary>
    internal int Number
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _next - 1;
    }

    /// <summary>Its path in proc: <c>/proc/self/fd/N</c>.</summary>
    public string Path => $"/proc/self/fd/{Number}";

    /// <summary>
    /// Writes <see cref="Path"/>, null-terminated, to a buffer of <see cref="LongestPath"/> bytes. Returns its length in bytes
    /// without the terminating null.
    /// </summary>
    public int WritePath(Span<byte> buffer)
    {
        _ = Utf8.TryWrite(buffer[..LongestPath], $"/proc/self/fd/{Number}\0", out int length);
        return length - 1;
    }

    /// <summary>For <see cref="Sys"/> only: a number returned by the kernel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Descriptor FromKernel(int number) => new(number);

    /// <summary>The descriptor of a handle, which must stay alive in the meantime and keeps ownership.</summary>
    public static Descriptor Borrow(SafeFileHandle handle) => new((int)handle.DangerousGetHandle());

    public static bool operator ==(Descriptor left, Descriptor right) => left._next == right._next;

    public static bool operator !=(Descriptor left, Descriptor right) => left._next != right._next;

    public bool Equals(Descriptor other) => _next == other._next;

    public override bool Equals(object? obj) => obj is Descriptor other && Equals(other);

    public override int GetHashCode() => _next;

    public override string ToString() => IsOpen ? $"{Number}" : "none";
}
