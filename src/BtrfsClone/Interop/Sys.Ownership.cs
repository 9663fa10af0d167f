using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

internal static unsafe partial class Sys
{
    /// <summary>The id that leaves an owner or group as it is.</summary>
    public const uint Unchanged = uint.MaxValue;

    public static uint EffectiveUid => geteuid();

    public static uint EffectiveGid => getegid();

    /// <summary>fchownat(2) of an entry itself, or of the descriptor where the name is empty.</summary>
    public static int ChownEntry(int directory, byte* name, uint uid, uint gid) =>
        Result(fchownat(directory, name, uid, gid, SymlinkNoFollow | EmptyPath));

    /// <summary>fchown(2).</summary>
    public static int Chown(int descriptor, uint uid, uint gid) => Result(fchown(descriptor, uid, gid));

    /// <summary>fchmod(2).</summary>
    public static int Chmod(int descriptor, uint mode) => Result(fchmod(descriptor, mode));

    /// <summary>chmod(2), which follows links: for paths below /proc/self/fd only.</summary>
    public static int ChmodPath(byte* path, uint mode) => Result(chmod(path, mode));

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
