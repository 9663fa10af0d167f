using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

internal static partial class Sys
{
    // F_DUPFD_CLOEXEC (linux/fcntl.h).
    private const int DuplicateCloseOnExec = 1030;

    /// <summary>fcntl(2) with F_DUPFD_CLOEXEC: another descriptor of the same open file.</summary>
    public static CallResult Duplicate(Descriptor descriptor, out Descriptor duplicate)
    {
        CallResult result = Result(fcntl(descriptor.Number, DuplicateCloseOnExec, 0));
        duplicate = result.Failed ? Descriptor.None : Descriptor.FromKernel((int)result.Value);
        if (duplicate.IsOpen && DescriptorTracking.IsOn)
        {
            DescriptorTracking.Opened(duplicate);
        }

        return result.Failed ? result : CallResult.Success;
    }

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int fcntl(int descriptor, int command, nint argument);
}
