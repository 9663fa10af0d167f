using System.Runtime.CompilerServices;
using System.Text.Unicode;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Interop;

/// <summary>
/// An open file description's number in this process. It comes from a call that opens and from nowhere else, so that
/// it is never an errno or a count. The default is none.
/// </summary>
internal readonly struct Descriptor : IEquatable<Descriptor>
{
    private const int WorkingDirectoryNumber = -100; // AT_FDCWD (fcntl.h)

    /// <summary>Bytes that <see cref="WritePath"/> needs at most.</summary>
    public const int LongestPath = 32;

    // One more than the number, so that the default is none and not the standard input.
    private readonly int _next;

    private Descriptor(int number) => _next = number + 1;

    public static Descriptor None => default;

    /// <summary>Stands for the process's working directory where a call takes a directory.</summary>
    public static Descriptor WorkingDirectory => new(WorkingDirectoryNumber);

    /// <summary>Whether there is something to close.</summary>
    public bool IsOpen
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _next > 0;
    }

    /// <summary>For <see cref="Sys"/> alone: what the kernel knows it by; -1 (EBADF) if it is none.</summary>
    internal int Number
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _next - 1;
    }

    /// <summary>Where it is found in proc: <c>/proc/self/fd/N</c>.</summary>
    public string Path => $"/proc/self/fd/{Number}";

    /// <summary>
    /// Writes <see cref="Path"/>, zero-terminated, into a buffer of <see cref="LongestPath"/> bytes. Returns its length in bytes
    /// without the end.
    /// </summary>
    public int WritePath(Span<byte> buffer)
    {
        _ = Utf8.TryWrite(buffer[..LongestPath], $"/proc/self/fd/{Number}\0", out int length);
        return length - 1;
    }

    /// <summary>For <see cref="Sys"/> alone: a number that the kernel gave.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Descriptor FromKernel(int number) => new(number);

    /// <summary>The descriptor of a handle, which has to stay alive meanwhile and goes on owning it.</summary>
    public static Descriptor Borrow(SafeFileHandle handle) => new((int)handle.DangerousGetHandle());

    public static bool operator ==(Descriptor left, Descriptor right) => left._next == right._next;

    public static bool operator !=(Descriptor left, Descriptor right) => left._next != right._next;

    public bool Equals(Descriptor other) => _next == other._next;

    public override bool Equals(object? obj) => obj is Descriptor other && Equals(other);

    public override int GetHashCode() => _next;

    public override string ToString() => IsOpen ? $"{Number}" : "none";
}
