using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// A swap file in use: the kernel lets nobody rename, replace or remove it, and says EPERM of that (may_delete in
/// fs/namei.c).
/// </summary>
internal static unsafe class ActiveSwapFile
{
    /// <summary>The failure to replace an entry, named for what it is where that is a swap file.</summary>
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
        // Looked at first: opening a device can do something by itself.
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
