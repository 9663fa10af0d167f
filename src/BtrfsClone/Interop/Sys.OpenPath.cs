using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

internal static unsafe partial class Sys
{
    private const nint OpenAt2Number = 437;
    private const ulong ResolveNoSymlinks = 0x04; // linux/openat2.h.

    /// <summary>
    /// openat2(2), Linux 5.6: opens a relative path, close-on-exec, without following symbolic links (ELOOP). ENOSYS, or EPERM in
    /// some sandboxes, if the kernel does not support it.
    /// </summary>
    /// <param name="directory">The directory that the path is relative to.</param>
    /// <param name="path">The names, separated by slashes, null-terminated; less than <see cref="PathMax"/> bytes.</param>
    /// <param name="flags">A combination of <see cref="OpenFlags"/>.</param>
    /// <param name="opened">The opened file; none on failure.</param>
    public static CallResult OpenPath(Descriptor directory, byte* path, int flags, out Descriptor opened)
    {
        ulong* how = stackalloc ulong[3] { (ulong)(uint)(flags | OpenFlags.CloseOnExec), 0, ResolveNoSymlinks };
        CallResult result;
        do
        {
            result = Result(syscall(OpenAt2Number, directory.Number, path, how, 3 * sizeof(ulong)));
        }
        while (result.Is(Errno.EINTR));
        return Opened(result, out opened);
    }

    [LibraryImport(LibC, SetLastError = true)]
    private static partial nint syscall(nint number, nint directory, byte* path, ulong* how, nint size);
}
