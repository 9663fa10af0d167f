using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

internal static unsafe partial class Sys
{
    /// <summary>The id that leaves an owner or group unchanged.</summary>
    public const uint Unchanged = uint.MaxValue;

    public static uint EffectiveUid => geteuid();

    public static uint EffectiveGid => getegid();

    /// <summary>fchownat(2) of an entry itself, or of the descriptor if the name is empty.</summary>
    public static CallResult ChownEntry(Descriptor directory, byte* name, uint uid, uint gid) =>
        Result(fchownat(directory.Number, name, uid, gid, SymlinkNoFollow | EmptyPath));

    /// <summary>fchown(2).</summary>
    public static CallResult Chown(Descriptor descriptor, uint uid, uint gid) => Result(fchown(descriptor.Number, uid, gid));

    /// <summary>fchmod(2).</summary>
    public static CallResult Chmod(Descriptor descriptor, uint mode) => Result(fchmod(descriptor.Number, mode));

    /// <summary>
    /// Sets the permissions of the file of an O_PATH descriptor: fchmodat2(2) with AT_EMPTY_PATH, Linux 6.6; before that, and if a
    /// sandbox rejects the unknown call, by its path in proc.
    /// </summary>
    public static CallResult ChmodHeld(Descriptor held, uint mode)
    {
        fixed (byte* empty = s_empty)
        {
            CallResult result = Result((int)syscall(FchmodAt2Number, held.Number, empty, mode, EmptyPath));
            if (result.Error is not (Errno.ENOSYS or Errno.EPERM))
            {
                return result;
            }
        }

        byte* path = stackalloc byte[Descriptor.LongestPath];
        _ = held.WritePath(new Span<byte>(path, Descriptor.LongestPath));
        return Result(chmod(path, mode));
    }

    private const nint FchmodAt2Number = 452; // On x86-64 and arm64; the C library has the function from glibc 2.39 on.

    [LibraryImport(LibC, SetLastError = true)]
    private static partial nint syscall(nint number, nint directory, byte* name, uint mode, nint flags);

    [LibraryImport(LibC)]
    private static partial uint geteuid();

    [LibraryImport(LibC)]
    private static partial uint getegid();

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int fchownat(int directory, byte* name, uint uid, uint gid, int flags);

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int fchown(int descriptor, uint uid, uint gid);

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int fchmod(int descriptor, uint mode);

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int chmod(byte* path, uint mode);
}
