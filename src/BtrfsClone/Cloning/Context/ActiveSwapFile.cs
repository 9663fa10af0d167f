using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// An active swap file: the kernel does not allow it to be renamed, replaced or removed, and returns EPERM (may_delete in
/// fs/namei.c).
/// </summary>
internal static unsafe class ActiveSwapFile
{
    /// <summary>The failure to replace an entry, with the actual reason if it is a swap file.</summary>
    public static Failure Explain(Failure failure, Descriptor directory, ReadOnlySpan<byte> name)
    {
        fixed (byte* text = name)
        {
            return failure.Errno == Errno.EPERM && Is(directory, text)
                ? failure with { Meaning = BtrfsError.SwapFile }
                : failure;
        }
    }

    private static bool Is(Descriptor directory, byte* name)
    {
        // Checked first: opening a device can have side effects.
        if (Sys.StatEntry(directory, name, out Statx status).Failed || status.FileType != Sys.ModeRegular)
        {
            return false;
        }

        int flags = OpenFlags.ReadOnly | OpenFlags.NonBlock | OpenFlags.NoFollow;
        _ = Sys.OpenAt(directory, name, flags, out Descriptor opened);
        using OwnedDescriptor file = new(opened);
        return !file.IsInvalid && Sys.IsSwapFile(opened);
    }
}
